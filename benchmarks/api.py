"""How the dispatch API's pages of 100 lines compare when 100,000 lines are paid: the first, the middle, the last.

    python -m benchmarks.api

In a database of its own beside the one of the settings (PostgreSQL with SECRET_KEY and DATABASE_URL, else SQLite),
made and removed again. Prints medians and the ratio to the first page; exits 1 where last to first is above 1.5.
"""

import logging
import os
import statistics
import sys
import time

import django

LINES = 100_000
LINES_IN_ORDER = 4
REQUESTS = 40
MOST_RATIO = 1.5


def fill() -> str:
    """Make the lines, and an account; its token."""
    from django.db import connection
    from rest_framework.authtoken.models import Token

    from shop.models import Order, OrderLine, Product, User

    owner = User.objects.create_superuser("owner@example.com")
    books = [Product.objects.create(name=f"Book {n}", price=10) for n in range(100)]
    # Paid orders among those that are not: a third each new, paid and done.
    statuses = [Order.PAID, Order.NEW, Order.DONE]
    orders = Order.objects.bulk_create(
        (Order(user=owner, status=statuses[n % 3]) for n in range(3 * LINES // LINES_IN_ORDER)), batch_size=5000
    )
    OrderLine.objects.bulk_create(
        (
            OrderLine(order=order, product=books[(order.pk + n) % 100], price=10)
            for order in orders
            for n in range(LINES_IN_ORDER)
        ),
        batch_size=5000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return Token.objects.create(user=owner).key


def median_ms(paths: dict[str, str], token: str) -> dict[str, float]:
    """The median time of each path's answer, asked for in turn so that a slow moment meets all alike."""
    from django.test import Client

    client = Client(headers={"Authorization": f"Token {token}"})
    times: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(REQUESTS):
        for name, path in paths.items():
            start = time.perf_counter()
            answer = client.get(path)
            times[name].append((time.perf_counter() - start) * 1000)
            assert answer.status_code == 200 and len(answer.json()["results"]) == 100, answer.content
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booktime.settings")
    django.setup()
    logging.disable(logging.INFO)
    from django.conf import settings
    from django.db import connection

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    name = settings.DATABASES["default"]["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        token, last = fill(), LINES // 100
        pages = {"first": 1, "middle": last // 2, "last but one": last - 1, "last": last}
        paths = {label: f"/api/orderlines/?page={page}" for label, page in pages.items()}
        medians = median_ms(paths, token)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    for label, taken in medians.items():
        print(f"{label:>12}: {taken:6.1f} ms, {taken / medians['first']:.2f} times the first")
    return int(medians["last"] / medians["first"] > MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
