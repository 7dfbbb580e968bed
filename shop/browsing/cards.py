"""Books as a list shows them."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple, Self

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from shop.models import Product
from shop.models.covers import picture_address
from shop.models.taxonomy import address_around


class Card(NamedTuple):
    """What a list shows of a book; `cover` is the first picture's thumbnail: {"url", "width", "height"} or None."""

    name: str
    address: str
    price: Decimal
    in_stock: bool
    authors: str
    series: str
    cover: dict[str, Any] | None


class Cards(list[Card]):
    """`html` are their list items for a `ul.grid`, which `shop.browsing.catalogue_cache` keeps rendered."""

    # The columns of `ProductQuerySet.cards` that `of` takes.
    COLUMNS = ("name", "slug", "price", "in_stock", "authors_text", "series_text", "cover")

    @classmethod
    def of(cls, rows: Iterable[tuple[Any, ...]]) -> Self:
        before, after = address_around(Product.detail_view)
        return cls(
            Card(name, f"{before}{slug}{after}", price, in_stock, authors, series, cover_shown(cover))
            for name, slug, price, in_stock, authors, series, cover in rows
        )

    @cached_property
    def html(self) -> SafeString:
        return render_to_string("shop/_cards.html", {"cards": self})


def cover_shown(cover: dict[str, Any] | None) -> dict[str, Any] | None:
    return cover and {"url": picture_address(cover["name"]), "width": cover["width"], "height": cover["height"]}
