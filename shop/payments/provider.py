"""What a provider of card payments does for the shop. No card data comes here: the shopper pays on its page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from shop.models import Payment, Refund


class ProviderAway(Exception):
    """It did not answer, or not in time: whether it did what it was asked is not known. Ask again."""


class ProviderRefused(Exception):
    """It says no, and will say so again: a person has to look."""


@dataclass(frozen=True)
class Begun:
    """A page on which a payment can be made: the provider's id of it, and its address."""

    reference: str
    url: str


@dataclass(frozen=True)
class PaymentTold:
    """What a provider says of a payment: one of `Payment.Status`; of a paid one also how much came."""

    status: str
    amount: Decimal | None = None
    currency: str = ""
    charge: str = ""
    reference: str = ""
    # Whether the shopper did what was to be done, and a bank takes its time.
    is_awaited: bool = False
    # The number of the order that it is for, as the provider was told.
    order: str = ""


@dataclass(frozen=True)
class RefundTold:
    reference: str
    charge: str
    amount: Decimal
    currency: str
    # One of `Refund.Status`.
    status: str
    # Our key of it, as the provider was told; "" for one made at the provider's.
    refund: str = ""


class Provider(Protocol):
    # What shoppers know it by.
    name: str
    # Where its page stands, https://checkout.stripe.com, or more than one such place; "" for this site.
    origin: str

    def begin(self, payment: Payment, back: str, given_up: str) -> Begun:
        """A page to pay on; it leads to one of the two addresses. Asked again for the same payment: the same page.

        Raises ProviderAway and ProviderRefused, as do all of these.
        """

    def page_of(self, payment: Payment) -> str:
        """The address of the page that was begun, or "" where nobody can pay there any more."""

    def look(self, payment: Payment) -> PaymentTold:
        """How a payment that was begun stands now."""

    def close(self, payment: Payment) -> None:
        """See to it that nobody pays there any more, if nobody did."""

    def give_back(self, refund: Refund) -> RefundTold:
        """Refund; asked again for the same refund, it is made once."""

    def payments_since(self, moment: datetime) -> Iterator[PaymentTold]:
        """Those begun since then, the newest first."""

    def refunds_since(self, moment: datetime) -> Iterator[RefundTold]:
        """Those made since then, the newest first."""
