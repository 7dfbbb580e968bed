from django.db import models
from django.utils import timezone

from shop.values.carriers import tracking_link


class Parcel(models.Model):
    """What goes out to an order's shopper at once, with one carrier and one number for all that is in it."""

    # What a line notes of the parcel that it travels in.
    LABEL = ("carrier", "tracking_number")

    order = models.ForeignKey("shop.Order", on_delete=models.CASCADE, related_name="parcels")
    carrier = models.CharField(max_length=60, blank=True)
    tracking_number = models.CharField(max_length=60, blank=True)
    date_sent = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"Parcel {self.pk} of order {self.order_id}"

    @property
    def label(self) -> str:
        """As the carrier calls it: "Royal Mail AB123", or nothing."""
        return f"{self.carrier} {self.tracking_number}".strip()

    @property
    def link(self) -> str:
        """Where its carrier says how far it is; nothing where that is not known."""
        return tracking_link(self.carrier, self.tracking_number)
