"""What must hold of the shop's data, whoever wrote it: `manage.py integrity` asks.

The models' verbs and the database's constraints see to it; a backup half restored, a statement by hand or a bug of
ours may not. A rule gives a sentence, with ids, for each thing that breaks it, and says how that is mended. Rules ask
queries that find only what is wrong, and read as streams, so that they may be asked of a large shop while it is open.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.apps import apps
from django.core.files.storage import default_storage
from django.db.models import CheckConstraint, Count, Exists, F, Max, OuterRef, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import capfirst

from shop.models import (
    Author,
    Basket,
    Order,
    OrderLine,
    Payment,
    Product,
    ProductImage,
    ProductTag,
    Refund,
    Series,
)
from shop.values.money import money, rounded
from staff.integrity import database_schema
from staff.models.sales import DaySales, ProductSales, SalesChange, SalesSummary, basis, day_start
from support.models import ChatMessage, Note

# A picture's first bytes tell what it is.
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"RIFF")

Look = Callable[[], Iterator[str]]


@dataclass(frozen=True)
class Rule:
    """What must hold, what finds where it does not, and how to mend that."""

    holds: str
    look: Look
    mend: str


RULES: list[Rule] = []


def rule(mend: str) -> Callable[[Look], Look]:
    """Make a rule of a look whose docstring says what must hold."""

    def of(look: Look) -> Look:
        RULES.append(Rule((look.__doc__ or "").strip(), look, mend))
        return look

    return of


def broken(rule: Rule) -> list[str]:
    """What breaks a rule now: found twice, so that a change made in the middle of a look is not taken for a fault."""
    found = list(rule.look())
    still = set(rule.look()) if found else set()
    return [sentence for sentence in found if sentence in still]


@rule("python manage.py doctor --mend puts it back; what it cannot stands in the backup.")
def database() -> Iterator[str]:
    """The database has every table, column, index, constraint and trigger that the code makes in it."""
    for each in database_schema.missing():
        yield f"The database lacks {each.what}."


@rule("Write what it should be: UPDATE … SET … WHERE id = …, in the table that the rule is named after.")
def values() -> Iterator[str]:
    """Statuses, prices, quantities and formats are such as there are."""
    for model in apps.get_models():
        if model._meta.app_label in ("shop", "support", "staff"):
            for constraint in model._meta.constraints:
                if isinstance(constraint, CheckConstraint):
                    yield from breaking(model, constraint)


def breaking(model: Any, constraint: CheckConstraint) -> Iterator[str]:
    condition: Any = constraint.condition
    fields = sorted(condition.referenced_base_fields)
    wrong = model._default_manager.exclude(constraint.condition).order_by("pk")
    for pk, *found in wrong.values_list("pk", *fields).iterator():
        what = ", ".join(f"{field} is {value!s}" for field, value in zip(fields, found, strict=True))
        yield f"{capfirst(model._meta.verbose_name)} {pk}: {what}, which {constraint.name} forbids."


@rule("Add its books in an office, or, where it is nobody's order, DELETE FROM shop_order WHERE id = ….")
def empty_orders() -> Iterator[str]:
    """An order is of something."""
    for pk in Order.objects.filter(lines=None).order_by("pk").values_list("pk", flat=True).iterator():
        yield f"Order {pk} has no lines."


@rule("Give it back: UPDATE shop_order SET user_id = … WHERE id = …, to the one whose basket and address it is.")
def owners() -> Iterator[str]:
    """An order is of the user whose basket made it."""
    moved = Order.objects.exclude(basket=None).exclude(basket__user=F("user")).order_by("pk")
    for pk, user, basket, owner in moved.values_list("pk", "user", "basket", "basket__user").iterator():
        of = "of a visitor" if owner is None else f"of user {owner}"
        yield f"Order {pk} is of user {user}, but its basket {basket} {of}."


@rule("If the order was moved, UPDATE shop_order SET user_id = … WHERE id = …, back to the one who wrote.")
def chats() -> Iterator[str]:
    """About an order write its shopper and the staff, of today or of former times."""
    strangers = (
        ChatMessage.objects.exclude(sender=F("order__user"))
        .filter(sender__is_staff=False, sender__is_superuser=False)
        .exclude(Exists(Order.objects.filter(last_spoken_to=OuterRef("sender"))))
        .exclude(Exists(Note.objects.filter(author=OuterRef("sender"))))
    )
    pairs = strangers.order_by("order", "sender").values_list("order", "sender").distinct()
    for order, sender in pairs.iterator():
        yield f"Order {order}: user {sender} wrote in its chat, who is neither its shopper nor of the staff."


@rule("Close its lines in an office, or UPDATE shop_order SET status = 20 WHERE id = ….")
def done_orders() -> Iterator[str]:
    """An order is done once all its lines are sent or cancelled."""
    for order, lines in by_order(OrderLine.objects.open().filter(order__status=Order.DONE)):
        yield f"Order {order} is done with open {lines}."


@rule("In manage.py shell: Order.objects.get(pk=…).complete_if_closed().")
def paid_orders() -> Iterator[str]:
    """A paid order has something left to send."""
    for pk in Order.objects.paid().closed().order_by("pk").values_list("pk", flat=True).iterator():
        yield f"Order {pk} is paid and all its lines are sent or cancelled, but it is not done."


@rule("In manage.py shell: OrderLine.objects.filter(order=…).update(status=40), unless it was sent indeed.")
def cancelled_orders() -> Iterator[str]:
    """Nothing of a cancelled order is sent."""
    kept = OrderLine.objects.filter(order__date_cancelled__isnull=False).exclude(status=OrderLine.CANCELLED)
    for order, lines in by_order(kept):
        yield f"Order {order} is cancelled, but for its {lines}."


@rule("In manage.py shell: Order.objects.get(pk=…).record_payment(), if the money came.")
def payments() -> Iterator[str]:
    """For an order that is paid, money came."""
    charged = OrderLine.objects.filter(order=OuterRef("pk"), price__gt=0).exclude(status=OrderLine.CANCELLED)
    came = Payment.objects.paid().filter(order=OuterRef("pk"))
    for pk in (
        Order.objects.paid_for().filter(Exists(charged), ~Exists(came)).order_by("pk").values_list("pk", flat=True)
    ):
        yield f"Order {pk} is paid, but no payment says so."


@rule(
    "Count the book, then in manage.py shell: Product.objects.get(pk=…).set_stock(None), and once more with the count."
)
def copies() -> Iterator[str]:
    """As many copies of a book are left as its ledger says."""
    counted = Product.objects.annotate(moved=Coalesce(Sum("stock_moves__delta"), 0), left=Coalesce("stock", 0))
    wrong = counted.exclude(moved=F("left")).order_by("pk")
    for pk, left, moved in wrong.values_list("pk", "left", "moved").iterator():
        yield f"Product {pk}: {left} copies are left, but its ledger comes to {moved}."


@rule("Ask the provider, or look at the bank's list: manage.py reconcile. What was never sent is to be marked failed.")
def refunds() -> Iterator[str]:
    """No more goes back of a payment than came."""
    given = Payment.objects.annotate(back=Sum("refunds__amount", filter=~Q(refunds__status=Refund.Status.FAILED)))
    for pk, order, back, came in given.filter(back__gt=F("amount")).values_list("pk", "order", "back", "amount"):
        # SQLite adds up as numbers of floating point.
        if rounded(back) > came:
            yield f"Payment {pk} of order {order}: {money(back)} goes back of {money(came)}."


@rule("Restore the ones that are missing from the backup: a tax office asks for them.")
def credit_notes() -> Iterator[str]:
    """The numbers of credit notes have no gap."""
    found = Refund.objects.aggregate(notes=Count("pk"), last=Max("number"))
    if found["last"] and found["last"] != found["notes"]:
        yield f"There are {found['notes']} credit notes, and the last is BTC{found['last']}."


def by_order(lines: Any) -> Iterator[tuple[int, str]]:
    """Each order of the lines, and the lines in words: (7, "lines 12, 13")."""
    for order, pks in grouped(lines.order_by("order_id", "pk").values_list("order_id", "pk")):
        yield order, f"line{'s' if len(pks) > 1 else ''} {', '.join(map(str, pks))}"


def grouped(pairs: Any) -> Iterator[tuple[int, list[int]]]:
    """What belongs to each key of sorted (key, value): (7, [12, 13])."""
    for key, found in groupby(pairs.iterator(), key=itemgetter(0)):
        yield key, [value for _, value in found]


@rule("Keep the one with the books: DELETE FROM shop_basketline WHERE basket_id = … and FROM shop_basket WHERE id = ….")
def open_baskets() -> Iterator[str]:
    """A user has one open basket at most."""
    owners = Basket.objects.open().exclude(user=None).values("user").annotate(baskets=Count("pk")).filter(baskets__gt=1)
    baskets = Basket.objects.open().filter(user__in=owners.values("user")).order_by("user_id", "pk")
    for user, pks in grouped(baskets.values_list("user_id", "pk")):
        yield f"User {user} has more than one open basket: {', '.join(map(str, pks))}."


@rule("UPDATE shop_basket SET status = 20 WHERE id = ….")
def ordered_baskets() -> Iterator[str]:
    """A basket that made an order is closed."""
    ordered = Basket.objects.open().filter(order__isnull=False).order_by("pk")
    for pk, order in ordered.values_list("pk", "order").iterator():
        yield f"Basket {pk} made order {order}, but is open."


@rule(
    "Where its order was deleted, DELETE FROM shop_basketline WHERE basket_id = … and FROM shop_basket WHERE id = …; "
    "where it was lost, restore it from the backup."
)
def lost_orders() -> Iterator[str]:
    """A basket that is closed made an order."""
    closed = Basket.objects.filter(status=Basket.SUBMITTED, order=None).order_by("pk")
    for pk, user in closed.values_list("pk", "user").iterator():
        yield f"Basket {pk} of user {user} was ordered, but there is no order of it."


@rule('In manage.py shell: ProductTag.objects.filter(pk=…).update(slug="…"), or in the owners\' office.')
def addresses() -> Iterator[str]:
    """Every subject, author and series can be reached at its address."""
    for model in (ProductTag, Author, Series, Product):
        for pk, slug in model._default_manager.filter(slug__in=model.RESERVED).order_by("pk").values_list("pk", "slug"):
            name = capfirst(model._meta.verbose_name)
            yield f"{name} {pk} cannot be reached: its address {slug} is that of a page of the shop's own."


@rule("Take the file from the backup, or choose the picture anew in an office.")
def pictures() -> Iterator[str]:
    """Every picture has its files, thumbnails too, in storage, and they are pictures."""
    files_in = cache(list_files)
    for picture in ProductImage.objects.order_by("pk").only("product", "image", "thumbnail").iterator():
        if not (picture.image and picture.thumbnail):
            yield f"Picture {picture.pk} of product {picture.product_id} names no file."
        for name in picture.file_names():
            folder, _, file = name.rpartition("/")
            if wrong := "is missing" if file not in files_in(folder) else fault(name, files_in(folder)[file]):
                yield f"Picture {picture.pk} of product {picture.product_id}: {name} {wrong}."


@rule("Delete it from the storage, unless an import is at work, which stores its pictures first.")
def orphans() -> Iterator[str]:
    """Every file among the pictures belongs to one."""
    files = {
        f"{folder}/{name}" for folder in (ProductImage.IMAGES, ProductImage.THUMBNAILS) for name in list_files(folder)
    }
    for picture in ProductImage.objects.only("image", "thumbnail").iterator():
        files.difference_update(picture.file_names())
    for name in sorted(files):
        yield f"The file {name} belongs to no picture."


def list_files(folder: str) -> dict[str, int | None]:
    """What a folder of the storage holds, with sizes: a bucket tells both at once, as it takes as long for one file."""
    if sizes := getattr(default_storage, "sizes", None):
        return dict(sizes(folder))
    try:
        return dict.fromkeys(default_storage.listdir(folder)[1])
    except FileNotFoundError:
        return {}


def fault(name: str, size: int | None) -> str:
    """What is wrong with a file; where the storage told its size, that alone is asked."""
    if size is None:
        try:
            with default_storage.open(name) as file:
                start = file.read(8)
        except FileNotFoundError:
            return "is missing"
        if start and not start.startswith(SIGNATURES):
            return "is no picture"
        size = len(start)
    return "" if size else "is empty"


@rule("In manage.py shell: Product.objects.filter(pk=…).refresh_derived(); without the filter, all of them.")
def books() -> Iterator[str]:
    """What a book is searched, sorted and shown by is made of what it is now."""
    for product, stored in Product.objects.derived_anew():
        stale = [name for name, text in stored.items() if words(name, text) != words(name, getattr(product, name))]
        if stale:
            yield f"Product {product.pk}: {', '.join(stale)} is not up to date."


def words(field: str, text: str) -> Any:
    # In the rest of a search text a book's subjects have no sequence.
    return [sorted(line.split()) for line in text.split("\n")] if field == "search_text" else text


@rule("UPDATE staff_salessummary SET time_zone = '': the next report counts everything anew.")
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
    return f"{orders} orders for {money(revenue)}"
