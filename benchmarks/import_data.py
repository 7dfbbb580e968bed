"""How much longer `import_data` takes than a bare bulk_create of the same rows and tags.

    python -m tests.servers -- python -m benchmarks.import_data

Brings 10,000 books without pictures into a scratch database beside that of the settings, both ways in turn three
times, and prints the best time of each and their ratio. Exits with 1 where the ratio is above 3.
"""

import csv
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import benchmarks.django_ready  # isort: skip  # noqa: F401

from django.core.management import call_command
from django.db import connection, transaction

from benchmarks.measuring import BOOKS, scratch_database, write_catalogue
from shop.database.slugs import free_slugs
from shop.models import Product, ProductTag

RUNS, LIMIT = 3, 3.0


def bare_bulk_create(path: Path) -> None:
    """What any import has to do at least, and nothing else: no checks, no matching; one slug a row."""
    with path.open(encoding="utf-8", newline="") as file, transaction.atomic():
        rows = list(csv.DictReader(file))
        names = sorted({name for row in rows for name in row["tags"].split("|")})
        made = ProductTag.objects.bulk_create(
            ProductTag(name=name, slug=slug) for name, slug in zip(names, free_slugs(ProductTag, names), strict=True)
        )
        tags = {tag.name: tag for tag in made}
        products = [
            Product(
                name=row["name"],
                slug=f"book-{number}",
                description=row["description"],
                price=row["price"],
                sort_name=row["name"].lower()[:100],
                search_text=f"{row['name']}\n{row['tags']} {row['description']}".lower(),
            )
            for number, row in enumerate(rows)
        ]
        Product.objects.bulk_create(products, batch_size=1000)
        through = Product.tags.through
        through.objects.bulk_create(
            (
                through(product_id=product.pk, producttag_id=tags[name].pk)
                for product, row in zip(products, rows, strict=True)
                for name in row["tags"].split("|")
            ),
            batch_size=5000,
        )


def import_data(path: Path) -> None:
    with open(os.devnull, "w") as silence:
        call_command("import_data", str(path), str(path.parent), stdout=silence)


def timed(work: Callable[[Path], None], path: Path) -> float:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE shop_product, shop_producttag CASCADE")
    start = time.perf_counter()
    work(path)
    seconds = time.perf_counter() - start
    assert Product.objects.count() == BOOKS
    return seconds


def main() -> int:
    if connection.vendor != "postgresql":
        print("It needs PostgreSQL.")
        return 2
    with scratch_database(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "books.csv"
        write_catalogue(path)
        times = [(timed(bare_bulk_create, path), timed(import_data, path)) for _ in range(RUNS)]
    bare, imported = (min(column) for column in zip(*times, strict=True))
    ratio = imported / bare
    print(f"bare bulk_create  {bare:6.2f} s")
    print(f"import_data       {imported:6.2f} s")
    print(f"ratio             {ratio:6.2f}   (at most {LIMIT:g})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
