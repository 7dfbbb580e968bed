"""How much longer `import_data` takes than a bare bulk_create of the same rows and tags.

    DATABASE_URL=postgres://user@host/name SECRET_KEY=any-long-text python benchmarks/import_data.py

Makes 10,000 books without pictures, a scratch database beside the one that DATABASE_URL names, runs both in turn three
times, prints the best time of each and their ratio, and removes everything. Exits with 1 where the ratio is above 3.
"""

# ruff: noqa: E402  # Django has to be set up before models are imported
import csv
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booktime.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import setup_databases, teardown_databases

from shop.database.slugs import free_slugs
from shop.models import Product, ProductTag

ROWS, RUNS, LIMIT = 10_000, 3, 3.0
WORDS = (  # noqa: SIM905
    "silver orchard winter letter garden river stranger history shadow kingdom morning island summer secret daughter "
    "captain mirror harbour paper glass empire voyage season café niño naïve thunder quiet forest painter"
).split()


def write_books(path: Path) -> None:
    """Books as a real catalogue has them: titles, a paragraph of description, one to five of 52 tags."""
    dice = random.Random(1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "description", "tags", "image_filename", "price"])
        for number in range(ROWS):
            title = " ".join(dice.choices(WORDS, k=dice.randint(2, 7))).title()
            description = " ".join(dice.choices(WORDS, k=30)) + "."
            tags = "|".join(f"Tag {tag}" for tag in dice.sample(range(52), dice.randint(1, 5)))
            writer.writerow([f"{title} {number}", description, tags, "", f"{dice.randint(300, 6000) / 100:.2f}"])


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
    assert Product.objects.count() == ROWS
    return seconds


def main() -> int:
    if connection.vendor != "postgresql":
        print("Set DATABASE_URL to a PostgreSQL database and SECRET_KEY to anything.")
        return 2
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "books.csv"
            write_books(path)
            times = [(timed(bare_bulk_create, path), timed(import_data, path)) for _ in range(RUNS)]
    finally:
        teardown_databases(databases, verbosity=0)
    bare, imported = (min(column) for column in zip(*times, strict=True))
    ratio = imported / bare
    print(f"bare bulk_create  {bare:6.2f} s")
    print(f"import_data       {imported:6.2f} s")
    print(f"ratio             {ratio:6.2f}   (at most {LIMIT:g})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
