from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone


class ProviderEventQuerySet(models.QuerySet["ProviderEvent"]):
    def due(self) -> "ProviderEventQuerySet":
        """Those that were not taken in yet, and that nobody has in hand."""
        now = timezone.now()
        return self.filter(handled_at=None, not_before__lte=now, received_at__gte=now - ProviderEvent.PATIENCE)

    def to_forget(self, before: datetime) -> "ProviderEventQuerySet":
        return self.filter(received_at__lt=before)


class ProviderEvent(models.Model):
    """What a provider of payments told by itself. It tells it again and again until it is answered; it counts once."""

    PAUSE = timedelta(minutes=1)
    # What cannot be taken in for so long is about nothing of ours.
    PATIENCE = timedelta(days=3)

    event_id = models.CharField(max_length=255, unique=True)
    kind = models.CharField(max_length=100)
    # What the event is about, as it was then.
    subject = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=300, blank=True)

    objects = ProviderEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index("not_before", name="provider_event_due", condition=models.Q(handled_at=None)),
            models.Index("received_at", name="provider_event_received"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"

    def postpone(self, error: Any) -> None:
        """It could not be taken in now."""
        self.not_before, self.error = timezone.now() + self.PAUSE, str(error)[:300]
        self.save(update_fields=["not_before", "error"])
