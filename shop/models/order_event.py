from typing import Any, TypeAlias

from django.conf import settings
from django.db import models

from shop.database.constraints import one_of


class EventKind(models.TextChoices):
    """What happens to an order and its money."""

    PLACED = "placed", "Placed"
    BEGUN = "begun", "Payment begun"
    PAID = "paid", "Paid"
    NOT_PAID = "not_paid", "Payment not made"
    REFUND = "refund", "Refund begun"
    REFUNDED = "refunded", "Refunded"
    NOT_REFUNDED = "not_refunded", "Refund refused"
    SENT = "sent", "Sent"
    RETURN = "return", "Return"
    CANCELLED = "cancelled", "Cancelled"


class OrderEvent(models.Model):
    """A sentence of an order's story: written once, never changed."""

    Kind: TypeAlias = EventKind
    # What the shopper is told of it; the rest is for the staff.
    FOR_SHOPPER = (
        EventKind.PLACED,
        EventKind.PAID,
        EventKind.SENT,
        EventKind.RETURN,
        EventKind.REFUNDED,
        EventKind.CANCELLED,
    )

    order = models.ForeignKey("shop.Order", on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    amount = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    text = models.CharField(max_length=300, blank=True)
    # Nobody, where it happened by itself.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    happened_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)
        constraints = [one_of("kind", EventKind, "order_event_kind_known")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: order {self.order_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("What happened is not changed afterwards.")
        super().save(*args, **kwargs)
