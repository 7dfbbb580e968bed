from datetime import timedelta

from django.db import models
from django.utils import timezone


class Housekeeping(models.Model):
    """The one row that says when old rows were last swept away, so that one of several workers does it."""

    EVERY = timedelta(hours=1)

    begun = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Swept at {self.begun}"

    @classmethod
    def claim(cls) -> bool:
        """Whether it is time to sweep, and nobody else took it on."""
        now = timezone.now()
        _, is_first = cls.objects.get_or_create(pk=1, defaults={"begun": now})
        return is_first or bool(cls.objects.filter(pk=1, begun__lte=now - cls.EVERY).update(begun=now))
