"""From a basket to an order: the one operation over several models."""

from django.core.exceptions import ValidationError
from django.db import transaction

from shop.models import Address, Basket, Order, OrderLine


@transaction.atomic
def place_order(basket: Basket, billing_address: Address, shipping_address: Address) -> Order:
    """The order that this basket makes: one, however often or however many times at once it is asked for.

    Each single item becomes a line with the price of this moment.
    Raises ValidationError for a basket that is empty, has no user, or holds a book that cannot be bought any more;
    nothing is changed then.
    """
    basket = Basket.objects.select_for_update().get(pk=basket.pk)
    if basket.status == Basket.SUBMITTED:
        return basket.order
    if basket.user is None:
        raise ValidationError("Log in before you place an order.", code="no_user")
    lines = list(basket.lines.select_related("product"))
    if not lines:
        raise ValidationError("Your basket is empty.", code="empty")
    for line in lines:
        if not (line.product.active and line.product.in_stock):
            raise ValidationError(
                f"“{line.product}” cannot be bought any more. Take it out of your basket to go on.", code="unavailable"
            )
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
    return order
