"""A shelf: one page of a long row of books."""

from typing import Any

from django.core.paginator import Page, Paginator

from shop.models import Product
from shop.models.catalogue import ProductQuerySet

BOOKS_A_PAGE = 24


class Shelf(Paginator[Product]):
    """The pages of `books`, 24 cards each."""

    object_list: ProductQuerySet

    def __init__(self, books: ProductQuerySet) -> None:
        super().__init__(books, BOOKS_A_PAGE)

    def page(self, number: int | str) -> Page[Product]:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        return Page(self.object_list.cards(start, start + self.per_page), number, self)


def shelf_page(books: ProductQuerySet, number: str | None) -> dict[str, Any]:
    """What a template needs for one page of `books`: `page` and, for the pager, `pages`.

    A number that is none, or out of range, gives the nearest page.
    """
    shelf = Shelf(books)
    page = shelf.get_page(nearest(number, shelf.num_pages))
    return {"page": page, "pages": shelf.get_elided_page_range(page.number, on_each_side=1, on_ends=1)}


def nearest(number: str | None, last: int) -> int:
    try:
        return min(max(int(number or 1), 1), last)
    except ValueError:
        return 1
