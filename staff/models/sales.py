"""What the reports read: sales added up by day.

Counting a million order lines takes seconds, so closed days are counted once. Triggers in the database
(`staff.sales_triggers`) note the moment of every order that is placed or changed, however it was changed, in
`SalesChange`; they only add rows, so that nobody waits for anybody at the till. Before a report reads, the days noted
are counted anew: the figures are always those of this moment.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, models, transaction
from django.db.models.functions import TruncDate
from django.utils import timezone

from shop.models import Order, OrderLine, Product


class DaySales(models.Model):
    """A day's orders, and what was charged for their lines that were not cancelled."""

    day = models.DateField(primary_key=True)
    orders = models.PositiveIntegerField()
    revenue = models.DecimalField(max_digits=12, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.day}: {self.orders} orders"


class ProductSales(models.Model):
    """How many of a product were bought on a day and not cancelled."""

    pk = models.CompositePrimaryKey("day", "product_id")
    day = models.DateField()
    # Figures follow the lines, which protect their product; a key of their own would only slow both down.
    product = models.ForeignKey(
        Product, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False, related_name="+"
    )
    quantity = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.quantity} of product {self.product_id}"


class SalesChange(models.Model):
    """An order of this moment was placed, changed or deleted; written by the triggers alone."""

    moment = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.moment}"


class SalesSummary(models.Model):
    """The one row that says for which time zone days are counted; refreshing holds its lock."""

    time_zone = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return f"Days in {self.time_zone}"

    @classmethod
    @transaction.atomic
    def refresh(cls) -> None:
        """Count anew the days that changed since the last time; all of them after the time zone changed."""
        cls.objects.get_or_create(pk=1)
        summary = cls.objects.select_for_update().get(pk=1)
        zone = timezone.get_current_timezone_name()
        if summary.time_zone != zone:
            SalesChange.objects.all().delete()
            count_days()
            cls.objects.filter(pk=1).update(time_zone=zone)
            return
        # Gone are exactly the rows seen here. A change committed after this leaves a row for the next time.
        noted = SalesChange.objects.raw("DELETE FROM staff_saleschange RETURNING id, moment")
        days = {timezone.localtime(change.moment).date() for change in noted}
        for first, last in runs(days):
            count_days(first, last)


def runs(days: set[date]) -> Iterator[tuple[date, date]]:
    """The first and last day of every unbroken row of days."""
    ordered = sorted(days)
    start = 0
    for place, day in enumerate(ordered):
        if place + 1 == len(ordered) or ordered[place + 1] - day > timedelta(days=1):
            yield ordered[start], day
            start = place + 1


def count_days(first: date | None = None, last: date | None = None) -> None:
    """Replace the figures of the days from `first` to `last`, or of all days."""
    orders, lines = Order.objects.order_by(), OrderLine.objects.order_by().exclude(status=OrderLine.CANCELLED)
    days, products = DaySales.objects.all(), ProductSales.objects.all()
    if first and last:
        period = (day_start(first), day_start(last + timedelta(days=1)))
        orders = orders.filter(date_added__gte=period[0], date_added__lt=period[1])
        lines = lines.filter(order__date_added__gte=period[0], order__date_added__lt=period[1])
        days, products = days.filter(day__range=(first, last)), products.filter(day__range=(first, last))
    charged = models.Sum("lines__price", filter=~models.Q(lines__status=OrderLine.CANCELLED), default=Decimal(0))
    days.delete()
    insert(
        DaySales,
        ("day", "orders", "revenue"),
        orders.values(day=TruncDate("date_added"))
        .annotate(orders=models.Count("pk", distinct=True), revenue=charged)
        .values_list("day", "orders", "revenue"),
    )
    products.delete()
    insert(
        ProductSales,
        ("day", "product_id", "quantity"),
        lines.values("product_id", day=TruncDate("order__date_added"))
        .annotate(quantity=models.Count("pk"))
        .values_list("day", "product_id", "quantity"),
    )


def insert(model: type[models.Model], columns: tuple[str, ...], rows: Any) -> None:
    """Write the rows that a query finds without bringing them here first."""
    sql, params = rows.query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) {sql}", params)  # noqa: S608


def day_start(day: date) -> datetime:
    """Midnight in the site's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
