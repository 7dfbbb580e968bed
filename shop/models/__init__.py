from shop.models.basket import Basket, BasketLine
from shop.models.catalogue import Author, Product, ProductAuthor, ProductImage, ProductTag, Series
from shop.models.catalogue_change import CatalogueChange
from shop.models.housekeeping import Housekeeping
from shop.models.order import Order, OrderLine
from shop.models.outgoing_mail import OutgoingMail
from shop.models.user import Address, Country, User

__all__ = [
    "Address",
    "Author",
    "Basket",
    "BasketLine",
    "CatalogueChange",
    "Country",
    "Housekeeping",
    "Order",
    "OrderLine",
    "OutgoingMail",
    "Product",
    "ProductAuthor",
    "ProductImage",
    "ProductTag",
    "Series",
    "User",
]
