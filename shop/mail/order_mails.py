"""What a shopper is mailed about an order."""

from typing import Any

from django.dispatch import receiver

from shop.mail.outgoing import queue_mail
from shop.models import Order
from shop.models.basket_line import BasketLineQuerySet
from shop.signals import order_placed


@receiver(order_placed)
def confirm_order(order: Order, lines: BasketLineQuerySet, **kwargs: Any) -> None:
    """Mail the shopper what was ordered."""
    context = {
        "order": order.pk,
        "first_name": order.user.first_name,
        "books": [
            {"name": line.product.name, "quantity": line.quantity, "total": str(line.total_price)} for line in lines
        ],
        "total": str(lines.total_price()),
        "delivery": order.shipping_lines(),
    }
    queue_mail(f"order-confirmation-{order.pk}", order.user.email, "order_confirmation", context)
