"""How the dispatch API's pages of 100 lines compare when 100,000 lines are paid: the first, the middle, the last.

    [python -m tests.servers --] python -m benchmarks.api

In a scratch database beside the one of the settings: of a private PostgreSQL with `tests.servers`, else of SQLite.
Prints medians and the ratio to the first page; exits 1 where last to first is above 1.5.
"""

import logging
import sys
import time
from functools import partial

import benchmarks.django_ready  # isort: skip  # noqa: F401

from django.conf import settings
from django.db import connection
from django.test import Client
from rest_framework.authtoken.models import Token

from benchmarks.measuring import in_turns, scratch_database
from shop.models import Order, OrderLine, Product, User

LINES = 100_000
LINES_IN_ORDER = 4
REQUESTS = 40
MOST_RATIO = 1.5


def fill() -> str:
    """Make the lines, and an account; its token."""
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


def milliseconds(client: Client, path: str) -> float:
    start = time.perf_counter()
    answer = client.get(path)
    taken = (time.perf_counter() - start) * 1000
    assert answer.status_code == 200 and len(answer.json()["results"]) == 100, answer.content
    return taken


def main() -> int:
    logging.disable(logging.INFO)
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    last = LINES // 100
    pages = {"first": 1, "middle": last // 2, "last but one": last - 1, "last": last}
    with scratch_database():
        client = Client(headers={"Authorization": f"Token {fill()}"})
        asked = {label: partial(milliseconds, client, f"/api/orderlines/?page={page}") for label, page in pages.items()}
        found = in_turns(asked, REQUESTS)
    for label, (taken, ratio) in found.items():
        print(f"{label:>12}: {taken:6.1f} ms, {ratio:.2f} times the first")
    return int(found["last"][1] > MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
