from django.db import models

from shop.database.constraints import one_of
from shop.models.payment import Payment, PaymentStatus


class CardDeskSession(models.Model):
    """A payment at the demo's card desk, which plays the provider: its own books, apart from the shop's."""

    payment = models.OneToOneField(Payment, on_delete=models.CASCADE, related_name="desk")
    reference = models.CharField(max_length=40, unique=True)
    status = models.CharField(max_length=10, choices=Payment.Status.choices, default=Payment.Status.PENDING)
    back = models.URLField(max_length=500)
    given_up = models.URLField(max_length=500)
    begun_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [one_of("status", PaymentStatus, "card_desk_status_known")]

    def __str__(self) -> str:
        return self.reference
