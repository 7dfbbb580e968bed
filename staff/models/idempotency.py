from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def expired(self) -> "IdempotencyKeyQuerySet":
        return self.filter(date_added__lt=timezone.now() - IdempotencyKey.LIFETIME)


class IdempotencyKey(models.Model):
    """The first answer to a write, given again to a client that repeats it."""

    LIFETIME = timedelta(hours=24)
    MAX_LENGTH = 200

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=MAX_LENGTH)
    # What was asked, as a digest: a key names one request, not several.
    request = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(default=0)
    body: models.JSONField[Any, Any] = models.JSONField(null=True)
    etag = models.CharField(max_length=80, blank=True)
    date_added = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_a_key")]

    def __str__(self) -> str:
        return self.key
