from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models.expressions import Window
from django.db.models.functions import RowNumber
from django.db.models.lookups import Exact
from django.urls import reverse
from django.utils import timezone

from shop.database.constraints import Check, one_of
from shop.database.json_columns import Cover
from shop.models.basket import Basket
from shop.models.catalogue import Product
from shop.models.covers import SHOWN, Covered
from shop.models.order_progress import Marked, OrderedBook, Stage, Step, Tally, steps_to
from shop.models.user import Address, Country, User
from shop.signals import order_cancelled, order_paid


class OrderStatus(models.IntegerChoices):
    NEW = 10
    PAID = 20
    DONE = 30


class LineStatus(models.IntegerChoices):
    NEW = 10
    PROCESSING = 20
    SENT = 30
    CANCELLED = 40


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, user: Any) -> "OrderQuerySet":
        """A shopper's own orders, and every order for an employee; a visitor sees none."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_employee else self.filter(user=user)

    def paid(self) -> "OrderQuerySet":
        """What dispatch works on: paid, and not all sent or cancelled yet."""
        return self.filter(status=Order.PAID)

    def paid_for(self) -> "OrderQuerySet":
        """What brought money in: the orders that are paid, sent or not."""
        return self.filter(status__in=Order.PAID_FOR)

    def cancelled(self) -> "OrderQuerySet":
        """Those called off: as a whole, or line by line until nothing was left."""
        return self.filter(models.Q(date_cancelled__isnull=False) | self._cancelled_by_line())

    def not_cancelled(self) -> "OrderQuerySet":
        return self.filter(~self._cancelled_by_line(), date_cancelled__isnull=True)

    def _cancelled_by_line(self) -> models.Q:
        """Those whose every line is cancelled, the last of the statuses: so is the least of theirs.

        Asked of those alone that have a cancelled line, which an index knows: the lines of all would take long to read.
        """
        touched = OrderLine.objects.order_by().filter(status=OrderLine.CANCELLED).values("order")
        least = OrderLine.objects.filter(order=models.OuterRef("pk")).order_by("status").values("status")[:1]
        return models.Q(pk__in=touched) & models.Q(Exact(models.Subquery(least), OrderLine.CANCELLED))

    def for_page(self) -> "OrderQuerySet":
        """Each with its lines (see `Order.groups`), their products and covers, in two more queries."""
        return self.prefetch_related(models.Prefetch("lines", OrderLine.objects.for_page(), to_attr="_groups"))

    def with_tally(self) -> "OrderQuerySet":
        """Each with what there is to count of its lines (see `Order.tally`), in one more query."""
        return self.prefetch_related(models.Prefetch("lines", OrderLine.objects.added_up(), to_attr="_added_up"))

    def update(self, **values: Any) -> int:
        if values.get("status") != Order.PAID:
            return super().update(**values)
        with transaction.atomic():
            orders = Order.objects.filter(pk__in=list(self.values_list("pk", flat=True))).locked()
            updated = super().update(**values)
            orders.complete_closed()
        return updated

    def locked(self) -> "OrderQuerySet":
        """The same orders, once the others who change them are done; needs a transaction.

        Always in one sequence, so that two who want some of the same never wait for each other for good.
        """
        list(self.order_by("pk").select_for_update().values_list("pk"))
        return self

    def closed(self) -> "OrderQuerySet":
        """Those that have lines, all of them sent or cancelled."""
        lines = OrderLine.objects.filter(order=models.OuterRef("pk"))
        return self.filter(models.Exists(lines), ~models.Exists(lines.open()))

    def complete_closed(self) -> int:
        """Those that are paid, and whose lines are all sent or cancelled, become done; how many."""
        closed = self.paid().closed()
        return super(OrderQuerySet, closed).update(status=Order.DONE, date_updated=timezone.now())


class Order(models.Model):
    Status: TypeAlias = OrderStatus
    NEW, PAID, DONE = Status
    # For these money came in; what is new may never be paid.
    PAID_FOR = (PAID, DONE)

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="orders")
    # One basket makes one order, whatever happens: the database says so.
    basket = models.OneToOneField(
        Basket, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="order"
    )
    status = models.IntegerField(choices=Status.choices, default=Status.NEW)

    billing_name = models.CharField(max_length=60)
    billing_address1 = models.CharField(max_length=60)
    billing_address2 = models.CharField(max_length=60, blank=True)
    billing_zip_code = models.CharField(max_length=12)
    billing_city = models.CharField(max_length=60)
    billing_country = models.CharField(max_length=2, choices=Country.choices)
    shipping_name = models.CharField(max_length=60)
    shipping_address1 = models.CharField(max_length=60)
    shipping_address2 = models.CharField(max_length=60, blank=True)
    shipping_zip_code = models.CharField(max_length=12)
    shipping_city = models.CharField(max_length=60)
    shipping_country = models.CharField(max_length=2, choices=Country.choices)

    date_added = models.DateTimeField(auto_now_add=True)
    date_updated = models.DateTimeField(auto_now=True)
    date_cancelled = models.DateTimeField(null=True, blank=True, editable=False)
    last_spoken_to = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="chats_led")

    objects = OrderQuerySet.as_manager()

    # What for_page() and with_tally() read.
    _groups: "list[OrderLine]"
    _added_up: "list[OrderLine]"

    class Meta:
        ordering = ("-pk",)
        constraints = [one_of("status", OrderStatus, "order_status_known")]
        indexes = [
            models.Index(models.F("status"), models.F("id").desc(), name="order_by_status"),
            models.Index("date_added", name="order_by_date_added"),
            models.Index("date_updated", name="order_by_date_updated"),
        ]

    def __str__(self) -> str:
        return f"Order {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("order_detail", args=[self.pk])

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            turns_paid = self._turns_paid(kwargs.get("update_fields"))
            super().save(*args, **kwargs)
            if turns_paid:
                order_paid.send(Order, order=self)
            if self.status == self.PAID:
                self.complete_if_closed()

    def _turns_paid(self, update_fields: Iterable[str] | None) -> bool:
        """Whether saving announces a payment: also when the status is set in a form rather than by `mark_paid`."""
        saved = update_fields is None or "status" in update_fields
        return self.status == self.PAID and saved and not Order.objects.paid().filter(pk=self.pk).exists()

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        for read in ("_groups", "_added_up"):
            self.__dict__.pop(read, None)
        super().refresh_from_db(*args, **kwargs)

    def groups(self) -> "list[OrderLine]":
        """Its lines in the sequence they were ordered in, those that are alike as one (`OrderLine.alike`).

        As they are now, or were when `for_page()` read them.
        """
        return self._groups if "_groups" in self.__dict__ else list(self.lines.for_page())

    def tally(self) -> Tally:
        """What there is to count of its lines; as it is now, or was when `with_tally()` or `for_page()` read them."""
        if "_added_up" in self.__dict__:
            return self._added_up[0].tally if self._added_up else Tally()
        groups = self.groups()
        called_off = [line for line in groups if line.status == OrderLine.CANCELLED]
        return Tally(
            books=sum(line.alike for line in groups),
            closed=sum(line.alike for line in groups if line.status in OrderLine.CLOSED),
            price=sum((line.total_price for line in groups), Decimal("0.00")),
            called_off=sum(line.alike for line in called_off),
            cancelled=sum((line.total_price for line in called_off), Decimal("0.00")),
        )

    @property
    def summary(self) -> str:
        """What was ordered, in a line: "2 x Siddhartha, 1 x Emma"."""
        counts: Counter[str] = Counter()
        for line in self.groups():
            counts[line.product.name] += line.alike
        return ", ".join(f"{count} x {name}" for name, count in counts.items())

    @property
    def total_price(self) -> Decimal:
        """What was ordered costs: all lines."""
        return self.tally().price

    @property
    def cancelled_total(self) -> Decimal:
        """What of that is not charged: the cancelled lines."""
        return self.tally().cancelled

    @property
    def grand_total(self) -> Decimal:
        """What is to pay, or was: the lines that are not cancelled."""
        return self.total_price - self.cancelled_total

    @property
    def mobile_thumb_url(self) -> str | None:
        """The address of the first product's thumbnail, or None where it has no picture."""
        return next((line.cover_url() or None for line in self.groups()), None)

    @property
    def is_cancelled(self) -> bool:
        return self.date_cancelled is not None

    def can_cancel(self) -> bool:
        """Whether dispatch has not begun: what is not cancelled already is still new."""
        found = {line.status for line in self.groups()}
        return bool(found) and not self._why_not_cancelled(found)

    def books_left(self) -> int:
        """How many of its books are not cancelled."""
        return sum(line.alike for line in self.groups() if line.status != OrderLine.CANCELLED)

    def _why_not_cancelled(self, found: set[int]) -> str:
        """What keeps an order whose lines have these statuses from being called off; nothing where it may be."""
        if OrderLine.PROCESSING in found:
            return "This order is being processed and can no longer be cancelled."
        if OrderLine.SENT in found:
            part = "Part of this order" if OrderLine.NEW in found else "This order"
            return f"{part} was sent already, so it can no longer be cancelled."
        if self.is_cancelled or found == {OrderLine.CANCELLED}:
            return "Every book of this order is cancelled already."
        return "This order is done and can no longer be cancelled." if self.status == self.DONE else ""

    @property
    def stage(self) -> Stage:
        """How far the order is; of one that is partly sent, that it is being packed."""
        found = {line.status for line in self.groups()}
        if self.is_cancelled or found == {OrderLine.CANCELLED}:
            return Stage.CANCELLED
        if self.status == self.DONE or (found and found <= set(OrderLine.CLOSED)):
            return Stage.SENT
        if found & {OrderLine.PROCESSING, OrderLine.SENT}:
            return Stage.PROCESSING
        return Stage.PAID if self.status == self.PAID else Stage.NEW

    @property
    def state(self) -> str:
        """The status in words of the offices, where an order that was called off is not new: "Cancelled"."""
        tally = self.tally()
        called_off = self.is_cancelled or 0 < tally.books == tally.called_off
        return Stage.CANCELLED.label if called_off else self.get_status_display()

    def steps(self) -> list[Step]:
        """The way of an order from the shopper to the shopper, and where it is on it."""
        return steps_to(self.stage)

    def books(self) -> list[OrderedBook]:
        """Its lines by book, in the sequence they were ordered in."""
        books: dict[tuple[int, Decimal], OrderedBook] = {}
        for line in self.groups():
            books.setdefault((line.product_id, line.price), OrderedBook()).lines.append(line)
        return list(books.values())

    def billing_lines(self) -> list[str]:
        """Whom it is billed to, as it stands on an invoice."""
        return self._postal_lines("billing")

    def shipping_lines(self) -> list[str]:
        """Whom it is sent to, as it stands on the parcel."""
        return self._postal_lines("shipping")

    def _postal_lines(self, kind: str) -> list[str]:
        text = {field: getattr(self, f"{kind}_{field}") for field in Address.POSTAL_FIELDS}
        return [text["name"], *Address(**text).lines()]

    def lock(self) -> None:
        """Wait for the others who change this order, and read anew what its verbs decide by; needs a transaction."""
        self.status, self.date_cancelled = (
            Order.objects.select_for_update().values_list("status", "date_cancelled").get(pk=self.pk)
        )

    @transaction.atomic
    def mark_paid(self) -> bool:
        """A new order becomes paid, and dispatch may begin; False where it was paid already.

        Raises ValidationError for a cancelled order.
        """
        self.lock()
        if self.is_cancelled:
            raise ValidationError(f"Order {self.pk} was cancelled: it cannot be paid.", code="cancelled")
        if self.status != self.NEW:
            return False
        self.status = self.PAID
        self.save(update_fields=["status", "date_updated"])
        return True

    @transaction.atomic
    def cancel(self) -> None:
        """Call off all of the order that is not cancelled yet.

        Raises ValidationError once any of its lines is being processed, and where nothing is left to call off.
        """
        self.lock()
        if self.is_cancelled:
            return
        # Not can_cancel(): what was read for a page may be older than the lock.
        found = set(self.lines.order_by().values_list("status", flat=True).distinct())
        if why_not := self._why_not_cancelled(found):
            raise ValidationError(why_not, code="processing")
        self.lines.exclude(status=OrderLine.CANCELLED).update(status=OrderLine.CANCELLED)
        self.date_cancelled = timezone.now()
        was_paid = self.status == self.PAID
        self.save(update_fields=["date_cancelled", "date_updated"])
        if was_paid:
            order_cancelled.send(Order, order=self)

    @transaction.atomic
    def mark_lines(self, wanted: Mapping[int, int]) -> Marked:
        """Report the progress of several lines at once, as `OrderLine.mark` does of one; `wanted` by their keys."""
        self.lock()
        marked = Marked()
        becoming: dict[int, list[int]] = defaultdict(list)
        for pk, now in self.lines.filter(pk__in=wanted).order_by("pk").values_list("pk", "status"):
            if why_not := OrderLine.why_not(now, wanted[pk]):
                marked.refused[why_not].append(pk)
            elif now == wanted[pk]:
                marked.unchanged.append(pk)
            else:
                becoming[wanted[pk]].append(pk)
        for status, keys in becoming.items():
            self.lines.filter(pk__in=keys).update(status=status, date_updated=timezone.now())
            marked.changed += keys
        return marked

    def complete_if_closed(self) -> bool:
        """A paid order whose lines are all sent or cancelled becomes done; whether it just did."""
        done = bool(Order.objects.filter(pk=self.pk).complete_closed())
        if done:
            self.status = self.DONE
        return done


class OrderLineQuerySet(models.QuerySet["OrderLine"]):
    def open(self) -> "OrderLineQuerySet":
        return self.exclude(status__in=OrderLine.CLOSED)

    def closed(self) -> "OrderLineQuerySet":
        return self.filter(status__in=OrderLine.CLOSED)

    def paid(self) -> "OrderLineQuerySet":
        """The lines of paid orders, newest order first."""
        return self.filter(order__status=Order.PAID).order_by("-order_id", "pk")

    def together(self) -> "OrderLineQuerySet":
        """Those of an order that are alike as one: the first of them, which knows how many they are (`alike`)."""
        alike: dict[str, Any] = {"partition_by": [models.F(name) for name in OrderLine.ALIKE]}
        count, nth = Window(models.Count("pk"), **alike), Window(RowNumber(), order_by="pk", **alike)
        return self.annotate(alike=count, nth=nth).filter(nth=1)

    def for_page(self) -> "OrderLineQuerySet":
        """`together`, with all that a page shows of each."""
        lines = self.together().select_related("product").only(*OrderLine.ALIKE, *SHOWN)
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

    def update(self, **values: Any) -> int:
        if "status" not in values:
            return super().update(**values)
        with transaction.atomic():
            orders = Order.objects.filter(pk__in=set(self.order_by().values_list("order", flat=True))).locked()
            updated = super().update(**values)
            orders.complete_closed()
        return updated


class OrderLine(Covered, models.Model):
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
    ALIKE = ("order", "product", "price", "status", "carrier", "tracking_number")
    # How many there are of it, where they were read together.
    alike = 1
    STAGES: dict[int, Stage] = {
        NEW: Stage.NEW,
        PROCESSING: Stage.PROCESSING,
        SENT: Stage.SENT,
        CANCELLED: Stage.CANCELLED,
    }

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="order_lines")
    price = models.DecimalField(
        "price charged", max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    status = models.IntegerField(choices=Status.choices, default=Status.NEW)
    carrier = models.CharField(max_length=60, blank=True)
    tracking_number = models.CharField(max_length=60, blank=True)
    date_updated = models.DateTimeField(auto_now=True)

    objects = OrderLineQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            one_of("status", LineStatus, "order_line_status_known"),
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
        with transaction.atomic():
            # Two people who close the last two lines at once wait for each other here: one of them completes it.
            # The order in memory keeps what its caller set on it.
            Order.objects.filter(pk=self.order_id).locked()
            added = self._state.adding
            super().save(*args, **kwargs)
            # An order is put together line by line: its first one may be closed already, and others follow.
            if not added:
                self.order.complete_if_closed()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            Order.objects.filter(pk=self.order_id).locked()
            deleted = super().delete(*args, **kwargs)
            self.order.complete_if_closed()
        return deleted

    @transaction.atomic
    def mark(self, status: int) -> bool:
        """Report this line's progress; False where it had that status already.

        Raises ValidationError where the line is final, or would go back.
        """
        Order.objects.filter(pk=self.order_id).locked()
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
    def parcel(self) -> str:
        """What it travels in, as the carrier calls it: "Royal Mail AB123", or nothing yet."""
        return f"{self.carrier} {self.tracking_number}".strip()

    def track(self, **parcel: str) -> bool:
        """Note which parcel it travels in (`carrier`, `tracking_number`); False where that was known already."""
        changed = [field for field, value in parcel.items() if getattr(self, field) != value]
        for field in changed:
            setattr(self, field, parcel[field])
        if changed:
            self.save(update_fields=[*changed, "date_updated"])
        return bool(changed)
