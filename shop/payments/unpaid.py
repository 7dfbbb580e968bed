"""Card payments that were begun and not finished: whose order is called off nobody pays, and what nobody pays goes."""

import logging
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.dispatch import receiver
from django.utils import timezone
from django_tasks import task

from shop.models import Order, Payment, PaymentProblem
from shop.models.order import OrderQuerySet
from shop.payments.paying import hear, look, provider
from shop.payments.provider import ProviderAway, ProviderRefused
from shop.signals import order_cancelled

logger = logging.getLogger(__name__)


@receiver(order_cancelled)
def close_soon(order: Order, **kwargs: Any) -> None:
    if order.payments.begun().exists():
        transaction.on_commit(partial(close_payments.enqueue, order.pk), robust=True)


@task()
def close_payments(order_id: int) -> None:
    """See to it that a cancelled order is not paid any more. Where that fails, what comes is given back."""
    chosen = provider()
    for payment in Payment.objects.begun().filter(order=order_id).select_related("order"):
        if chosen is not None:
            try:
                chosen.close(payment)
                hear(payment, chosen.look(payment))
            except (ProviderAway, ProviderRefused) as error:
                logger.warning("Payment %s of a cancelled order stays open: %s", payment.pk, error)


def overdue() -> OrderQuerySet:
    """Orders whose card payment was begun too long ago, and for which nothing was paid."""
    begun = Payment.objects.filter(order=OuterRef("pk"), method=Payment.Method.CARD)
    since = timezone.now() - timedelta(hours=settings.PAY_WITHIN_HOURS)
    orders = Order.objects.filter(status=Order.NEW).not_cancelled()
    orders = orders.exclude(pk__in=PaymentProblem.objects.open().filter(order__isnull=False).values("order"))
    paid = Payment.objects.paid().filter(order=OuterRef("pk"))
    return orders.filter(Exists(begun), ~Exists(begun.filter(date_added__gte=since)), ~Exists(paid))


def cancel_overdue(limit: int = 100) -> None:
    """Cancel what was not paid in time: the provider is asked first, as its word may be late, or lost."""
    # In any order, so that some that cannot be cancelled are not always the first.
    for order in overdue().order_by("?")[:limit]:
        try:
            if not look(order):
                order.cancel_unpaid("Not paid in time")
        except ProviderAway as error:
            logger.warning("Orders that are not paid are left for now: %s", error)
            return
        except (ProviderRefused, ValidationError) as error:
            logger.warning("Order %s is not paid, and left: %s", order.pk, error)
