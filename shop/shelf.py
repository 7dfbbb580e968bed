"""A shelf: a long row of books, shown page by page."""

from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.core.paginator import Page, Paginator

from shop.models import Product
from shop.models.catalogue import ProductQuerySet

BOOKS_A_PAGE = 24
# To count thousands of books takes longer than all else of their page, and one more or less is not missed for a minute.
MANY = 1000
REMEMBERED_FOR = 60


class Shelf(Paginator[Product]):
    """The pages of `books`, 24 cards each; the number of many books is remembered under `name`, if it has one."""

    object_list: ProductQuerySet

    def __init__(self, books: ProductQuerySet, name: str = "") -> None:
        super().__init__(books, BOOKS_A_PAGE)
        self.name = name

    def page(self, number: int | str) -> Page[Product]:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        return Page(self.object_list.cards(start, start + self.per_page), number, self)

    @cached_property
    def count(self) -> int:
        key = f"shelf-count-{self.name}"
        count = cache.get(key) if self.name else None
        if count is None:
            count = self.object_list.count()
            if self.name and count > MANY:
                cache.set(key, count, REMEMBERED_FOR)
        return count


def shelf_page(books: ProductQuerySet, number: str | None, name: str = "") -> dict[str, Any]:
    """What a template needs for one page of `books`: `page` and, for the pager, `pages`.

    A number that is none, or out of range, gives the nearest page. For `name` see `Shelf`.
    """
    shelf = Shelf(books, name)
    page = shelf.page(nearest(number, shelf.num_pages))
    return {"page": page, "pages": shelf.get_elided_page_range(page.number, on_each_side=1, on_ends=1)}


def nearest(number: str | None, last: int) -> int:
    """The whole number from 1 to `last` that what a visitor wrote comes closest to."""
    try:
        return min(max(int(number or 1), 1), last)
    except ValueError:
        return 1
