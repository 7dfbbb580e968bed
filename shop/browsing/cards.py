"""Books as a list shows them.

Their HTML is written here and not in a template because a page shows two dozen of them: put together by the template
engine they took half of the time of a whole request.
"""

from decimal import Decimal
from functools import cached_property
from html import escape
from typing import Any, NamedTuple

from django.utils.safestring import SafeString, mark_safe

from shop.models import Product
from shop.models.covers import picture_address
from shop.models.taxonomy import address_around


class Card(NamedTuple):
    """What a list shows of a book; `cover` is the first picture's thumbnail: {"name", "width", "height"} or None."""

    name: str
    slug: str
    price: Decimal
    in_stock: bool
    authors_text: str
    series_text: str
    cover: dict[str, Any] | None

    def get_absolute_url(self) -> str:
        before, after = address_around(Product.detail_view)
        return f"{before}{self.slug}{after}"

    def cover_url(self) -> str:
        return picture_address(self.cover["name"]) if self.cover else ""


class Cards(list[Card]):
    """`html` are their list items for a `ul.grid`, which `shop.browsing.catalogue_cache` keeps written."""

    @cached_property
    def html(self) -> SafeString:
        return mark_safe("\n".join(map(card_html, self)))  # each text in it is escaped


def card_html(book: Card) -> str:
    name, authors, series = escape(book.name), escape(book.authors_text), escape(book.series_text)
    return (
        f'<li class="card"><a class="card__link" href="{book.get_absolute_url()}">{cover_html(book)}'
        f'<span class="card__title">{name}</span></a>'
        + (f'<p class="card__by">{authors}</p>' if authors else "")
        + (f'<p class="card__by">{series}</p>' if series else "")
        + f'<p class="card__price">£{book.price}{"" if book.in_stock else " <small>Out of stock</small>"}</p></li>'
    )


def cover_html(book: Card) -> str:
    if picture := book.cover:
        return (
            f'<span class="cover"><img src="{escape(book.cover_url())}" width="{picture["width"]}"'
            f' height="{picture["height"]}" loading="lazy" alt=""></span>'
        )
    return (
        f'<span class="cover cover--blank" data-tone="{len(book.name) % 10}" aria-hidden="true">'
        f"<span>{escape(book.name)}</span><span>{escape(book.authors_text)}</span></span>"
    )
