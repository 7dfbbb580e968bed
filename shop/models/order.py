from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models.lookups import Exact
from django.urls import reverse
from django.utils import timezone

from shop.models.basket import Basket
from shop.models.catalogue import Product, ProductImage, picture_address
from shop.models.covers import SHOWN, Covered
from shop.models.json_columns import Cover
from shop.models.progress import OrderedBook, Stage, Step, steps_to
from shop.models.user import Address, Country, User
from shop.signals import order_cancelled, order_paid


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

    def with_lines(self) -> "OrderQuerySet":
        """Each with its lines, their products and first pictures, in three more queries whatever their number."""
        images = models.Prefetch("product__images", ProductImage.objects.order_by("position", "pk"))
        lines = OrderLine.objects.select_related("product").order_by("pk").prefetch_related(images)
        return self.prefetch_related(models.Prefetch("lines", lines))

    def for_page(self) -> "OrderQuerySet":
        """Each with its lines, their products and covers, in one more query whatever their number."""
        own = ("order", "price", "status", "carrier", "tracking_number")
        lines = OrderLine.objects.select_related("product").only(*own, *SHOWN)
        return self.prefetch_related(models.Prefetch("lines", lines.annotate(cover=Cover("product")).order_by("pk")))

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
    class Status(models.IntegerChoices):
        NEW = 10
        PAID = 20
        DONE = 30

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

    class Meta:
        ordering = ("-pk",)
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

    @property
    def summary(self) -> str:
        """What was ordered, in a line: "2 x Siddhartha, 1 x Emma"."""
        counts = Counter(line.product.name for line in self.lines.all())
        return ", ".join(f"{count} x {name}" for name, count in counts.items())

    @property
    def total_price(self) -> Decimal:
        """What was ordered costs: all lines."""
        return sum((line.price for line in self.lines.all()), Decimal("0.00"))

    @property
    def cancelled_total(self) -> Decimal:
        """What of that is not charged: the cancelled lines."""
        cancelled = (line.price for line in self.lines.all() if line.status == OrderLine.CANCELLED)
        return sum(cancelled, Decimal("0.00"))

    @property
    def grand_total(self) -> Decimal:
        """What is to pay, or was: the lines that are not cancelled."""
        return self.total_price - self.cancelled_total

    @property
    def mobile_thumb_url(self) -> str | None:
        """The address of the first product's thumbnail, or None where it has no picture."""
        for line in self.lines.all()[:1]:
            for image in line.product.images.all()[:1]:
                return picture_address(image.thumbnail.name or "")
        return None

    @property
    def is_cancelled(self) -> bool:
        return self.date_cancelled is not None

    def can_cancel(self) -> bool:
        """Whether dispatch has not begun: every line is still new."""
        return self.status != self.DONE and {line.status for line in self.lines.all()} == {OrderLine.NEW}

    @property
    def stage(self) -> Stage:
        """How far the order is; of one that is partly sent, that it is being packed."""
        found = {line.status for line in self.lines.all()}
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
        return Stage.CANCELLED.label if self.stage == Stage.CANCELLED else self.get_status_display()

    def steps(self) -> list[Step]:
        """The way of an order from the shopper to the shopper, and where it is on it."""
        return steps_to(self.stage)

    def books(self) -> list[OrderedBook]:
        """Its lines by book, in the sequence they were ordered in."""
        books: dict[tuple[int, Decimal], OrderedBook] = {}
        for line in self.lines.all():
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
        """Call the whole order off. Raises ValidationError once any of its lines is being processed."""
        self.lock()
        if self.is_cancelled:
            return
        # Not can_cancel(): what was prefetched may be older than the lock.
        if self.status == self.DONE or self.lines.exclude(status=OrderLine.NEW).exists():
            raise ValidationError("This order is being processed and can no longer be cancelled.", code="processing")
        self.lines.update(status=OrderLine.CANCELLED)
        self.date_cancelled = timezone.now()
        was_paid = self.status == self.PAID
        self.save(update_fields=["date_cancelled", "date_updated"])
        if was_paid:
            order_cancelled.send(Order, order=self)

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

    def update(self, **values: Any) -> int:
        if "status" not in values:
            return super().update(**values)
        with transaction.atomic():
            orders = Order.objects.filter(pk__in=set(self.order_by().values_list("order", flat=True))).locked()
            updated = super().update(**values)
            orders.complete_closed()
        return updated


class OrderLine(Covered, models.Model):
    class Status(models.IntegerChoices):
        NEW = 10
        PROCESSING = 20
        SENT = 30
        CANCELLED = 40

    NEW, PROCESSING, SENT, CANCELLED = Status
    CLOSED = (SENT, CANCELLED)
    # What a line may become from where it is; sent and cancelled are final.
    NEXT: dict[int, tuple[int, ...]] = {
        NEW: (PROCESSING, SENT, CANCELLED),
        PROCESSING: (SENT, CANCELLED),
        SENT: (),
        CANCELLED: (),
    }
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
        new = self.Status(status)
        if new not in self.NEXT[self.status]:
            now = self.Status(self.status)
            final = " It is final." if self.status in self.CLOSED else ""
            raise ValidationError(
                f"A line that is {now.label.lower()} cannot become {new.label.lower()}.{final}", code="final"
            )
        self.status = new
        self.save(update_fields=["status", "date_updated"])
        return True

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
