from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.lookups import Exact
from django.urls import reverse
from django.utils import timezone

from shop.database.constraints import Check, one_of
from shop.models.basket import Basket
from shop.models.company import Company
from shop.models.late_saves import VerbsDecide
from shop.models.order_addresses import OrderAddresses
from shop.models.order_event import OrderEvent
from shop.models.order_line import OrderLine, OrderStatus
from shop.models.order_parcels import OrderParcels, gather_sent
from shop.models.order_placing import OrderPlacing
from shop.models.order_progress import Marked, Stage, Step, steps_to
from shop.models.order_returns import OrderReturns
from shop.models.payment import Payment
from shop.models.refund import Refund
from shop.models.stock_move import StockMove
from shop.models.user import User
from shop.signals import nothing_left, order_cancelled, order_paid, orders_changed
from shop.values.money import ZERO


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, user: Any) -> "OrderQuerySet":
        """A shopper's own orders, and every order for an employee; a visitor sees none."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_employee else self.filter(user=user)

    def paid(self) -> "OrderQuerySet":
        """What dispatch works on: paid, and not all sent or cancelled yet."""
        return self.filter(status=Order.PAID)

    def for_dispatch(self) -> "OrderQuerySet":
        """`paid`, but for those of which all that is left to send was ordered before its day."""
        waiting = OrderLine.objects.order_by().waiting().values("order")
        sendable = OrderLine.objects.open().not_waiting().filter(order=models.OuterRef("pk"))
        return self.paid().exclude(models.Q(pk__in=waiting) & ~models.Exists(sendable))

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

    def with_account(self) -> "OrderQuerySet":
        """Each with its payments and refunds (see `Order.account`), in two more queries."""
        paid = Payment.objects.paid().prefetch_related("refunds")
        return self.prefetch_related(models.Prefetch("payments", paid, to_attr="_paid"))

    def update(self, **values: Any) -> int:
        # An expression, as of bulk_update(), may be anything.
        if "status" not in values or (isinstance(values["status"], int) and values["status"] != Order.PAID):
            return super().update(**values)
        with transaction.atomic():
            orders = Order.objects.filter(pk__in=list(self.values_list("pk", flat=True))).locked()
            unpaid = list(orders.filter(status=Order.NEW).values_list("pk", flat=True))
            updated = super().update(**values)
            for order in Order.objects.filter(pk__in=unpaid, status=Order.PAID):
                order.record_payment()
            orders.complete_closed()
        return updated

    def settle(self) -> None:
        """Give back the copies of what is cancelled now, and what was paid for it; needs their locks."""
        StockMove.objects.give_back(OrderLine.objects.filter(order__in=self, status=OrderLine.CANCELLED))
        for order in self.filter(pk__in=Payment.objects.paid().values("order")):
            order.settle(Refund.Cause.CANCELLED)
        for order in self.filter(self._cancelled_by_line(), date_cancelled=None):
            nothing_left.send(Order, order=order)

    def gather_sent(self) -> None:
        """What is sent of them and in no parcel yet comes into one; needs their locks."""
        gather_sent(self)

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

    def delete(self) -> tuple[int, dict[str, int]]:
        """Django's own; copies that are not sent are left to sell again."""
        with transaction.atomic():
            unsent = OrderLine.objects.filter(order__in=self.locked()).exclude(status=OrderLine.SENT)
            StockMove.objects.give_back(unsent)
            return super().delete()

    # As Django marks its own: not for templates to call.
    delete.alters_data = True  # type: ignore[attr-defined]  # an attribute of a function
    delete.queryset_only = True  # type: ignore[attr-defined]

    def complete_closed(self) -> int:
        """Those that are paid, and whose lines are all sent or cancelled, become done; how many."""
        closed = self.paid().closed()
        return super(OrderQuerySet, closed).update(status=Order.DONE, date_updated=timezone.now())


class Order(OrderAddresses, OrderParcels, OrderReturns, VerbsDecide):
    Status: TypeAlias = OrderStatus
    NEW, PAID, DONE = Status
    # For these money came in; what is new may never be paid.
    PAID_FOR = (PAID, DONE)
    BY_VERBS = ("status", "date_cancelled")

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="orders")
    # One basket makes one order, whatever happens: the database says so.
    basket = models.OneToOneField(
        Basket, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="order"
    )
    status = models.IntegerField(choices=Status.choices, default=Status.NEW)

    # As it was when it was ordered: how it is sent, how long that takes, and what it costs.
    delivery_name = models.CharField(max_length=100, blank=True, default="", db_default="", editable=False)
    delivery_days = models.CharField(max_length=40, blank=True, default="", db_default="", editable=False)
    delivery_price = models.DecimalField(max_digits=8, decimal_places=2, default=ZERO, db_default=ZERO, editable=False)

    # Where the site stood that it was placed on, for the links in its mails: "https://shop.example".
    site = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)

    # Who sold it, as `Company.printed()`.
    seller = models.JSONField(null=True, editable=False)

    date_added = models.DateTimeField(auto_now_add=True)
    date_updated = models.DateTimeField(auto_now=True)
    date_cancelled = models.DateTimeField(null=True, blank=True, editable=False)
    last_spoken_to = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="chats_led")

    objects = OrderPlacing.from_queryset(OrderQuerySet)()

    class Meta:
        ordering = ("-pk",)
        constraints = [
            one_of("status", OrderStatus, "order_status_known"),
            Check(name="order_delivery_price_not_negative", condition=models.Q(delivery_price__gte=0)),
        ]
        indexes = [
            models.Index(models.F("status"), models.F("id").desc(), name="order_by_status"),
            models.Index("date_added", name="order_by_date_added"),
            models.Index("date_updated", name="order_by_date_updated"),
        ]

    def __str__(self) -> str:
        return f"Order {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("order_detail", args=[self.pk])

    def link(self) -> str:
        """The address of its page for a mail; nothing where nobody said where the site is."""
        site = settings.SITE_ADDRESS or self.site
        return f"{site}{self.get_absolute_url()}" if site else ""

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding and self.seller is None:
            self.seller = Company.objects.current().printed()
        with transaction.atomic():
            turns_paid = self._turns_paid(kwargs.get("update_fields"))
            super().save(*args, **kwargs)
            if any(name.startswith("shipping_") for name in kwargs.get("update_fields") or ()):
                orders_changed.send(Order, orders=Order.objects.filter(pk=self.pk))
            if turns_paid:
                self.record_payment()
                order_paid.send(Order, order=self)
            if self.status == self.PAID:
                self.complete_if_closed()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Django's own; copies that are not sent are left to sell again."""
        with transaction.atomic():
            self.lock()
            StockMove.objects.give_back(self.lines.exclude(status=OrderLine.SENT))
            return super().delete(*args, **kwargs)

    def _turns_paid(self, update_fields: Iterable[str] | None) -> bool:
        """Whether saving announces a payment: also when the status is set in a form rather than by `mark_paid`."""
        saved = update_fields is None or "status" in update_fields
        return self.status == self.PAID and saved and not Order.objects.paid().filter(pk=self.pk).exists()

    @property
    def is_cancelled(self) -> bool:
        return self.date_cancelled is not None

    def can_cancel(self) -> bool:
        """Whether dispatch has not begun: what is not cancelled already is still new."""
        found = {line.status for line in self.groups()}
        return bool(found) and not self._why_not_cancelled(found)

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

    def lock(self) -> None:
        """Wait for the others who change this order, and read anew what its verbs decide by; needs a transaction."""
        self.forget_lines()
        self.status, self.date_cancelled = (
            Order.objects.select_for_update().values_list("status", "date_cancelled").get(pk=self.pk)
        )
        self.note_read()

    @transaction.atomic
    def mark_paid(self, by: Any = None) -> bool:
        """A new order becomes paid, as what was due came in by transfer; False where it was paid already.

        Raises ValidationError for a cancelled order, be it line by line.
        """
        self.lock()
        if self.stage == Stage.CANCELLED:
            raise ValidationError(f"Order {self.pk} was cancelled: it cannot be paid.", code="cancelled")
        if self.status != self.NEW:
            return False
        self.record_payment(by)
        self.status = self.PAID
        self.save(update_fields=["status", "date_updated"])
        return True

    @transaction.atomic
    def cancel(self, by: Any = None, why: str = "") -> None:
        """Call off all of the order that is not cancelled yet; what was paid for it goes back.

        Raises ValidationError once any of its lines is being processed, and where nothing is left to call off.
        """
        self.lock()
        if self.is_cancelled:
            return
        # Not can_cancel(): what was read for a page may be older than the lock.
        found = set(self.lines.order_by().values_list("status", flat=True).distinct())
        if why_not := self._why_not_cancelled(found):
            raise ValidationError(why_not, code="processing")
        was_paid = self.status == self.PAID
        self.tell(OrderEvent.Kind.CANCELLED, text=why, by=by)
        self.lines.exclude(status=OrderLine.CANCELLED).update(status=OrderLine.CANCELLED)
        self.date_cancelled = timezone.now()
        self.save(update_fields=["date_cancelled", "date_updated"])
        order_cancelled.send(Order, order=self, was_paid=was_paid)

    @transaction.atomic
    def cancel_unpaid(self, why: str) -> bool:
        """Call it off if nothing was paid for it, and nobody has to decide what came; whether it was."""
        self.lock()
        awaits_a_person = self.payment_problems.filter(settled_at=None).exists()
        if self.status != self.NEW or self.is_cancelled or self.payments.paid().exists() or awaits_a_person:
            return False
        self.cancel(why=why)
        return True

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
