"""From a basket to an order: the one operation over several models."""

import logging
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from shop.mail.outgoing import queue_mail
from shop.models import Address, Basket, Order, OrderLine
from shop.models.basket import BasketLineQuerySet

logger = logging.getLogger(__name__)


@transaction.atomic
def place_order(
    basket: Basket, billing_address: Address, shipping_address: Address, *, expected_total: Decimal | None = None
) -> Order:
    """The order that this basket makes: one, however often or however many times at once it is asked for.

    Each single item becomes a line with the price of this moment; `expected_total` is what the shopper agreed to pay.
    Raises ValidationError for a basket that is empty, has no user, holds more than an order may or a book that cannot
    be bought any more, or costs something else than was expected; nothing is changed then.
    """
    basket = Basket.objects.select_for_update().get(pk=basket.pk)
    if basket.status == Basket.SUBMITTED:
        return Order.objects.get(basket=basket)
    if basket.user is None:
        raise ValidationError("Log in before you place an order.", code="no_user")
    lines = basket.lines.select_related("product")
    check_orderable(lines, expected_total)
    addresses = {"billing": billing_address, "shipping": shipping_address}
    texts = {
        f"{kind}_{field}": getattr(address, field)
        for kind, address in addresses.items()
        for field in Address.POSTAL_FIELDS
    }
    order = Order.objects.create(user=basket.user, basket=basket, **texts)
    OrderLine.objects.bulk_create(
        OrderLine(order=order, product=line.product, price=line.product.price)
        for line in lines
        for _ in range(line.quantity)
    )
    basket.status = Basket.SUBMITTED
    basket.save(update_fields=["status"])
    confirm(order, lines)
    logger.info("Order placed", extra={"fields": {"order": order.pk, "user": order.user_id}})
    return order


def check_orderable(lines: BasketLineQuerySet, expected_total: Decimal | None) -> None:
    """Raises ValidationError with what keeps these lines from being ordered."""
    if not lines:
        raise ValidationError("Your basket is empty.", code="empty")
    if too_much := lines.too_much():
        raise ValidationError(too_much, code="too_much")
    if gone := lines.unavailable():
        names = ", ".join(f"“{line.product}”" for line in gone)
        them = "it" if len(gone) == 1 else "them"
        raise ValidationError(
            f"{names} cannot be bought any more. Take {them} out of your basket to go on.", code="unavailable"
        )
    if expected_total is not None and lines.total_price() != expected_total:
        raise ValidationError(
            f"What is in your basket changed while you were here: the total is now £{lines.total_price()}, it was "
            f"£{expected_total}. Look it over, then place your order.",
            code="changed",
        )


def confirm(order: Order, lines: BasketLineQuerySet) -> None:
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
