"""Money that goes back to whoever paid."""

from decimal import Decimal
from typing import Any, TypeAlias

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from shop.database.constraints import Check, one_of
from shop.models.counter import Counter
from shop.models.payment import Payment, PaymentMethod
from shop.values.money import ZERO
from shop.values.vat import VatRow, vat_table


class RefundStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class RefundCause(models.TextChoices):
    """Why there is one. What was cancelled or paid too much is given back by itself, and once."""

    CANCELLED = "cancelled", "Cancelled"
    SURPLUS = "surplus", "Paid too much"
    PROVIDER = "provider", "Made at the provider's"
    LINES = "lines", "For books that were sent"
    GOODWILL = "goodwill", "Goodwill"


# They give back what an order does not cost any more, or never did.
FOR_LESS_BOUGHT = (RefundCause.CANCELLED, RefundCause.SURPLUS, RefundCause.PROVIDER)


class RefundQuerySet(models.QuerySet["Refund"]):
    def done(self) -> "RefundQuerySet":
        return self.filter(status=RefundStatus.DONE)

    def claimed(self) -> "RefundQuerySet":
        """Those that were made or will be: what is pending is as good as gone."""
        return self.exclude(status=RefundStatus.FAILED)

    def promised(self) -> "RefundQuerySet":
        """Those, and what the provider refused: that is owed until a person settled it."""
        refused = Refund.objects.filter(status=RefundStatus.FAILED, problems__isnull=False, problems__settled_at=None)
        return self.filter(~Q(status=RefundStatus.FAILED) | Q(pk__in=refused.values("pk")))

    def to_make_by_hand(self) -> "RefundQuerySet":
        """Those that a person sends at the bank."""
        return self.filter(status=RefundStatus.PENDING, payment__method=PaymentMethod.TRANSFER)

    def for_less_bought(self) -> "RefundQuerySet":
        return self.filter(cause__in=FOR_LESS_BOUGHT)

    def total(self) -> Decimal:
        return self.aggregate(sum=Sum("amount"))["sum"] or ZERO


class Refund(models.Model):
    Status: TypeAlias = RefundStatus
    Cause: TypeAlias = RefundCause

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    reason = models.CharField(max_length=300)
    cause = models.CharField(max_length=10, choices=Cause.choices, default=Cause.GOODWILL)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    reference = models.CharField("the provider's id", max_length=255, unique=True, null=True, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    # Of its credit note: BTC1, BTC2 and so on.
    number = models.PositiveIntegerField(unique=True, editable=False)
    # What of it was charged at which rate of VAT: pairs of texts, of percent (or null) and an amount.
    at_rates = models.JSONField(default=list, editable=False)
    # How often a person had it tried again after the provider refused it.
    again = models.PositiveSmallIntegerField(default=0, editable=False)
    date_added = models.DateTimeField(auto_now_add=True)
    date_done = models.DateTimeField(null=True, blank=True, editable=False)

    objects = RefundQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            one_of("status", RefundStatus, "refund_status_known"),
            one_of("cause", RefundCause, "refund_cause_known"),
            Check(name="refund_amount_above_zero", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"Refund {self.pk} of order {self.payment.order_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            if self.number is None:
                self.amount = Refund._meta.get_field("amount").to_python(self.amount)
                self.number = Counter.next("credit note")
                # What was paid too much was no price of anything.
                if not self.at_rates and self.cause != RefundCause.SURPLUS:
                    self.at_rates = self.payment.order.rates_of(self.amount)
            super().save(*args, **kwargs)

    @property
    def credit_note(self) -> str:
        """The number of its credit note."""
        return f"BTC{self.number}"

    @property
    def is_by_card(self) -> bool:
        """Whether the provider gives it back, or a person by transfer."""
        if self.payment.method != PaymentMethod.CARD:
            return False
        return self.status != RefundStatus.DONE or bool(self.reference) or self.cause == RefundCause.PROVIDER

    def vat_table(self) -> list[VatRow]:
        """What is given back of the VAT that was charged, a row for each rate."""
        return vat_table((percent and Decimal(percent), Decimal(gross)) for percent, gross in self.at_rates)

    def close(self, status: str, reference: str | None = None) -> None:
        """Note how it ended. The caller holds the order's lock."""
        self.status, self.reference = status, reference or self.reference
        self.date_done = timezone.now() if status == RefundStatus.DONE else None
        self.save(update_fields=["status", "reference", "date_done"])
