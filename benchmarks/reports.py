"""How much faster the reports answer than the queries that they would be without the daily figures.

    python -m tests.servers -- python -m benchmarks.reports

Makes 1,000,000 order lines of three years in a scratch database beside that of the settings. Each report is asked for
as an employee would: with an order placed since the last time, so that today is counted anew. Prints the best of ten
runs of the plain query and of the report, and their ratio. Exits with 1 where a ratio is below 10.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import benchmarks.django_ready  # isort: skip  # noqa: F401

from django.db import connection
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from benchmarks.measuring import scratch_database
from shop.models import Order, OrderLine, Product, User
from staff.models import SalesSummary
from staff.reports import views

PRODUCTS, ORDERS, LINES, DAYS, RUNS, LIMIT = 10_000, 333_334, 1_000_000, 1095, 10, 10.0

# A few books are bought by many: the square of an even number.
FILL = f"""
INSERT INTO shop_product (name, slug, description, price, active, in_stock, date_added, date_updated, publisher,
                          language, format, authors_text, series_text, sort_name, search_text)
SELECT 'Book ' || n, 'book-' || n, '', 5 + n %% 40, true, true, now(), now(), '', '', '', '', '', 'book ' || n, ''
FROM generate_series(1, {PRODUCTS}) AS n;
INSERT INTO shop_order (user_id, status, date_added, date_updated,
                        billing_name, billing_address1, billing_address2, billing_zip_code, billing_city,
                        billing_country, shipping_name, shipping_address1, shipping_address2, shipping_zip_code,
                        shipping_city, shipping_country)
SELECT %s, 30, moment, moment, 'Jane Eyre', '1 Thornfield Road', '', 'LS1 4AP', 'Leeds', 'uk',
       'Jane Eyre', '1 Thornfield Road', '', 'LS1 4AP', 'Leeds', 'uk'
FROM (SELECT now() - interval '{DAYS} days' * (1 - n / {ORDERS}.0) AS moment
      FROM generate_series(1, {ORDERS}) AS n) AS moments;
INSERT INTO shop_orderline (order_id, product_id, price, status, date_updated, carrier, tracking_number)
SELECT orders.first + n / 3, products.first + floor({PRODUCTS} * random() ^ 2)::bigint, 9.99, 30, now(), '', ''
FROM generate_series(0, {LINES - 1}) AS n,
     (SELECT min(id) AS first FROM shop_order) AS orders, (SELECT min(id) AS first FROM shop_product) AS products;
"""  # noqa: S608


def fill() -> None:
    shopper = User.objects.create_user("shopper@example.com")
    with connection.cursor() as cursor:
        # Nobody waits for them here; the first report counts all days anyway.
        for table in ("shop_order", "shop_orderline"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(FILL, [shopper.pk])
        for table in ("shop_order", "shop_orderline"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")


def place_order() -> None:
    last = Order.objects.latest("pk")
    last.pk, last._state.adding, last.status = None, True, Order.PAID
    last.save()
    OrderLine(order=last, product=Product.objects.order_by("?")[0]).save()


def since(days: int) -> Any:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)


def plain_orders() -> list[Any]:
    orders = Order.objects.order_by().filter(date_added__gte=since(views.DAYS))
    return list(orders.values(day=TruncDate("date_added")).annotate(number=Count("pk")))


def plain_revenue() -> list[Any]:
    lines = OrderLine.objects.order_by().filter(order__date_added__gte=since(views.DAYS))
    lines = lines.exclude(status=OrderLine.CANCELLED)
    return list(lines.values(day=TruncDate("order__date_added")).annotate(number=Sum("price")))


def plain_most_bought(days: int) -> list[Any]:
    lines = OrderLine.objects.order_by().filter(order__date_added__gte=since(days)).exclude(status=OrderLine.CANCELLED)
    counted = lines.values("product_id", "product__name").annotate(number=Count("pk"))
    return list(counted.order_by("-number", "product_id")[: views.MOST_BOOKS])


def best(work: Callable[[], object]) -> float:
    """Milliseconds of the fastest of a few runs, an order placed before each."""
    times = []
    for _ in range(RUNS):
        place_order()
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return min(times)


def compare() -> bool:
    """Print a line for each report; whether all of them are fast enough."""
    pairs: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        ("orders per day", plain_orders, lambda: views.per_day("orders")),
        ("revenue per day", plain_revenue, lambda: views.per_day("revenue")),
    ]
    for days in (30, 60, 90):
        pairs.append(
            (f"most bought, {days} days", lambda n=days: plain_most_bought(n), lambda n=days: views.most_bought(n))
        )
    fast = True
    for name, plain, report in pairs:
        slow, quick = best(plain), best(report)
        print(f"{name:22} plain {slow:8.1f} ms   report {quick:7.1f} ms   ratio {slow / quick:6.1f}")
        fast = fast and slow / quick >= LIMIT
    return fast


def main() -> None:
    if connection.vendor != "postgresql":
        sys.exit("It needs PostgreSQL.")
    with scratch_database():
        fill()
        started = time.perf_counter()
        SalesSummary.refresh()
        print(f"{OrderLine.objects.count():,} lines; all days counted in {time.perf_counter() - started:.1f} s")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        fast = compare()
    sys.exit(0 if fast else 1)


if __name__ == "__main__":
    main()
