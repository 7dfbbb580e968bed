"""A long row of books, shown page by page as cards."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from django.core.paginator import Page, Paginator

from shop.browsing.cards import Card, Cards
from shop.database.compiled_queries import CompiledQuery, Placeholder
from shop.models import Product, ProductTag, Series
from shop.models.product import ProductQuerySet
from shop.models.taxonomy import address_around

BOOKS_A_PAGE = 24


class Subject(NamedTuple):
    """A tag that books are found by."""

    pk: int
    name: str
    slug: str
    description: str

    def get_absolute_url(self) -> str:
        before, after = address_around(ProductTag.detail_view)
        return f"{before}{self.slug}{after}"


# The books of a list. Its arguments say which kind of list it is; what is looked for are placeholders
# (`shop.database.compiled_queries`).
Books = Callable[..., ProductQuerySet]

_cards = CompiledQuery(lambda books, shape, start, stop: books(*shape).cards(start, stop).values_list(*Cards.COLUMNS))
_numbers = CompiledQuery(lambda books, shape: books(*shape).order_by().values_list("pk"))


def cards(books: Books, *shape: Any, start: int = 0, stop: int, **values: Any) -> Cards:
    """The cards of `books(*shape)` from `start` to `stop`, `values` for its placeholders: one query."""
    return Cards.of(_cards.rows(books, shape, start, stop, **values))


_FIELDS = [field.attname for field in Product._meta.concrete_fields if field.name not in {"search_text", "sort_name"}]
_FOUND = ["author_list", "tag_list", "picture_list", "has_companions"]
_SERIES = ["series__name", "series__slug"]
_product = CompiledQuery(
    lambda: (
        Product.objects.active()
        .filter(slug=Placeholder("slug"))
        .order_by()
        .for_page()
        .values_list(*_FIELDS, *_FOUND, *_SERIES)
    )
)


def product_shown(slug: str) -> Product | None:
    """The active product with that slug and all that its page shows (`ProductQuerySet.for_page`): one query."""
    row = next(iter(_product.rows(slug=slug)), None)
    if row is None:
        return None
    values = dict(zip([*_FIELDS, *_FOUND, *_SERIES], row, strict=True))
    series = {name.removeprefix("series__"): values.pop(name) for name in _SERIES}
    found = {name: values.pop(name) for name in _FOUND}
    product = Product(**values)
    vars(product).update(found)
    product.series = Series(pk=product.series_id, **series) if product.series_id else None
    return product


_left = CompiledQuery(lambda: Product.objects.filter(pk=Placeholder("pk")).order_by().values_list("stock"))


def copies_left(pk: int) -> int | None:
    """How many copies of a book are left now, or None where nobody counts: one query."""
    return next((stock for (stock,) in _left.rows(pk=pk)), None)


class BookPaginator(Paginator[Card]):
    """The pages of `books(*shape)`, 24 cards each, `values` for its placeholders; without `books` none."""

    def __init__(self, books: Books | None, *shape: Any, **values: Any) -> None:
        super().__init__((), BOOKS_A_PAGE)
        self.books, self.shape, self.values = books, shape, values

    def page(self, number: int | str) -> Page[Card]:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        stop = start + self.per_page
        found = cards(self.books, *self.shape, start=start, stop=stop, **self.values) if self.books else Cards()
        return Page(found, number, self)

    @cached_property
    def count(self) -> int:
        return _numbers.count(self.books, self.shape, **self.values) if self.books else 0

    def shown(self, number: str | None) -> dict[str, Any]:
        """What a template needs for one page: `page` and, for the pager, `pages`.

        A number that is none, or out of range, gives the nearest page.
        """
        page = self.page(nearest(number, self.num_pages))
        return {"page": page, "pages": list(self.get_elided_page_range(page.number, on_each_side=1, on_ends=1))}


def nearest(number: str | None, last: int) -> int:
    """The whole number from 1 to `last` that what a visitor wrote comes closest to."""
    try:
        return min(max(int(number or 1), 1), last)
    except ValueError:
        return 1
