from shop.models.basket import Basket
from shop.models.basket_line import BasketLine
from shop.models.card_desk import CardDeskSession
from shop.models.catalogue_change import CatalogueChange
from shop.models.company import Company
from shop.models.counter import Counter
from shop.models.delivery_method import DeliveryBand, DeliveryMethod
from shop.models.housekeeping import Housekeeping
from shop.models.order import Order
from shop.models.order_event import OrderEvent
from shop.models.order_line import OrderLine
from shop.models.order_return import Return
from shop.models.outgoing_mail import OutgoingMail
from shop.models.parcel import Parcel
from shop.models.payment import Payment
from shop.models.payment_problem import PaymentProblem
from shop.models.picture import ProductImage
from shop.models.product import Product, ProductAuthor
from shop.models.provider_event import ProviderEvent
from shop.models.refund import Refund
from shop.models.stock_move import StockMove
from shop.models.taxonomy import Author, ProductTag, Series
from shop.models.user import Address, User
from shop.models.vat_rate import VatRate

__all__ = [
    "Address",
    "Author",
    "Basket",
    "BasketLine",
    "CardDeskSession",
    "CatalogueChange",
    "Company",
    "Counter",
    "DeliveryBand",
    "DeliveryMethod",
    "Housekeeping",
    "Order",
    "OrderEvent",
    "OrderLine",
    "OutgoingMail",
    "Parcel",
    "Payment",
    "PaymentProblem",
    "Product",
    "ProductAuthor",
    "ProductImage",
    "ProductTag",
    "ProviderEvent",
    "Refund",
    "Return",
    "Series",
    "StockMove",
    "User",
    "VatRate",
]
