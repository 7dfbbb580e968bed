from string import Template

from django.db import models
from django.utils import timezone

from shop.models import Order, User
from shop.values.money import money


class Note(models.Model):
    """What agents tell each other about an order. It never reaches the shopper: it is no kind of message."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=4000)
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.author} on order {self.order_id}: {self.text[:50]}"


class CannedReply(models.Model):
    """An answer that agents need often; $name, $agent, $order, $books, $total and $city are filled in."""

    title = models.CharField(max_length=60)
    text = models.TextField(
        max_length=4000, help_text="$name, $agent, $order, $books, $total and $city are filled in from the order."
    )
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "title")
        verbose_name_plural = "canned replies"

    def __str__(self) -> str:
        return self.title

    def filled(self, order: Order, agent: User) -> str:
        """The text with the order's data in it; a word after $ that is not known stays as it is."""
        return Template(self.text).safe_substitute(
            name=order.user.first_name or order.shipping_name,
            agent=agent.first_name or "customer service",
            order=order.pk,
            books=order.summary,
            total=money(order.grand_total),
            city=order.shipping_city,
        )
