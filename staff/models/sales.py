"""What the reports read: sales added up.

Counting a million order lines takes seconds, so the days that are over are counted once, and today alone is counted
when somebody asks. Triggers in the database (`staff.reports.sales_triggers`) note the moment of every order that is
placed or whose figures change, however they change, in `SalesChange`; they only add rows, so that nobody waits for
anybody at the till. Before a report reads, the past days noted are counted anew: the figures are always those of this
moment.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.db import connection, models, transaction
from django.db.models.functions import TruncDate
from django.utils import timezone

from shop.database.compiled_queries import CompiledQuery, Placeholder
from shop.models import Order, OrderLine, Product


def day_start(day: date) -> datetime:
    """Midnight in the site's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def basis() -> str:
    """What sums are counted by, which stands with them: a new time zone, or definition of a figure, counts all anew."""
    return f"{timezone.get_current_timezone_name()}, paid orders"


def moment_of(day: date) -> Any:
    """Midnight as a parameter of SQL."""
    return connection.ops.adapt_datetimefield_value(day_start(day))


def day_of(day: date) -> Any:
    """The day as a parameter of SQL."""
    return connection.ops.adapt_datefield_value(day)


def orders_from(first: date | None, end: date) -> models.Q:
    """The orders placed from the day `first`, or ever, until before the day `end`."""
    placed = models.Q(date_added__lt=day_start(end))
    return placed & models.Q(date_added__gte=day_start(first)) if first else placed


def lines_from(first: date, end: date) -> models.Q:
    """Their lines, but for the cancelled."""
    placed = models.Q(order__date_added__gte=day_start(first), order__date_added__lt=day_start(end))
    return placed & ~models.Q(status=OrderLine.CANCELLED)


# What was bought today, each with what was of it before, and the leaders before that were not bought today: whoever
# is neither cannot be among the first. In one statement, since for a few rows asking took longer than finding.
MOST_BOUGHT = """
WITH today AS (
    SELECT line.product_id, COUNT(*) AS quantity
    FROM shop_order AS placed JOIN shop_orderline AS line ON line.order_id = placed.id
    WHERE placed.date_added >= %(start)s AND placed.date_added < %(end)s AND line.status <> %(cancelled)s
    GROUP BY line.product_id
), bought AS (
    SELECT today.product_id, today.quantity + COALESCE(earlier.quantity, 0) AS quantity
    FROM today LEFT JOIN staff_productsales AS earlier
        ON earlier.period = %(period)s AND earlier.product_id = today.product_id
    UNION ALL
    SELECT product_id, quantity FROM (
        SELECT product_id, quantity FROM staff_productsales
        WHERE period = %(period)s AND product_id NOT IN (SELECT product_id FROM today)
        ORDER BY quantity DESC, product_id LIMIT %(most)s
    ) AS leaders
)
SELECT product.name, bought.quantity FROM bought JOIN shop_product AS product ON product.id = bought.product_id
ORDER BY bought.quantity DESC, bought.product_id LIMIT %(most)s
"""


class DaySales(models.Model):
    """The orders placed on a day that is over, and the revenue of these orders.

    Revenue, wherever the shop speaks of it, is what was charged for the lines of paid orders, but for the cancelled.
    """

    FIGURES: ClassVar[dict[str, Any]] = {
        "orders": models.Count("pk", distinct=True),
        "revenue": models.Sum(
            "lines__price",
            filter=models.Q(status__in=Order.PAID_FOR) & ~models.Q(lines__status=OrderLine.CANCELLED),
            default=Decimal("0.00"),
        ),
    }

    day = models.DateField(primary_key=True)
    orders = models.PositiveIntegerField()
    revenue = models.DecimalField(max_digits=12, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.day}: {self.orders} orders"

    @classmethod
    def counted(cls, first: date | None, end: date) -> Any:
        """The figures as the orders have them now: (day, orders, revenue)."""
        placed: Any = Order.objects.order_by().filter(orders_from(first, end)).values(day=TruncDate("date_added"))
        return placed.annotate(**cls.FIGURES).values_list("day", "orders", "revenue")

    @classmethod
    def count(cls, first: date | None, end: date) -> None:
        """Replace the figures of the days from `first`, or all there ever were, until before `end`."""
        cls.objects.filter(**{"day__gte": first, "day__lt": end} if first else {}).delete()
        insert(cls, cls.counted(first, end), "day", "orders", "revenue")


class ProductSales(models.Model):
    """How many of a product were bought, and not cancelled, in the last `period` days; today is not in it."""

    PERIODS = (30, 60, 90)

    pk = models.CompositePrimaryKey("period", "product_id")
    period = models.PositiveSmallIntegerField()
    # Figures follow the lines, which protect their product; a constraint would only slow both down.
    product = models.ForeignKey(
        Product, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False, related_name="+"
    )
    quantity = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index("period", models.F("quantity").desc(), "product", name="most_bought_first")]

    def __str__(self) -> str:
        return f"{self.quantity} of product {self.product_id} in {self.period} days"

    @classmethod
    def counted(cls, period: int, today: date) -> Any:
        """The figures as the lines have them now: (period, product's id, quantity)."""
        lines = OrderLine.objects.order_by().filter(lines_from(today - timedelta(days=period - 1), today))
        counted = lines.values("product_id", period=models.Value(period)).annotate(quantity=models.Count("pk"))
        return counted.values_list("period", "product_id", "quantity")

    @classmethod
    def most_bought(cls, period: int, today: date, most: int) -> list[tuple[str, int]]:
        """Name and number of the `most` products bought most in the `period` days that end with `today`."""
        days = {"start": moment_of(today), "end": moment_of(today + timedelta(days=1))}
        with connection.cursor() as cursor:
            cursor.execute(MOST_BOUGHT, {**days, "period": period, "most": most, "cancelled": OrderLine.CANCELLED})
            return cursor.fetchall()

    @classmethod
    def count(cls, today: date) -> None:
        """Replace the figures of all periods that end with the day before `today`."""
        cls.objects.all().delete()
        for period in cls.PERIODS:
            insert(cls, cls.counted(period, today), "period", "product_id", "quantity")


class SalesChange(models.Model):
    """An order of this moment was placed, or its figures changed; written by the triggers alone."""

    moment = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.moment}"


class SalesSummary(models.Model):
    """The one row that says until which day sales are counted, and by what; counting holds its lock."""

    # More than the zone: what `basis()` says.
    time_zone = models.CharField(max_length=60, blank=True)
    day = models.DateField(null=True)

    def __str__(self) -> str:
        return f"Until {self.day} by {self.time_zone}"

    @classmethod
    def refresh(cls) -> None:
        """Count the past days whose figures changed since the last time; all of them after `basis()` changed."""
        today, zone = timezone.localdate(), basis()
        if list(UP_TO_DATE.rows(start=moment_of(today), zone=zone, today=day_of(today))):
            return
        noted = SalesChange.objects.filter(moment__lt=day_start(today))
        with transaction.atomic():
            cls.objects.get_or_create(pk=1)
            summary = cls.objects.select_for_update().get(pk=1)
            if summary.time_zone != zone:
                noted.delete()
                DaySales.count(None, today)
            else:
                for first, end in runs(take_notes(today)):
                    DaySales.count(first, end)
            ProductSales.count(today)
            cls.objects.filter(pk=1).update(time_zone=zone, day=today)


def up_to_date() -> "models.QuerySet[SalesSummary, Any]":
    noted = SalesChange.objects.filter(moment__lt=Placeholder("start"))
    counted = SalesSummary.objects.filter(
        ~models.Exists(noted), time_zone=Placeholder("zone"), day=Placeholder("today")
    )
    return counted.values_list("pk")


UP_TO_DATE = CompiledQuery(up_to_date)


def take_notes(today: date) -> set[date]:
    """The past days that are noted, whose notes go.

    Gone are exactly the notes seen here: a change that is committed after this leaves one for the next time.
    """
    notes = SalesChange.objects.raw(
        "DELETE FROM staff_saleschange WHERE moment < %s RETURNING id, moment",
        [connection.ops.adapt_datetimefield_value(day_start(today))],
    )
    return {timezone.localtime(note.moment).date() for note in notes}


def runs(days: set[date]) -> Iterator[tuple[date, date]]:
    """Every unbroken row of days: its first, and the day after its last."""
    ordered = sorted(days)
    start = 0
    for place, day in enumerate(ordered, start=1):
        after = day + timedelta(days=1)
        if place == len(ordered) or ordered[place] != after:
            yield ordered[start], after
            start = place


def insert(model: type[models.Model], rows: Any, *columns: str) -> None:
    """Write the rows that a query finds without bringing them here first."""
    sql, params = rows.query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) {sql}", params)
