"""The visitor behind a request: whose basket it is, and what becomes of it at login."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from shop.database.compiled_queries import CompiledQuery, Placeholder
from shop.database.json_columns import Cover
from shop.models import Basket, BasketLine, Product, User
from shop.models.basket_line import BasketLineQuerySet, BasketLines
from shop.web.throttle import NOWHERE, Stretch, client_address

SESSION_KEY = "basket_id"


def lines_of(request: HttpRequest) -> BasketLineQuerySet:
    """What this user or visitor has in the basket; nothing before anything was put in."""
    lines = BasketLine.objects.filter(basket__status=Basket.OPEN)
    if request.user.is_authenticated:
        return lines.filter(basket__user=request.user)
    basket_id = request.session.get(SESSION_KEY)
    return lines.filter(basket=basket_id, basket__user=None) if basket_id else lines.none()


def basket_of(request: HttpRequest) -> Basket | None:
    """The open basket of this user or visitor, or None before anything was put in."""
    kind, owner = _owner_of(request)
    owned_by = {"user": owner} if kind == "user" else {"user": None, "pk": owner}
    return Basket.objects.open().filter(**owned_by).first() if owner else None


_LINE = ("pk", "basket_id", "quantity", "price_seen")
_BOOK = ("pk", "name", "slug", "price", "active", "in_stock", "authors_text", "stock", "available_from", "weight")
_OWNERS: dict[str, dict[str, Any]] = {
    "user": {"basket__user": Placeholder("owner")},
    "visitor": {"basket": Placeholder("owner"), "basket__user": None},
}


def _open_lines(owner: str) -> BasketLineQuerySet:
    return BasketLine.objects.filter(basket__status=Basket.OPEN, **_OWNERS[owner])


_shown = CompiledQuery(
    lambda owner: (
        _open_lines(owner)
        .annotate(cover=Cover("product"))
        .values_list(*_LINE, *(f"product__{name}" for name in _BOOK), "cover")
    )
)
_quantities = CompiledQuery(lambda owner: _open_lines(owner).order_by().values_list("quantity"))


def _owner_of(request: HttpRequest) -> tuple[str, Any]:
    """Which of `_OWNERS` has this request's basket, and the key; None for a visitor who put nothing in yet."""
    if request.user.is_authenticated:
        return "user", request.user.pk
    return "visitor", request.session.get(SESSION_KEY)


def lines_shown(request: HttpRequest) -> BasketLines:
    """`lines_of` with all that the basket's page shows of them (`BasketLineQuerySet.for_page`), in one query."""
    kind, owner = _owner_of(request)
    return BasketLines(_line(row) for row in _shown.rows(kind, owner=owner)) if owner else BasketLines()


def _line(row: Sequence[Any]) -> BasketLine:
    *values, cover = row
    product = Product(**dict(zip(_BOOK, values[len(_LINE) :], strict=True)))
    line = BasketLine(**dict(zip(_LINE, values, strict=False)), product=product)
    line.cover = cover  # type: ignore[attr-defined]  # as annotate() would
    return line


def books_in_basket(request: HttpRequest) -> int:
    """How many books are in it, which stands in every page's header: one query, or none for a new visitor."""
    kind, owner = _owner_of(request)
    return sum(quantity for (quantity,) in _quantities.rows(kind, owner=owner)) if owner else 0


_visitors = CompiledQuery(
    lambda: (
        Basket.objects.open()
        .filter(pk=Placeholder("pk"), user=None)
        .order_by()
        .select_for_update()
        .values_list("pk", "status", "date_updated")
    )
)
_ADDED = ("pk", "name", "slug", "price", "active", "in_stock")
_added = CompiledQuery(lambda: Product.objects.filter(pk=Placeholder("pk")).order_by().values_list(*_ADDED))


def product_to_add(pk: int) -> Product | None:
    """The product with all that `put_in_basket` needs to know of it."""
    rows = _added.rows(pk=pk) if 0 < pk < 2**63 else iter(())
    return next((Product(**dict(zip(_ADDED, row, strict=True))) for row in rows), None)


def _locked_basket(pk: int | None) -> Basket | None:
    """A visitor's open basket, locked until the transaction ends."""
    rows = _visitors.rows(pk=pk) if pk else iter(())
    return next((Basket(pk=pk, status=status, date_updated=date) for pk, status, date in rows), None)


@transaction.atomic
def put_in_basket(request: HttpRequest, product: Product, quantity: int = 1) -> int:
    """Put a product into this user's or visitor's basket, made where there is none: see `Basket.add`.

    Raises ValidationError, with the code "too_many", where very many visitors began one at the same address lately.
    """
    if request.user.is_authenticated:
        return Basket.objects.current(request.user).put(product, quantity)
    basket = _locked_basket(request.session.get(SESSION_KEY)) or Basket.objects.create()
    added = basket.put(product, quantity)
    # Only now: a visitor whose basket stays empty gets no session.
    if request.session.get(SESSION_KEY) != basket.pk:
        check_flood(request)
        request.session[SESSION_KEY] = basket.pk
    return added


def check_flood(request: HttpRequest) -> None:
    """Whoever keeps no cookies begins a basket with each book, and each is kept for a while."""
    address = client_address(request)
    hour = Stretch(f"new-baskets:{address}", 3600)
    if address != NOWHERE and hour.count() > settings.NEW_BASKETS_AN_HOUR:
        minutes = math.ceil(hour.seconds_left() / 60)
        sentence = (
            "Too many baskets were begun at your internet address just now. "
            f"Log in to go on, or try again in {minutes} minute{'' if minutes == 1 else 's'}."
        )
        raise ValidationError(sentence, code="too_many", params={"seconds": hour.seconds_left()})


@transaction.atomic
def fill_basket(user: User, lines: Iterable[BasketLine]) -> list[BasketLine]:
    """Put what finds room of these lines into the user's basket, made where there is none: see `Basket.fill`."""
    return Basket.objects.current(user).fill(lines)


@transaction.atomic
def bring_along(request: HttpRequest, user: User) -> list[BasketLine]:
    """Merge the basket of the visitor who just logged in into the user's own; see `Basket.take_over`.

    The visitor's basket is locked first: of two logins of one visitor at once, one brings it along.
    """
    visitors = _locked_basket(request.session.pop(SESSION_KEY, None))
    return Basket.objects.current(user).take_over(visitors) if visitors else []
