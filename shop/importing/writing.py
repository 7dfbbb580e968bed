"""Puts a batch of rows into the shop: new products, and what the file says differently about those it has."""

from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.db.models import QuerySet

from shop.importing.matching import Matcher
from shop.importing.names import named
from shop.importing.pictures import PictureFolder
from shop.importing.rows import Row
from shop.models import Author, Product, ProductAuthor, ProductImage, ProductTag, Series

# Columns that are fields of a product; the other columns are relations.
FIELDS = (
    "name",
    "description",
    "price",
    "isbn",
    "publisher",
    "published",
    "language",
    "format",
    "pages",
    "series_number",
)
TaggedProduct = Product.tags.through


@dataclass
class Tally:
    """What an import did, or would do; `changes` tells the first few in words."""

    MOST_CHANGES = 20

    products: int = 0
    created: int = 0
    updated: int = 0
    tags: int = 0
    tags_created: int = 0
    images: int = 0
    changes: list[str] = field(default_factory=list)

    def tell(self, change: str) -> None:
        if len(self.changes) < self.MOST_CHANGES:
            self.changes.append(change)


@dataclass
class Match:
    """A row, its product, and the columns in which the two differ."""

    row: Row
    product: Product
    differences: list[str]

    @property
    def picture(self) -> str | None:
        return self.row.cells.get("picture")


class Writer:
    """Writes batches; needs a transaction around all of them."""

    def __init__(
        self, columns: tuple[str, ...], matcher: Matcher, pictures: PictureFolder, dry_run: bool = False
    ) -> None:
        self._matcher, self._pictures, self._dry_run = matcher, pictures, dry_run
        self._fields = [name for name in FIELDS if name in columns]
        self.tally = Tally()

    def write(self, rows: list[Row]) -> None:
        new, changed = [], []
        for row, product in zip(rows, self._matcher.match(rows), strict=True):
            self._count(row)
            if product is None:
                product = Product(**{name: row.cells[name] for name in self._fields})
                new.append(Match(row, product, list(row.cells)))
                self.tally.tell(f"line {row.line}: “{product.name}” is new")
            elif match := self._compare(row, product):
                changed.append(match)
                self.tally.tell(f"line {row.line}: “{product.name}” gets another {', '.join(match.differences)}")
        self.tally.created += len(new)
        self.tally.updated += len(changed)
        self._relate(new, changed)
        self._store(new, changed)
        self._pictures.end_batch()

    def _count(self, row: Row) -> None:
        self.tally.products += 1
        self.tally.tags += len(row.cells["tags"])
        self.tally.images += bool(row.cells.get("picture"))

    def _compare(self, row: Row, product: Product) -> Match | None:
        """The product with the file's fields, if anything differs; an empty ISBN or picture says nothing."""
        differences = []
        for name in self._fields:
            cell = row.cells[name]
            if getattr(product, name) != cell and not (name == "isbn" and not cell):
                setattr(product, name, cell)
                differences.append(name)
        relations: dict[str, Any] = {
            "tags": sorted(tag.name.casefold() for tag in product.tags.all()),
            "authors": [link.author.name.casefold() for link in product.author_links.all()],
            "series": product.series.name.casefold() if product.series else "",
        }
        wanted = {
            "tags": sorted(name.casefold() for name in row.cells["tags"]),
            "authors": [name.casefold() for name in row.cells.get("authors", ())],
            "series": row.cells.get("series", "").casefold(),
        }
        differences += [name for name in relations if name in row.cells and relations[name] != wanted[name]]
        picture = row.cells.get("picture")
        if picture and not any(picture in (image.image.name or "") for image in product.images.all()):
            differences.append("picture")
        return Match(row, product, differences) if differences else None

    def _relate(self, new: list[Match], changed: list[Match]) -> None:
        """Find or make tags, authors and series, and derive what a product keeps of their names."""
        matches = [*new, *changed]
        cells = [match.row.cells for match in matches]
        self._tags, made = named(ProductTag, chain.from_iterable(each["tags"] for each in cells))
        self.tally.tags_created += made
        self._authors, _ = named(Author, chain.from_iterable(each.get("authors", ()) for each in cells))
        series, _ = named(Series, filter(None, (each.get("series") for each in cells)))
        for match in matches:
            row, product = match.row.cells, match.product
            if "series" in match.differences:
                product.series = series[row["series"].casefold()] if row["series"] else None
            authors = (
                [self._authors[name.casefold()].name for name in row["authors"]]
                if "authors" in row
                else [link.author.name for link in product.author_links.all()]
                if product.pk
                else []
            )
            product.derive(authors, [self._tags[name.casefold()].name for name in row["tags"]])

    def _store(self, new: list[Match], changed: list[Match]) -> None:
        Product.objects.bulk_create(match.product for match in new)
        if changed:
            # One INSERT … ON CONFLICT is much faster than bulk_update's CASE … WHEN for each field.
            Product.objects.bulk_create(
                (match.product for match in changed),
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=[*self._fields, "series", "date_updated", *Product.DERIVED],
            )
        self._store_tags(new, changed)
        self._store_authors(new, changed)
        self._store_pictures(new, changed)

    def _store_tags(self, new: list[Match], changed: list[Match]) -> None:
        retagged = [match for match in changed if "tags" in match.differences]
        TaggedProduct.objects.filter(product__in=[match.product.pk for match in retagged]).delete()
        TaggedProduct.objects.bulk_create(
            TaggedProduct(product_id=match.product.pk, producttag_id=self._tags[name.casefold()].pk)
            for match in [*new, *retagged]
            for name in match.row.cells["tags"]
        )

    def _store_authors(self, new: list[Match], changed: list[Match]) -> None:
        rewritten = [match for match in changed if "authors" in match.differences]
        links = ProductAuthor.objects.filter(product__in=[match.product.pk for match in rewritten])
        # Past the model's own ways: what they refresh is derived already.
        links._raw_delete(links.db)
        QuerySet[ProductAuthor](ProductAuthor).bulk_create(
            ProductAuthor(product_id=match.product.pk, author_id=self._authors[name.casefold()].pk, position=position)
            for match in [*new, *rewritten]
            for position, name in enumerate(match.row.cells.get("authors", ()))
        )

    def _store_pictures(self, new: list[Match], changed: list[Match]) -> None:
        """A new product's first picture, and the file's picture in place of an old product's first."""
        if self._dry_run:
            return
        added = []
        old = {match.product.pk for match in changed}
        for match in [*new, *(match for match in changed if "picture" in match.differences)]:
            if not match.picture:
                continue
            shown = match.product.images.all() if match.product.pk in old else ()
            first = next(iter(shown), None)
            image = first or ProductImage(product_id=match.product.pk)
            self._pictures.show(image, match.picture, match.row.cells["image_filename"])
            if first is None:
                added.append(image)
            else:
                image.save()
        ProductImage.objects.bulk_create(added)
