import secrets
import uuid
from datetime import timedelta
from typing import TypeAlias

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from shop.database.constraints import one_of
from shop.models import Order
from staff.outbound_http import ForbiddenAddress, destination


def new_secret() -> str:
    return secrets.token_urlsafe(32)


class EventKind(models.TextChoices):
    ORDER_PAID = "order.paid"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_UPDATED = "order.updated"


class Webhook(models.Model):
    """Where dispatch wants to be told of orders."""

    url = models.URLField("URL", max_length=500, unique=True)
    secret = models.CharField(
        max_length=200, default=new_secret, help_text="What each post is signed with; hand it to the dispatch company."
    )
    active = models.BooleanField(default=True)
    date_added = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.url

    def clean(self) -> None:
        try:
            destination(self.url)
        except (ForbiddenAddress, OSError) as error:
            raise ValidationError({"url": str(error)}) from error


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def pending(self) -> "WebhookDeliveryQuerySet":
        """Those that are still to be posted."""
        return self.filter(next_attempt__isnull=False)

    def untried(self) -> "WebhookDeliveryQuerySet":
        """Pending, and not even claimed for a first attempt."""
        return self.pending().filter(attempts=0)

    def overdue(self) -> "WebhookDeliveryQuerySet":
        """Pending, and so long past their time that whoever was to post them is not going to."""
        return self.filter(next_attempt__lt=timezone.now() - WebhookDelivery.GRACE).order_by("next_attempt")


class WebhookDelivery(models.Model):
    """One event for one webhook, and how posting it went."""

    Kind: TypeAlias = EventKind
    # Growing pauses that add up to a day; then it is given up until somebody resends it.
    PAUSES = [timedelta(minutes=minutes) for minutes in (1, 4, 15, 60, 160, 400, 800)]
    # A worker that is busy comes later than planned, and needs no help.
    GRACE = timedelta(seconds=30)
    # What changes within so long is told together.
    BURST = timedelta(seconds=5)
    ANSWER_LENGTH = 1000

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField("event id", default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    status_code = models.PositiveSmallIntegerField("last status", null=True, blank=True)
    answer = models.TextField("last answer", blank=True)
    next_attempt = models.DateTimeField(null=True, blank=True, default=timezone.now)
    date_delivered = models.DateTimeField("delivered", null=True, blank=True)
    date_added = models.DateTimeField("happened", auto_now_add=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "webhook deliveries"
        # An order is paid once and cancelled once, whoever says so how often; it may change again and again.
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "kind", "order"],
                name="one_delivery_of_what_happens_once",
                condition=~models.Q(kind="order.updated"),
            ),
            one_of("kind", EventKind, "webhook_delivery_kind_known"),
        ]
        indexes = [
            models.Index(
                "next_attempt",
                name="webhook_delivery_pending",
                condition=models.Q(next_attempt__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of order {self.order_id}"

    @property
    def state(self) -> str:
        """ "delivered", "waiting" for its next attempt, or "given up"."""
        if self.date_delivered:
            return "delivered"
        return "waiting" if self.next_attempt else "given up"

    def claim(self, attempt: int) -> bool:
        """Take the `attempt`-th posting for oneself; False where somebody had it, or nothing is left to do.

        The next attempt is planned before the post, so that a worker that dies on the way loses nothing.
        """
        pause = self.PAUSES[attempt] if attempt < len(self.PAUSES) else None
        self.next_attempt = timezone.now() + pause if pause else None
        self.attempts = attempt + 1
        return bool(
            WebhookDelivery.objects.pending()
            .filter(pk=self.pk, attempts=attempt)
            .update(attempts=self.attempts, next_attempt=self.next_attempt)
        )

    def note(self, status_code: int | None, answer: str) -> None:
        """Keep what was answered; a 2xx status ends the attempts."""
        self.status_code, self.answer = status_code, answer[: self.ANSWER_LENGTH].replace("\0", "")
        if status_code and 200 <= status_code < 300:
            self.date_delivered, self.next_attempt = timezone.now(), None
        self.save(update_fields=["status_code", "answer", "date_delivered", "next_attempt"])

    def give_up(self, reason: str) -> None:
        self.next_attempt, self.answer = None, reason
        self.save(update_fields=["next_attempt", "answer"])

    def renew(self) -> None:
        """Begin anew with the same event id, also when it was delivered or given up."""
        self.attempts, self.date_delivered, self.next_attempt = 0, None, timezone.now()
        self.save(update_fields=["attempts", "date_delivered", "next_attempt"])
