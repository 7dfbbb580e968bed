from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models.expressions import Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from shop.database.constraints import Check, one_of
from shop.database.json_columns import Cover
from shop.models.covers import SHOWN, Covered
from shop.models.late_saves import VerbsDecide
from shop.models.order_progress import Stage, Tally
from shop.models.parcel import Parcel
from shop.models.product import BookFormat, Product
from shop.models.stock_move import StockMove
from shop.models.vat_rate import VatRate
from shop.signals import orders_changed
from shop.values.money import ZERO

if TYPE_CHECKING:
    from shop.models.order import OrderQuerySet


class OrderStatus(models.IntegerChoices):
    NEW = 10
    PAID = 20
    DONE = 30


class LineStatus(models.IntegerChoices):
    NEW = 10
    PROCESSING = 20
    SENT = 30
    CANCELLED = 40


def orders() -> "OrderQuerySet":
    """All orders, whose module stands above this one."""
    found: OrderQuerySet = apps.get_model("shop.Order").objects.all()
    return found


SETTLED = ValidationError("What was refunded or sent back stays in the order.", code="settled")


class OrderLineQuerySet(models.QuerySet["OrderLine"]):
    def open(self) -> "OrderLineQuerySet":
        return self.exclude(status__in=OrderLine.CLOSED)

    def closed(self) -> "OrderLineQuerySet":
        return self.filter(status__in=OrderLine.CLOSED)

    def to_send(self) -> "OrderLineQuerySet":
        """What dispatch may send now."""
        return self.open().not_waiting()

    def packed(self) -> "OrderLineQuerySet":
        """What lies in the box that is being packed."""
        return self.filter(packed_at__isnull=False)

    def paid(self) -> "OrderLineQuerySet":
        """The lines of paid orders, newest order first."""
        return self.filter(order__status=OrderStatus.PAID).order_by("-order_id", "pk")

    def waiting(self) -> "OrderLineQuerySet":
        """What was ordered before it can be sent, and dispatch is not offered until its day."""
        return self.open().filter(product__in=Product.objects.order_by().waiting())

    def not_waiting(self) -> "OrderLineQuerySet":
        """What dispatch may send, or has sent."""
        return self.exclude(pk__in=OrderLine.objects.order_by().waiting())

    def together(self) -> "OrderLineQuerySet":
        """Those of an order that are alike as one: the first of them, which knows how many they are (`alike`)."""
        alike: dict[str, Any] = {"partition_by": [models.F(name) for name in OrderLine.ALIKE]}
        count, nth = Window(models.Count("pk"), **alike), Window(RowNumber(), order_by="pk", **alike)
        return self.annotate(alike=count, nth=nth).filter(nth=1)

    def for_page(self) -> "OrderLineQuerySet":
        """`together`, with all that a page shows of each."""
        lines = self.together().select_related("product", "parcel")
        lines = lines.only(*OrderLine.ALIKE, *OrderLine.DESCRIBED, *SHOWN, *OrderLine.PARCELS)
        return lines.annotate(cover=Cover("product")).order_by("pk")

    def added_up(self) -> "OrderLineQuerySet":
        """One line for all of an order, which knows what there is to count of them (`tally`)."""
        order: dict[str, Any] = {"partition_by": models.F("order")}
        closed, cancelled = models.Q(status__in=OrderLine.CLOSED), models.Q(status=OrderLine.CANCELLED)
        return (
            self.only("order")
            .annotate(
                books=Window(models.Count("pk"), **order),
                closed=Window(models.Count("pk", filter=closed), **order),
                sum=Window(models.Sum("price"), **order),
                called_off=Window(models.Count("pk", filter=cancelled), **order),
                cancelled=Window(models.Sum("price", filter=cancelled), **order),
                nth=Window(RowNumber(), order_by="pk", **order),
            )
            .filter(nth=1)
        )

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Django's own, with each as its book is now; their copies are taken: see `StockMoveQuerySet.take`."""
        lines: list[OrderLine] = list(objs)
        rate_for = VatRate.objects.finder()
        for line in lines:
            line.describe(rate_for)
        with transaction.atomic():
            made = super().bulk_create(lines, *args, **kwargs)  # type: ignore[arg-type]  # Django's stubs ask for a list of rows
            StockMove.objects.take(lines)
        return made

    def update(self, **values: Any) -> int:
        if "status" not in values:
            return super().update(**values)
        with transaction.atomic():
            changed = orders().filter(pk__in=set(self.order_by().values_list("order", flat=True))).locked()
            updated = super().update(**values)
            # An expression, as of bulk_update(), may be anything.
            may_be = OrderLine.Status if not isinstance(values["status"], int) else (values["status"],)
            if OrderLine.SENT in may_be:
                changed.gather_sent()
            if set(OrderLine.CLOSED) & set(may_be):
                orders_changed.send(self.model, orders=changed)
            changed.complete_closed()
            if OrderLine.CANCELLED in may_be:
                changed.settle()
        return updated

    def delete(self) -> tuple[int, dict[str, int]]:
        """Django's own. Raises ValidationError where one is settled: see `OrderLine.is_settled`."""
        with transaction.atomic():
            if any(line.is_settled for line in self.only("refunded", "returned_in")):
                raise SETTLED
            changed = orders().filter(pk__in=set(self.order_by().values_list("order", flat=True))).locked()
            StockMove.objects.give_back(self.exclude(status=OrderLine.SENT))
            deleted = super().delete()
            orders_changed.send(self.model, orders=changed)
            changed.complete_closed()
            changed.settle()
        return deleted

    def relabel_parcels(self) -> None:
        """Give the parcels that these lines are in, and all that is in those, their carrier and number.

        What left without a number is told apart by the numbers that come later: each is a parcel of its own then. Needs
        the orders' locks.
        """
        found: dict[Parcel, dict[tuple[str, ...], list[OrderLine]]] = defaultdict(lambda: defaultdict(list))
        for line in self.exclude(parcel=None).select_related("parcel").order_by("pk"):
            found[line.parcel][tuple(line.label.values())].append(line)  # type: ignore[index]  # not None
        sizes = dict(
            OrderLine.objects.order_by().filter(parcel__in=found).values_list("parcel").annotate(models.Count("pk"))
        )
        corrected, apart = [], []
        for parcel, labels in found.items():
            for label, lines in labels.items():
                wanted = dict(zip(Parcel.LABEL, label, strict=True))
                if len(labels) == 1 and (parcel.tracking_number or len(lines) == sizes[parcel.pk]):
                    corrected.append(Parcel(pk=parcel.pk, **wanted))
                elif label != (parcel.carrier, parcel.tracking_number):
                    apart.append((Parcel(order_id=parcel.order_id, date_sent=parcel.date_sent, **wanted), lines))
        Parcel.objects.bulk_update(corrected, Parcel.LABEL, batch_size=100)
        parcel_of = Parcel.objects.filter(pk=models.OuterRef("parcel"))
        names = {name: models.Subquery(parcel_of.values(name)[:1]) for name in Parcel.LABEL}
        OrderLine.objects.filter(parcel__in=corrected).update(**names, date_updated=timezone.now())
        Parcel.objects.bulk_create(parcel for parcel, _ in apart)
        moved = [(line, parcel) for parcel, lines in apart for line in lines]
        for each, parcel in moved:
            each.parcel = parcel
        OrderLine.objects.bulk_update([each for each, _ in moved], ["parcel"], batch_size=100)
        Parcel.objects.filter(pk__in=[parcel.pk for parcel in found], lines=None).delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class OrderLine(Covered, VerbsDecide):
    BY_VERBS = ("status",)
    Status: TypeAlias = LineStatus
    NEW, PROCESSING, SENT, CANCELLED = Status
    CLOSED = (SENT, CANCELLED)
    # What a line may become from where it is; sent and cancelled are final.
    NEXT: dict[int, tuple[int, ...]] = {
        NEW: (PROCESSING, SENT, CANCELLED),
        PROCESSING: (SENT, CANCELLED),
        SENT: (),
        CANCELLED: (),
    }
    # Lines of an order that agree in these are shown as one.
    ALIKE = ("order", "product", "price", "status", "carrier", "tracking_number", "parcel", "returned_in")
    # What a page shows of the parcel that it left in.
    PARCELS = tuple(f"parcel__{name}" for name in ("order", "carrier", "tracking_number", "date_sent"))
    # What is kept of the book as it was when it was ordered.
    DESCRIBED = ("name", "isbn", "format", "authors_text")
    # How many there are of it, where they were read together.
    alike = 1
    STAGES: dict[int, Stage] = {
        NEW: Stage.NEW,
        PROCESSING: Stage.PROCESSING,
        SENT: Stage.SENT,
        CANCELLED: Stage.CANCELLED,
    }

    order = models.ForeignKey("shop.Order", on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="order_lines")
    price = models.DecimalField(
        "price charged", max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    # As the book was when it was ordered: see `describe`.
    name = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)
    isbn = models.CharField("ISBN", max_length=17, blank=True, default="", db_default="", editable=False)
    format = models.CharField(
        max_length=10, choices=BookFormat.choices, blank=True, default="", db_default="", editable=False
    )
    authors_text = models.CharField("authors", max_length=500, blank=True, default="", db_default="", editable=False)
    # None where the country had no rate.
    vat_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True, editable=False)
    status = models.IntegerField(choices=Status.choices, default=Status.NEW)
    carrier = models.CharField(max_length=60, blank=True)
    tracking_number = models.CharField(max_length=60, blank=True)
    # None until it is sent. A parcel stays as long as anything is in it.
    parcel = models.ForeignKey(
        Parcel, on_delete=models.RESTRICT, null=True, blank=True, editable=False, related_name="lines"
    )
    # What of its price went back, and the return that it is in: None where it is in none, or that was refused.
    refunded = models.DecimalField(max_digits=8, decimal_places=2, default=ZERO, db_default=ZERO, editable=False)
    returned_in = models.ForeignKey(
        "shop.Return", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="lines"
    )
    # When it was put into the box that is being packed, which can be undone.
    packed_at = models.DateTimeField(null=True, blank=True, editable=False)
    date_updated = models.DateTimeField(auto_now=True)

    objects = OrderLineQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            one_of("status", LineStatus, "order_line_status_known"),
            one_of("format", BookFormat, "order_line_format_known", blank=True),
            Check(name="order_line_price_not_negative", condition=models.Q(price__gte=0)),
        ]
        indexes = [
            models.Index("status", name="order_line_by_status"),
            # As dispatch reads them, newest order first: a far page is reached in the index alone.
            models.Index(models.F("order").desc(), "id", name="order_line_newest_order_first"),
        ]

    def __str__(self) -> str:
        return f"Line {self.pk} of order {self.order_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.price is None:
            self.price = self.product.price
        if self._state.adding:
            self.describe(VatRate.objects.finder())
        with transaction.atomic():
            # Two people who close the last two lines at once wait for each other here: one of them completes it.
            # The order in memory keeps what its caller set on it.
            orders().filter(pk=self.order_id).locked()
            added = self._state.adding
            moved_on = added or (self.status in self.CLOSED and self._read.get("status") != self.status)
            super().save(*args, **kwargs)
            if self.status == self.SENT:
                orders().filter(pk=self.order_id).gather_sent()
            if moved_on:
                orders_changed.send(OrderLine, orders=orders().filter(pk=self.order_id))
            # An order is put together line by line: its first one may be closed already, and others follow.
            if added:
                StockMove.objects.take([self])
            else:
                self.order.complete_if_closed()
                orders().filter(pk=self.order_id).settle()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Django's own. Raises ValidationError where it is settled."""
        if self.is_settled:
            raise SETTLED
        with transaction.atomic():
            orders().filter(pk=self.order_id).locked()
            StockMove.objects.give_back(OrderLine.objects.filter(pk=self.pk).exclude(status=OrderLine.SENT))
            deleted = super().delete(*args, **kwargs)
            orders_changed.send(OrderLine, orders=orders().filter(pk=self.order_id))
            self.order.complete_if_closed()
            orders().filter(pk=self.order_id).settle()
        return deleted

    @transaction.atomic
    def mark(self, status: int) -> bool:
        """Report this line's progress; False where it had that status already.

        Raises ValidationError where the line is final, or would go back.
        """
        orders().filter(pk=self.order_id).locked()
        self.refresh_from_db(fields=["status"])
        if status == self.status:
            return False
        if why_not := self.why_not(self.status, status):
            raise ValidationError(why_not, code="final")
        self.status = status
        self.save(update_fields=["status", "date_updated"])
        return True

    @classmethod
    def why_not(cls, now: int, new: int) -> str:
        """What keeps a line from becoming `new`; nothing where it may, or is that already."""
        if new == now or new in cls.next_to(now):
            return ""
        final = " It is final." if now in cls.CLOSED else ""
        return f"A line that is {cls.Status(now).label.lower()} cannot become {cls.Status(new).label.lower()}.{final}"

    @classmethod
    def next_to(cls, now: int) -> tuple[int, ...]:
        """What a line may become; one whose status nobody knows, which no check kept out yet, may become anything."""
        return cls.NEXT.get(now, tuple(cls.Status))

    def describe(self, rate_for: Callable[[str, str], Decimal | None]) -> None:
        """Note what the book is called and what kind it is, and its VAT, so that an order stays what was ordered."""
        if not self.name:
            book = self.product
            self.name, self.isbn = book.name, book.isbn or ""
            self.format, self.authors_text = book.format, book.authors_text
            self.vat_percent = rate_for(self.order.shipping_country, self.format)

    @property
    def is_settled(self) -> bool:
        """Whether something went back for it, or is to: taken out of the order, it would be refunded once more."""
        return bool(self.refunded or self.returned_in_id)

    @property
    def total_price(self) -> Decimal:
        """What was charged for it and those that are alike."""
        return self.price * self.alike

    @property
    def tally(self) -> Tally:
        """What `added_up()` counted."""
        read: Any = self
        price, cancelled = (Decimal(amount or 0).quantize(Decimal("0.01")) for amount in (read.sum, read.cancelled))
        return Tally(read.books, read.closed, price, read.called_off, cancelled)

    @property
    def label(self) -> dict[str, str]:
        """What it says of its parcel."""
        return {name: getattr(self, name) for name in Parcel.LABEL}

    @property
    def tracking(self) -> str:
        """What it travels in, as the carrier calls it: "Royal Mail AB123", or nothing yet."""
        return f"{self.carrier} {self.tracking_number}".strip()

    @transaction.atomic
    def track(self, **parcel: str) -> bool:
        """Note which parcel it travels in (`carrier`, `tracking_number`); False where that was known already.

        Once it is sent, this corrects its parcel, and what is noted of all that is in it.
        """
        changed = [field for field, value in parcel.items() if getattr(self, field) != value]
        for field in changed:
            setattr(self, field, parcel[field])
        if changed:
            orders().filter(pk=self.order_id).locked()
            self.save(update_fields=[*changed, "date_updated"])
            OrderLine.objects.filter(pk=self.pk).relabel_parcels()
        return bool(changed)
