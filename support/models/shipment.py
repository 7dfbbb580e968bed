from django.db import models
from django.utils import timezone

from shop.models import Order
from support.models.chat import utc_text


class ShipmentNews(models.Model):
    """The last good answer that a carrier gave about an order's parcel."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, primary_key=True, related_name="shipment_news")
    text = models.TextField()
    as_of = models.DateTimeField()

    class Meta:
        verbose_name_plural = "shipment news"

    def __str__(self) -> str:
        return f"Order {self.order_id}: {self.text[:50]}"

    @classmethod
    def note(cls, order_id: int, text: str) -> None:
        """Keep what the carrier says now."""
        cls.objects.update_or_create(order_id=order_id, defaults={"text": text, "as_of": timezone.now()})

    @classmethod
    def last_known(cls, order_id: int) -> dict[str, str | None]:
        """{"last_known": text, "as_of": its time}, both None where the carrier never answered."""
        news = cls.objects.filter(order_id=order_id).first()
        return {"last_known": news.text if news else None, "as_of": utc_text(news.as_of) if news else None}
