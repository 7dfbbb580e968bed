from django.db import models
from django.db.models import F


class Counter(models.Model):
    """Numbers without a gap: a row for each series, which whoever takes the next one holds until it is stored."""

    name = models.CharField(max_length=30, primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.last}"

    @classmethod
    def next(cls, name: str) -> int:
        """The next number, which is given back where the transaction is; needs one."""
        counters = cls.objects.filter(name=name)
        if not counters.update(last=F("last") + 1):
            cls.objects.get_or_create(name=name)
            counters.update(last=F("last") + 1)
        return counters.values_list("last", flat=True).get()
