"""Money on its way back to a card: once, whoever tells of it, and whatever is lost on the way."""

from decimal import Decimal

import pytest
from django.core import mail

from shop.models import Order, PaymentProblem, Refund
from shop.payments import refunding
from tests.shop.paying import an_order, begin, status_of

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def order(alice):
    return an_order(alice)


@pytest.fixture
def paid(alices, order, stripe, told):
    told("checkout.session.completed", stripe.pay(begin(alices, order)))
    order.refresh_from_db()
    return order


def test_cancelled_it_is_refunded_by_itself_and_told(paid, stripe, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        paid.cancel()
    (refund,) = stripe.refunds.values()
    assert refund["amount"] == 1850
    assert Refund.objects.get().reference == refund["id"]
    assert {message.subject for message in mail.outbox} == {
        f"Your order {paid.pk} is paid",
        f"Your order {paid.pk} is cancelled",
        f"£18.50 of your order {paid.pk} refunded",
    }


@pytest.mark.parametrize("fault", ["drop", "500"])
def test_refund_whose_answer_was_lost_is_made_once(paid, stripe, fault, django_capture_on_commit_callbacks):
    stripe.fail(fault, "/v1/refunds", times=9)
    with django_capture_on_commit_callbacks(execute=True):
        paid.cancel()
    assert Refund.objects.get().status == "pending"
    stripe.faults.clear()
    refunding.make_due()
    refunding.make_due()
    assert Refund.objects.get().status == "done" and len(stripe.refunds) == 1


def test_refund_and_its_own_event_race(paid, stripe, told, django_capture_on_commit_callbacks):
    stripe.fail("drop", "/v1/refunds", times=9)
    with django_capture_on_commit_callbacks(execute=True):
        paid.cancel()
    stripe.faults.clear()
    told("charge.refunded", stripe.charge(paid.payments.get().charge))
    refunding.make_due()
    told("charge.refunded", stripe.charge(paid.payments.get().charge))
    assert [refund.amount for refund in Refund.objects.all()] == [D("18.50")]
    assert paid.refunded_total == D("18.50")


def test_refund_made_at_the_providers_is_noted_once(paid, stripe, told):
    intent = paid.payments.get().charge
    stripe.give_back(intent, 500)
    for _ in range(2):
        told("charge.refunded", stripe.charge(intent))
    assert [(r.amount, r.cause, r.status) for r in Refund.objects.all()] == [(D("5.00"), "provider", "done")]
    paid.cancel()
    assert paid.refunds().total() == D("18.50")


def test_refund_that_is_told_before_its_payment_waits_for_it(
    alices, order, stripe, told, django_capture_on_commit_callbacks
):
    session = stripe.pay(begin(alices, order))
    stripe.give_back(session["payment_intent"], 500)
    with django_capture_on_commit_callbacks(execute=True):
        assert told("charge.refunded", stripe.charge(session["payment_intent"])).status_code == 200
        assert not Refund.objects.exists()
        told("checkout.session.completed", session)
    assert [(r.amount, r.status) for r in Refund.objects.all()] == [(D("5.00"), "done")]
    assert status_of(order) == Order.PAID


def test_refund_that_the_provider_refuses_waits_for_a_person(paid, stripe, django_capture_on_commit_callbacks):
    stripe.fail("refuse", "/v1/refunds")
    with django_capture_on_commit_callbacks(execute=True):
        paid.cancel()
    problem = PaymentProblem.objects.get()
    assert problem.kind == "refused" and Refund.objects.get().status == "failed"
    with django_capture_on_commit_callbacks(execute=True):
        refunding.try_again(problem.refund)
    assert Refund.objects.get().status == "done" and len(stripe.refunds) == 1


def test_refund_that_the_provider_takes_its_time_for(paid, stripe, told, django_capture_on_commit_callbacks):
    stripe.refund_status = "pending"
    with django_capture_on_commit_callbacks(execute=True):
        paid.cancel()
    assert Refund.objects.get().status == "pending"
    (made,) = stripe.refunds.values()
    made["status"] = "succeeded"
    told("refund.updated", made)
    assert Refund.objects.get().status == "done"


def test_dispute_waits_for_a_person(paid, told):
    told("charge.dispute.created", {"id": "dp_1", "payment_intent": paid.payments.get().charge, "amount": 1850})
    assert PaymentProblem.objects.get().kind == "disputed"


# --- What nobody pays
