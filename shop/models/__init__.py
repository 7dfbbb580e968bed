from shop.models.basket import Basket
from shop.models.basket_line import BasketLine
from shop.models.catalogue_change import CatalogueChange
from shop.models.housekeeping import Housekeeping
from shop.models.order import Order
from shop.models.order_line import OrderLine
from shop.models.outgoing_mail import OutgoingMail
from shop.models.picture import ProductImage
from shop.models.product import Product, ProductAuthor
from shop.models.taxonomy import Author, ProductTag, Series
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
