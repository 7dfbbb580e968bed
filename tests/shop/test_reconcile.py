"""`manage.py reconcile`: the provider's books and ours, side by side."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from shop.models import Order, Payment, Refund
from shop.payments import refunding
from tests.factories import OrderFactory, OrderLineFactory

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def session(alices, alice, stripe):
    """That of an order's card payment, paid there; nobody told us."""
    order = OrderFactory(user=alice)
    OrderLineFactory(order=order, price="18.50")
    alices.post(f"/orders/{order.pk}/pay/")
    (name,) = stripe.sessions
    return stripe.pay(name)


def reconcile(*options):
    """The exit status, and what was printed."""
    out = StringIO()
    try:
        call_command("reconcile", *options, stdout=out)
    except SystemExit as ends:
        return ends.code, out.getvalue()
    return 0, out.getvalue()


def test_books_that_agree_say_so(stripe):
    assert reconcile() == (0, "0 differences.\n")


def test_payment_that_nobody_told_of_is_shown_and_booked(session):
    order = Order.objects.get()
    code, text = reconcile()
    assert (code, text) == (
        1,
        f"{session['id']}: 18.50 GBP paid for order {order.pk}, here Pending.\n1 difference.\n",
    )
    order.refresh_from_db()
    assert order.status == Order.NEW
    code, text = reconcile("--fix")
    assert code == 1 and "Booked." in text
    order.refresh_from_db()
    assert (order.status, order.paid_total) == (Order.PAID, D("18.50"))
    assert reconcile() == (0, "0 differences.\n")


def test_payment_whose_answer_was_lost_is_booked(session):
    Payment.objects.update(reference=None)
    assert "which is not known here" in reconcile("--fix")[1]
    assert Order.objects.get().status == Order.PAID
    assert reconcile()[0] == 0


def test_refund_made_there_is_shown_and_booked(session, stripe):
    reconcile("--fix")
    stripe.give_back(session["payment_intent"], 500)
    code, text = reconcile()
    assert code == 1 and f"5.00 GBP of order {Order.objects.get().pk} refunded, which is not known here." in text
    for _ in range(2):
        reconcile("--fix")
    assert [(r.amount, r.status) for r in Refund.objects.all()] == [(D("5.00"), "done")]
    assert reconcile()[0] == 0


def test_refunds_that_an_event_told_of_as_one_are_not_booked_again(session, stripe):
    """The first event came late, or never."""
    reconcile("--fix")
    for pence in (500, 100):
        stripe.give_back(session["payment_intent"], pence)
    refunding.note_refund(Payment.objects.get(), D("6.00"))
    assert reconcile("--fix") == (0, "0 differences.\n")
    stripe.give_back(session["payment_intent"], 200)
    assert "2.00 GBP" in reconcile("--fix")[1]
    assert Refund.objects.all().total() == D("8.00")
    assert reconcile() == (0, "0 differences.\n")


def test_what_only_our_books_have_is_shown_and_left(session, stripe):
    reconcile("--fix")
    stripe.forget()
    code, text = reconcile("--fix")
    assert code == 1 and "18.50 of order" in text and "paid here alone." in text and "Booked." not in text


def test_another_amount_is_for_a_person(session):
    session["amount_total"] = 1849
    code, text = reconcile("--fix")
    assert code == 1 and "18.49 GBP paid, here £18.50" in text and "Booked." not in text
    assert Order.objects.get().status == Order.NEW


def test_only_what_is_since_a_day(session):
    tomorrow = timezone.localdate() + timezone.timedelta(days=1)
    assert reconcile("--since", f"{tomorrow}") == (0, "0 differences.\n")
    assert reconcile("--since", f"{timezone.localdate()}")[0] == 1


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01"])
def test_day_that_is_none_is_told(stripe, day):
    with pytest.raises(CommandError, match="write a day like 2026-11-01"):
        reconcile("--since", day)


def test_provider_that_is_away_is_told(stripe):
    stripe.fail("500", "/v1/checkout", times=3)
    with pytest.raises(CommandError, match="does not tell"):
        reconcile()


def test_server_without_a_provider_is_told(settings):
    settings.IS_DEMO = False
    with pytest.raises(CommandError, match="STRIPE_SECRET_KEY is not set"):
        reconcile()
