"""Books and subjects as HTML.

They are written here and not in a template because a page shows two dozen of one and fifty of the other: put together
by the template engine they took three quarters of the time of a whole request.
"""

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe

from shop.models import ProductTag
from shop.models.catalogue import address_around
from shop.shelf import Card, Subject

register = template.Library()


@register.filter
def cards(books: Iterable[Card]) -> SafeString:
    """The cards of `books` for a `ul.grid`."""
    return mark_safe("\n".join(map(card, books)))


def card(book: Card) -> str:
    name, authors, series = escape(book.name), escape(book.authors_text), escape(book.series_text)
    return (
        f'<li class="card"><a class="card__link" href="{book.get_absolute_url()}">{cover(book)}'
        f'<span class="card__title">{name}</span></a>'
        + (f'<p class="card__by">{authors}</p>' if authors else "")
        + (f'<p class="card__by">{series}</p>' if series else "")
        + f'<p class="card__price">£{book.price}{"" if book.in_stock else " <small>Out of stock</small>"}</p></li>'
    )


def cover(book: Card) -> str:
    if picture := book.cover:
        return (
            f'<span class="cover"><img src="{escape(book.cover_url())}" width="{picture["width"]}"'
            f' height="{picture["height"]}" loading="lazy" alt=""></span>'
        )
    return (
        f'<span class="cover cover--blank" data-tone="{len(book.name) % 10}" aria-hidden="true">'
        f"<span>{escape(book.name)}</span><span>{escape(book.authors_text)}</span></span>"
    )


@register.simple_tag
def tag_links(tags: Iterable[Subject], current: Subject | None = None, search: str = "") -> SafeString:
    """List items that link to `tags`, each with the query string `search`; `current` is marked as the one shown."""
    links = []
    before, after = address_around(ProductTag.detail_view)
    for tag in tags:
        mark = ' aria-current="page"' if tag is current else ""
        links.append(f'<li><a href="{before}{tag.slug}{after}{escape(search or "")}"{mark}>{escape(tag.name)}</a></li>')
    return mark_safe("\n".join(links))
