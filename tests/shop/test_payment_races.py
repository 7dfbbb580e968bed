"""Many at once: whoever tells of money, and however often, it counts once."""

from decimal import Decimal

import pytest
from django.test import Client

from shop.models import Order, Payment, ProviderEvent
from shop.payments import refunding
from tests.factories import OrderFactory, OrderLineFactory
from tests.races import at_once, no_locks

pytestmark = pytest.mark.django_db(transaction=True)
DELIVERIES = 50


@pytest.fixture
def session(alices, alice, stripe):
    """Of an order of 18.50 that was paid at the provider's."""
    order = OrderFactory(user=alice)
    OrderLineFactory(order=order, price="18.50")
    return stripe.pay(alices.post(f"/orders/{order.pk}/pay/").url.rpartition("/")[2])


def deliver_at_once(stripe, session):
    """How often the payment was booked, when an event is delivered many times at one moment."""
    body, headers = stripe.event("checkout.session.completed", session, event_id="evt_same")
    signed = {"stripe-signature": headers["Stripe-Signature"]}

    def deliver():
        return Client().post("/payments/stripe/", body, content_type="application/json", headers=signed).status_code

    answers = at_once(*[deliver] * DELIVERIES)
    order = Order.objects.get()
    return answers, order.events.filter(kind="paid").count()


def test_event_delivered_many_times_at_once_pays_once(stripe, session):
    answers, booked = deliver_at_once(stripe, session)
    assert answers == [200] * DELIVERIES
    assert (booked, ProviderEvent.objects.count()) == (1, 1)
    order = Order.objects.get()
    assert (order.status, order.paid_total, order.refunds().count()) == (Order.PAID, Decimal("18.50"), 0)


@pytest.mark.postgres
def test_without_the_locks_it_is_booked_more_than_once(stripe, session, monkeypatch):
    with no_locks(monkeypatch):
        _, booked = deliver_at_once(stripe, session)
    assert booked > 1


def test_refund_that_many_workers_make_at_once_is_made_once(stripe, session):
    deliver_at_once(stripe, session)
    order = Order.objects.get()
    stripe.fail("drop", "/v1/refunds", times=2)
    order.cancel()
    at_once(*[refunding.make_due] * 8)
    refunding.make_due()
    assert [refund["amount"] for refund in stripe.refunds.values()] == [1850]
    assert Order.objects.get().refunded_total == Decimal("18.50")
    assert order.events.filter(kind="refunded").count() == 1


def test_cancelled_and_paid_at_one_moment_nobody_keeps_the_money(stripe, session):
    order = Order.objects.get()
    at_once(order.cancel, lambda: Order.objects.get().pay(Payment.objects.get()))
    order = Order.objects.get()
    assert order.is_cancelled and order.refunds().total() == order.paid_total == Decimal("18.50")
