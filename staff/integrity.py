"""What must hold of the shop's data, whoever wrote it: `manage.py integrity` asks.

The models' verbs and the database's constraints see to it; a backup half restored, a statement by hand or a bug of
ours may not. A rule gives a sentence, with ids, for each thing that breaks it. Rules ask queries that find only what
is wrong, and read as streams, so that they may be asked of a large shop while it is open.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Count
from django.utils import timezone

from shop.models import Basket, BasketLine, Order, OrderLine, Product, ProductImage
from staff.models.sales import DaySales, ProductSales, SalesChange, SalesSummary, basis, day_start

Rule = Callable[[], Iterator[str]]


def broken(rule: Rule) -> list[str]:
    """What breaks a rule now: found twice, so that a change made in the middle of a look is not taken for a fault."""
    found = list(rule())
    still = set(rule()) if found else set()
    return [sentence for sentence in found if sentence in still]


def prices() -> Iterator[str]:
    """The price charged for every line is an amount, so that an order's total is the sum of its lines."""
    wrong = OrderLine.objects.exclude(price__gte=0).order_by("pk")
    for pk, order, price in wrong.values_list("pk", "order_id", "price").iterator():
        yield f"Order {order}: the price of its line {pk} is {price}."


def done_orders() -> Iterator[str]:
    """An order is done once all its lines are sent or cancelled."""
    for order, lines in by_order(OrderLine.objects.open().filter(order__status=Order.DONE)):
        yield f"Order {order} is done with open {lines}."


def paid_orders() -> Iterator[str]:
    """A paid order has something left to send."""
    for pk in Order.objects.paid().closed().order_by("pk").values_list("pk", flat=True).iterator():
        yield f"Order {pk} is paid and all its lines are sent or cancelled, but it is not done."


def cancelled_orders() -> Iterator[str]:
    """Nothing of a cancelled order is sent."""
    kept = OrderLine.objects.filter(order__date_cancelled__isnull=False).exclude(status=OrderLine.CANCELLED)
    for order, lines in by_order(kept):
        yield f"Order {order} is cancelled, but for its {lines}."


def by_order(lines: Any) -> Iterator[tuple[int, str]]:
    """Each order of the lines, and the lines in words: (7, "lines 12, 13")."""
    for order, pks in grouped(lines.order_by("order_id", "pk").values_list("order_id", "pk")):
        yield order, f"line{'s' if len(pks) > 1 else ''} {', '.join(map(str, pks))}"


def grouped(pairs: Any) -> Iterator[tuple[int, list[int]]]:
    """What belongs to each key of sorted (key, value): (7, [12, 13])."""
    for key, found in groupby(pairs.iterator(), key=itemgetter(0)):
        yield key, [value for _, value in found]


def open_baskets() -> Iterator[str]:
    """A user has one open basket at most."""
    owners = Basket.objects.open().exclude(user=None).values("user").annotate(baskets=Count("pk")).filter(baskets__gt=1)
    baskets = Basket.objects.open().filter(user__in=owners.values("user")).order_by("user_id", "pk")
    for user, pks in grouped(baskets.values_list("user_id", "pk")):
        yield f"User {user} has more than one open basket: {', '.join(map(str, pks))}."


def ordered_baskets() -> Iterator[str]:
    """A basket that made an order is closed."""
    ordered = Basket.objects.open().filter(order__isnull=False).order_by("pk")
    for pk, order in ordered.values_list("pk", "order").iterator():
        yield f"Basket {pk} made order {order}, but is open."


def quantities() -> Iterator[str]:
    """There are 1 to 99 of a book in a basket."""
    wrong = BasketLine.objects.exclude(quantity__range=(1, BasketLine.MOST)).order_by("pk")
    for pk, basket, quantity in wrong.values_list("pk", "basket_id", "quantity").iterator():
        yield f"Basket {basket}: the quantity of its line {pk} is {quantity}."


def pictures() -> Iterator[str]:
    """Every picture has its files, thumbnails too, in storage."""
    files_in = cache(list_files)
    for picture in ProductImage.objects.order_by("pk").only("product", "image", "thumbnail").iterator():
        if not (picture.image and picture.thumbnail):
            yield f"Picture {picture.pk} of product {picture.product_id} names no file."
        for name in picture.file_names():
            folder, _, file = name.rpartition("/")
            if file not in files_in(folder):
                yield f"Picture {picture.pk} of product {picture.product_id}: {name} is missing."


def list_files(folder: str) -> frozenset[str]:
    """What a folder of the storage holds: read at once, since a bucket takes as long to be asked for a single file."""
    try:
        return frozenset(default_storage.listdir(folder)[1])
    except FileNotFoundError:
        return frozenset()


def books() -> Iterator[str]:
    """What a book is searched, sorted and shown by is made of what it is now."""
    for product, stored in Product.objects.derived_anew():
        stale = [name for name, text in stored.items() if words(name, text) != words(name, getattr(product, name))]
        if stale:
            yield f"Product {product.pk}: {', '.join(stale)} is not up to date."


def words(field: str, text: str) -> Any:
    # In the rest of a search text a book's subjects have no sequence.
    return [sorted(line.split()) for line in text.split("\n")] if field == "search_text" else text


def sales() -> Iterator[str]:
    """The sales that reports have added up are those of the orders, but for the days noted to be counted anew."""
    summary = SalesSummary.objects.filter(pk=1, time_zone=basis()).first()
    if summary is None or summary.day is None:
        return
    noted = SalesChange.objects.filter(moment__lt=day_start(summary.day)).values_list("moment", flat=True)
    anew = {timezone.localtime(moment).date() for moment in noted.iterator()}
    stored = DaySales.objects.values_list("day", "orders", "revenue")
    for day, kept, counted in differences(stored, DaySales.counted(None, summary.day)):
        if day not in anew:
            yield f"Sales of {day}: stored are {in_words(*kept)}, the orders of that day are {in_words(*counted)}."
    if anew:
        return
    for period in ProductSales.PERIODS:
        kept_figures = ProductSales.objects.filter(period=period).values_list("product_id", "quantity")
        lines = ProductSales.counted(period, summary.day).values_list("product_id", "quantity")
        for product, kept, counted in differences(kept_figures, lines):
            bought = f"{counted[0] if counted else 0} were bought in {period} days until {summary.day}"
            yield f"Sales of product {product}: stored are {kept[0] if kept else 0}, but {bought}."


def differences(stored: Any, counted: Any) -> Iterator[tuple[Any, tuple[Any, ...], tuple[Any, ...]]]:
    """Where two lists of figures differ: what they are of, and the figures of either, empty where it has none."""
    ours, theirs = ({key: tuple(figures) for key, *figures in rows.iterator()} for rows in (stored, counted))
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            yield key, ours.get(key, ()), theirs.get(key, ())


def in_words(orders: int = 0, revenue: Any = 0) -> str:
    return f"{orders} orders for £{revenue:,.2f}"


RULES: tuple[Rule, ...] = (
    prices,
    done_orders,
    paid_orders,
    cancelled_orders,
    open_baskets,
    ordered_baskets,
    quantities,
    pictures,
    books,
    sales,
)
