"""Money that came in for an order, or was asked for."""

from decimal import Decimal
from typing import TypeAlias

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone

from shop.database.constraints import Check, one_of
from shop.values.money import ZERO


class PaymentMethod(models.TextChoices):
    CARD = "card", "Card"
    TRANSFER = "transfer", "Transfer"


class PaymentStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    PAID = "paid", "Paid"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


class PaymentQuerySet(models.QuerySet["Payment"]):
    def paid(self) -> "PaymentQuerySet":
        return self.filter(status=PaymentStatus.PAID)

    def pending(self) -> "PaymentQuerySet":
        return self.filter(status=PaymentStatus.PENDING)

    def begun(self) -> "PaymentQuerySet":
        """Those by card that the provider knows of and that are not over."""
        return self.pending().filter(method=PaymentMethod.CARD).exclude(reference=None)

    def total(self) -> Decimal:
        return self.aggregate(sum=Sum("amount"))["sum"] or ZERO


def shop_currency() -> str:
    return settings.CURRENCY


class Payment(models.Model):
    Method: TypeAlias = PaymentMethod
    Status: TypeAlias = PaymentStatus

    order = models.ForeignKey("shop.Order", on_delete=models.PROTECT, related_name="payments")
    method = models.CharField(max_length=10, choices=Method.choices)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    currency = models.CharField(max_length=3, default=shop_currency)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    reference = models.CharField("the provider's id", max_length=255, unique=True, null=True, blank=True)
    # What the provider calls the money that moved, once it did: refunds and disputes name it.
    charge = models.CharField(max_length=255, blank=True, db_index=True, editable=False)
    date_added = models.DateTimeField(auto_now_add=True)
    date_paid = models.DateTimeField(null=True, blank=True, editable=False)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            one_of("method", PaymentMethod, "payment_method_known"),
            one_of("status", PaymentStatus, "payment_status_known"),
            Check(name="payment_amount_above_zero", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"Payment {self.pk} of order {self.order_id}"

    def close(self, status: str) -> None:
        """Note how it ended; `date_paid` says when money came. The caller holds the order's lock."""
        self.status = status
        if status == PaymentStatus.PAID:
            self.date_paid = timezone.now()
        self.save(update_fields=["status", "date_paid", "charge", "reference"])

    def refundable(self) -> Decimal:
        """What of it was not given back yet, nor is about to be."""
        return self.amount - self.refunds.claimed().total() if self.status == PaymentStatus.PAID else ZERO
