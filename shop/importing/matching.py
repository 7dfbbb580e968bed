"""Which product of the shop a row of the file is."""

import re
from collections import defaultdict

from django.db.models import Max, Prefetch, Q

from shop.importing.rows import FileRefused, Row
from shop.importing.staging import StagedRows
from shop.models import Product, ProductAuthor
from shop.search.folding import fold

INITIALS = re.compile(r"\b\w(?: \w\b)+")


class Matcher:
    """Knows a book by its ISBN where shop and file have one, else by title, authors and which of its namesakes it is.

    Works through the rows in the file's order. Of namesakes the first row is the oldest product, and so on.
    """

    def __init__(self, staged: StagedRows) -> None:
        self._staged = staged
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
        spoken_for = self._staged.isbns_among(product.isbn for product in found if product.isbn)
        for product in found:
            if product.isbn in isbns:
                by_isbn[product.isbn] = product
            elif product.isbn not in spoken_for:
                by_title[product.name].append(product)
        return by_isbn, by_title

    def _namesake(self, row: Row, namesakes: list[Product]) -> Product | None:
        """The oldest of the books of its title that it may be. Raises FileRefused where nobody can tell."""
        # Two different ISBNs are two different books.
        isbn = row.cells.get("isbn")
        possible = by_same_authors(row, [product for product in namesakes if not (product.isbn and isbn)])
        if not possible:
            return None
        claimed = self._claimed.setdefault(row.cells["name"], set()) if self._repeats(row) else set()
        for product in possible:
            if product.pk not in claimed:
                claimed.add(product.pk)
                return product
        return None

    def _repeats(self, row: Row) -> bool:
        return self._staged.has_namesakes(row.cells["name"])


def by_same_authors(row: Row, namesakes: list[Product]) -> list[Product]:
    """Those of the books of its title that a row may be, as far as authors tell.

    One of another author is another book. Where the row or the book names none, they may be the same; but of books by
    different authors a row without any could be each. Raises FileRefused then.
    """
    wanted = {author_key(name) for name in row.cells.get("authors") or ()}
    authors = {product.pk: authors_of(product) for product in namesakes}
    alike = [product for product in namesakes if authors[product.pk] == wanted]
    if alike:
        return alike
    if wanted:
        return [product for product in namesakes if not authors[product.pk]]
    if len(set(map(frozenset, authors.values()))) > 1:
        raise FileRefused(
            f"line {row.line}: the shop has books by different authors called “{row.cells['name']}”, and nothing was "
            "imported: add a column with authors or isbn that tells which one it is."
        )
    return namesakes


def authors_of(product: Product) -> set[str]:
    return {author_key(link.author.name) for link in product.author_links.all()}


def author_key(name: str) -> str:
    """What an author is known by, however the name is written: "H. G. Wells", "HG Wells", "Wells, H.G." """
    family, comma, given = name.partition(",")
    # In scripts that are not folded to anything the name itself is the key.
    words = fold(f"{given} {family}" if comma else name) or name.casefold()
    return INITIALS.sub(lambda initials: initials.group().replace(" ", ""), words)
