"""Which product of the shop a row of the file is."""

from collections import defaultdict

from django.db.models import Max, Prefetch, Q

from shop.importing.notebook import Notebook
from shop.importing.rows import Row
from shop.models import Product, ProductAuthor


class Matcher:
    """Knows a book by its ISBN where shop and file have one, else by its title and which of its namesakes it is.

    Works through the rows in the file's order. Of namesakes the first row is the oldest product, and so on.
    """

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        # What this import makes itself is no match for its later rows.
        self._newest = Product.objects.aggregate(newest=Max("pk"))["newest"] or 0
        self._claimed: dict[str, set[int]] = {}

    def match(self, rows: list[Row]) -> list[Product | None]:
        """The product of each row, None for a new one."""
        by_isbn, by_title = self._candidates(rows)
        return [by_isbn.get(row.cells.get("isbn")) or self._namesake(row, by_title[row.cells["name"]]) for row in rows]

    def _candidates(self, rows: list[Row]) -> tuple[dict[str | None, Product], dict[str, list[Product]]]:
        isbns = {row.cells.get("isbn") for row in rows} - {None, ""}
        titles = {row.cells["name"] for row in rows}
        products = (
            Product.objects.filter(Q(isbn__in=isbns) | Q(name__in=titles), pk__lte=self._newest)
            .select_related("series")
            .prefetch_related(
                "tags", Prefetch("author_links", ProductAuthor.objects.select_related("author")), "images"
            )
            .order_by("pk")
        )
        by_isbn: dict[str | None, Product] = {}
        by_title: dict[str, list[Product]] = defaultdict(list)
        found = list(products)
        # Another row of the file has those ISBNs: they are that row's, whatever their title.
        spoken_for = self._notebook.isbns_among(product.isbn for product in found if product.isbn)
        for product in found:
            if product.isbn in isbns:
                by_isbn[product.isbn] = product
            elif product.isbn not in spoken_for:
                by_title[product.name].append(product)
        return by_isbn, by_title

    def _namesake(self, row: Row, namesakes: list[Product]) -> Product | None:
        if not namesakes:
            return None
        claimed = self._claimed.setdefault(row.cells["name"], set()) if self._repeats(row) else set()
        for product in namesakes:
            # Two different ISBNs are two different books.
            if product.pk not in claimed and not (product.isbn and row.cells.get("isbn")):
                claimed.add(product.pk)
                return product
        return None

    def _repeats(self, row: Row) -> bool:
        return self._notebook.has_namesakes(row.cells["name"])
