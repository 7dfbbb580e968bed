"""Books that a shopper sends back: asked for, received, and taken back with a refund, or refused."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from shop.database.constraints import one_of
from shop.models.order_event import OrderEvent
from shop.models.stock_move import StockKind, StockMove
from shop.signals import return_moved
from shop.values.money import ZERO, rounded

if TYPE_CHECKING:
    from shop.models.order_line import OrderLineQuerySet


class ReturnStatus(models.TextChoices):
    ASKED = "asked", "Asked for"
    RECEIVED = "received", "Received"
    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"


class ReturnQuerySet(models.QuerySet["Return"]):
    def open(self) -> "ReturnQuerySet":
        """Those that somebody has to decide."""
        return self.filter(status__in=Return.OPEN)


class Return(models.Model):
    """A line is in one return at most; a refused one lets it go, and says in `books` what it was about."""

    Status: TypeAlias = ReturnStatus
    OPEN = (ReturnStatus.ASKED, ReturnStatus.RECEIVED)

    order = models.ForeignKey("shop.Order", on_delete=models.CASCADE, related_name="returns")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ASKED)
    # "2 x Siddhartha, 1 x Emma".
    books = models.TextField()
    reason = models.CharField(max_length=500)
    # What the shop said to it, and what went back.
    answer = models.CharField(max_length=300, blank=True)
    amount = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    restocked = models.BooleanField(default=False)
    asked_at = models.DateTimeField(auto_now_add=True)
    received_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    lines: "OrderLineQuerySet"
    objects = ReturnQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = [one_of("status", ReturnStatus, "return_status_known")]

    def __str__(self) -> str:
        return f"Return {self.pk} of order {self.order_id}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    def worth(self) -> Decimal:
        """What goes back for its books, as far as it did not before; with the last ones, what their delivery cost."""
        lines = dict(self.lines.annotate(left=models.F("price") - models.F("refunded")).values_list("pk", "left"))
        books = sum((rounded(left) for left in lines.values()), ZERO)
        return books + self.order.delivery_beside(lines)

    @transaction.atomic
    def receive(self, by: Any = None) -> None:
        """Note that the books came. Raises ValidationError once it was decided; received twice, it is received."""
        self._lock()
        if self.status == ReturnStatus.ASKED:
            self.received_at = timezone.now()
            self._move(ReturnStatus.RECEIVED, by, self.books)

    @transaction.atomic
    def accept(self, by: Any = None, *, restock: bool = False, amount: Decimal | None = None) -> None:
        """Take the books back: refund `amount`, or what they are worth, and sell them again if `restock`.

        Raises ValidationError, and changes nothing, once it was decided, and for more than can be refunded.
        """
        self._lock()
        amount = self.worth() if amount is None else amount
        self.amount, self.restocked, self.decided_at = amount, restock, timezone.now()
        if restock:
            StockMove.objects.give_back(self.lines.all(), StockKind.RETURNED, by)
        if amount:
            # What went back as a whole before has no part in it.
            lines = list(self.lines.filter(refunded__lt=models.F("price")))
            self.order.refund(amount, f"Sent back: {self.books}"[:300], lines=lines, by=by)
        self._move(ReturnStatus.ACCEPTED, by, self.books)

    @transaction.atomic
    def refuse(self, why: str, by: Any = None) -> None:
        """Raises ValidationError once it was decided, and without a reason, which the shopper is told."""
        self._lock()
        if not why.strip():
            raise ValidationError("Say why: the shopper is told.", code="no_reason")
        self.answer, self.decided_at = why[:300], timezone.now()
        self.lines.update(returned_in=None)
        self._move(ReturnStatus.REFUSED, by, self.answer)

    def _lock(self) -> None:
        self.order.lock()
        self.refresh_from_db()
        if not self.is_open:
            raise ValidationError(f"It was {self.get_status_display().lower()} before.", code="decided")

    def _move(self, status: ReturnStatus, by: Any, text: str) -> None:
        self.status, self.by = status, by
        self.save()
        self.order.tell(OrderEvent.Kind.RETURN, self.amount, f"{status.label.lower()}: {text}", by)
        return_moved.send(Return, moved=self)
