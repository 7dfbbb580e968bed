"""What tests of card payments do: see the stand-in for the provider in `tests/stripe_server.py`."""

from datetime import timedelta

from django.utils import timezone

from shop.models import Order
from tests.factories import OrderFactory, OrderLineFactory


def an_order(user):
    """Of one book for 18.50."""
    order = OrderFactory(user=user)
    OrderLineFactory(order=order, price="18.50", product__name="Emma")
    return order


def begin(browser, order):
    answer = browser.post(f"/orders/{order.pk}/pay/")
    assert answer.status_code == 303, answer
    return answer.url.rpartition("/")[2]


def session_of(stripe, order):
    return next(s for s in stripe.sessions.values() if s["client_reference_id"] == str(order.pk))


def status_of(order):
    return Order.objects.get(pk=order.pk).status


def age(order, hours):
    """As if it had been placed, and its payment begun, so long ago."""
    moment = timezone.now() - timedelta(hours=hours)
    Order.objects.filter(pk=order.pk).update(date_added=moment)
    order.payments.update(date_added=moment)
