import logging
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models, transaction

from shop.models.basket import Basket
from shop.models.delivery_method import DeliveryMethod
from shop.models.order_event import OrderEvent
from shop.models.order_line import OrderLine
from shop.models.user import Address
from shop.signals import order_placed
from shop.values.money import money

if TYPE_CHECKING:
    from shop.models.order import Order

logger = logging.getLogger(__name__)


def check_total(total: Decimal, expected: Decimal | None) -> None:
    """Raises ValidationError where an order costs something else than its shopper expected."""
    if expected is not None and total != expected:
        raise ValidationError(
            f"A price changed while you were here, or what is in your basket: the total is now {money(total)}, it was "
            f"{money(expected)}. Look it over, then place your order.",
            code="changed",
        )


class OrderPlacing(models.Manager["Order"]):
    """How a basket becomes an order: here its prices are charged."""

    @transaction.atomic
    def place(
        self,
        basket: Basket,
        billing_address: Address,
        shipping_address: Address,
        *,
        expected_total: Decimal | None = None,
        site: str = "",
        delivery_method: DeliveryMethod | None = None,
    ) -> "Order":
        """The order that this basket makes: one, however often or however many times at once it is asked for.

        Each single item becomes a line with the price of this moment; `expected_total` is what the shopper agreed to
        pay with delivery, `site` where the site stands that mails about it lead to, `delivery_method` how it is sent:
        None is the cheapest way there is. Raises ValidationError for a basket that is empty, has no user, holds more
        than an order may or a book that cannot be bought any more, that is not delivered there (see `Rates.choose`), or
        costs something else than was expected; nothing is changed then.
        """
        basket = Basket.objects.select_for_update().get(pk=basket.pk)
        if basket.status == Basket.SUBMITTED:
            return self.get(basket=basket)
        if basket.user is None:
            raise ValidationError("Log in before you place an order.", code="no_user")
        lines = basket.lines.select_related("product")
        lines.check_orderable()
        delivery = DeliveryMethod.objects.rates().choose(
            delivery_method, shipping_address.country, lines.total_price(), lines.weight()
        )
        check_total(lines.total_price() + delivery.price, expected_total)
        texts = self.model.texts_of(billing=billing_address, shipping=shipping_address)
        texts |= {"delivery_name": delivery.name, "delivery_days": delivery.days}
        order = self.create(user=basket.user, basket=basket, site=site[:300], delivery_price=delivery.price, **texts)
        OrderLine.objects.bulk_create(
            OrderLine(order=order, product=line.product, price=line.product.price)
            for line in lines
            for _ in range(line.quantity)
        )
        basket.status = Basket.SUBMITTED
        basket.save(update_fields=["status"])
        order.tell(OrderEvent.Kind.PLACED, order.grand_total, by=order.user)
        order_placed.send(self.model, order=order)
        logger.info("Order placed", extra={"fields": {"order": order.pk, "user": order.user_id}})
        return order
