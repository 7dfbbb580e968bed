"""What was paid for an order and goes back: nobody keeps more than the order costs."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from shop.models import Order, OrderEvent, OrderLine, Payment, PaymentProblem, Refund
from shop.payments import earlier_release, refunding
from shop.payments.provider import RefundTold
from tests.factories import OrderFactory, OrderLineFactory

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def order(alice):
    """Of two books, 10.00 and 5.50, and delivery for 3.00."""
    order = OrderFactory(user=alice, delivery_price=D("3.00"))
    for price in ("10.00", "5.50"):
        OrderLineFactory(order=order, price=price)
    return order


def card(order, amount="18.50", **more):
    return order.payments.create(method=Payment.Method.CARD, amount=D(amount), **more)


def refunds_of(order):
    return [(refund.amount, refund.cause, refund.status) for refund in order.refunds()]


def test_payment_of_all_that_is_due_pays_the_order_once(order):
    payment = card(order)
    assert order.pay(payment)
    assert not order.pay(payment)
    order.refresh_from_db()
    assert (order.status, order.paid_total, order.due) == (Order.PAID, D("18.50"), D("0.00"))
    assert not order.refunds()
    assert [event.kind for event in order.events.all()] == [OrderEvent.Kind.PAID]


def test_part_of_it_does_not_pay_the_order(order):
    order.pay(card(order, "10.00"))
    assert (order.status, order.due) == (Order.NEW, D("8.50"))
    order.pay(card(order, "8.50"))
    assert (order.status, order.due) == (Order.PAID, D("0.00"))


def test_paid_twice_the_second_goes_back_in_full(order):
    first, second = card(order), card(order)
    order.pay(first)
    order.pay(second)
    assert refunds_of(order) == [(D("18.50"), Refund.Cause.SURPLUS, Refund.Status.PENDING)]
    assert second.refunds.get().amount == D("18.50")
    order.refresh_from_db()
    assert order.status == Order.PAID


def test_paid_after_it_was_cancelled_it_goes_back_in_full_and_stays_cancelled(order):
    order.cancel()
    order.pay(card(order))
    order.refresh_from_db()
    assert order.status == Order.NEW and order.is_cancelled
    assert refunds_of(order) == [(D("18.50"), Refund.Cause.SURPLUS, Refund.Status.PENDING)]


def test_cancelled_line_goes_back_and_with_the_last_the_delivery(order):
    order.pay(card(order))
    first, second = order.lines.all()
    first.mark(OrderLine.CANCELLED)
    assert [amount for amount, *_ in refunds_of(order)] == [D("10.00")]
    second.mark(OrderLine.CANCELLED)
    assert [amount for amount, *_ in refunds_of(order)] == [D("10.00"), D("8.50")]


@pytest.mark.parametrize(
    "cancel",
    [
        lambda order: order.cancel(),
        lambda order: order.mark_lines(dict.fromkeys(order.lines.values_list("pk", flat=True), OrderLine.CANCELLED)),
        lambda order: order.lines.update(status=OrderLine.CANCELLED),
        lambda order: order.lines.all().delete(),
        lambda order: [line.delete() for line in order.lines.all()],
        lambda order: OrderLine.objects.bulk_update(
            [OrderLine(pk=line.pk, status=OrderLine.CANCELLED) for line in order.lines.all()], ["status"]
        ),
    ],
)
def test_however_it_is_cancelled_what_was_paid_goes_back_once(order, cancel):
    order.pay(card(order))
    cancel(order)
    assert order.refunds().total() == D("18.50")


def test_gift_for_a_damaged_book_does_not_lessen_what_a_cancelled_one_gives_back(order):
    order.pay(card(order))
    order.refund(D("2.00"), "A torn page")
    order.lines.first().mark(OrderLine.CANCELLED)
    assert [amount for amount, *_ in refunds_of(order)] == [D("2.00"), D("10.00")]
    order.cancel()
    assert order.refunds().total() == D("18.50"), "never more than was paid"


def test_no_more_than_was_paid_is_refunded(order):
    order.pay(card(order))
    with pytest.raises(ValidationError, match=r"At most £18\.50"):
        order.refund(D("18.51"), "Too much")
    with pytest.raises(ValidationError, match="above nothing"):
        order.refund(D("0.00"), "Nothing")
    order.refund(D("18.50"), "All of it")
    with pytest.raises(ValidationError, match=r"At most £0\.00"):
        order.refund(D("0.01"), "And a penny")


@pytest.mark.parametrize(
    "mark",
    [
        lambda order: order.mark_paid(),
        lambda order: Order.objects.filter(pk=order.pk).update(status=Order.PAID),
        lambda order: setattr(order, "status", Order.PAID) or order.save(),
    ],
)
def test_marked_as_paid_it_has_a_payment_of_what_was_due(order, mark):
    order.pay(card(order, "4.00"))
    mark(order)
    order.refresh_from_db()
    assert (order.status, order.paid_total, order.due) == (Order.PAID, D("18.50"), D("0.00"))
    assert order.payments.get(method=Payment.Method.TRANSFER).amount == D("14.50")


def test_refund_is_finished_once_and_told(order):
    order.pay(card(order))
    (refund,) = order.refund(D("2.00"), "A torn page")
    assert order.refunded_total == D("0.00")
    assert order.finish_refund(refund, "re_1")
    assert not order.finish_refund(refund, "re_1")
    assert order.refunded_total == D("2.00")
    assert [event.kind for event in order.events.all()] == ["paid", "refund", "refunded"]


def test_part_payment_pays_it_once_a_cancelled_book_makes_it_all(order):
    order.receive(D("8.50"))
    assert Order.objects.get().status == Order.NEW
    order.lines.first().mark(OrderLine.CANCELLED)
    assert (Order.objects.get().status, order.refunds().count()) == (Order.PAID, 0)


def test_late_save_of_a_line_does_not_put_its_status_back(order):
    late = order.lines.first()
    order.lines.first().mark(OrderLine.CANCELLED)
    late.carrier = "DHL"
    late.save()
    late.refresh_from_db()
    assert (late.status, late.carrier) == (OrderLine.CANCELLED, "DHL")


def test_refund_that_was_refused_is_owed_and_not_given_twice(order):
    order.pay(card(order))
    order.lines.first().mark(OrderLine.CANCELLED)
    (first,) = order.refunds()
    refunding.fail(first, "No")
    order.lines.last().mark(OrderLine.CANCELLED)
    assert [r.amount for r in order.refunds().claimed()] == [D("8.50")]
    refunding.made_by_hand(first)
    assert order.refunds().claimed().total() == D("18.50")
    with pytest.raises(ValidationError, match="went back meanwhile"):
        refunding.try_again(first)


def test_refund_that_was_refused_is_not_given_anew_with_what_comes_after(order):
    order.pay(card(order))
    order.refund(D("10.00"), "It came late")
    order.cancel()
    refunding.fail(order.refunds().get(amount=D("8.50")), "No")
    order.receive(D("1.00"))
    assert [r.amount for r in order.refunds().claimed()] == [D("10.00"), D("1.00")]


def test_refused_refund_that_went_back_otherwise_keeps_nothing_from_the_next(order):
    """The shop's people gave the first book back at the provider's, which refused ours for it."""
    order.pay(card(order))
    order.lines.first().mark(OrderLine.CANCELLED)
    refunding.fail(order.refunds().get(), "Already refunded")
    refunding.note_refund(order.payments.get(), D("10.00"))
    PaymentProblem.objects.get().settle("It went back otherwise.")
    order.lines.last().mark(OrderLine.CANCELLED)
    assert order.refunds().claimed().total() == D("18.50")


def test_what_failed_at_the_provider_stays_so_whatever_comes_late(order):
    order.pay(card(order))
    order.cancel()
    refund = order.refunds().get()
    told = {"charge": "pi_1", "amount": D("18.50"), "currency": "GBP"}
    refunding.heard(refund, RefundTold("re_1", status="failed", **told))
    refunding.heard(refund, RefundTold("re_1", status="done", **told))
    refund.refresh_from_db()
    assert refund.status == "failed"


def test_refund_of_a_book_has_its_rate(order):
    OrderLine.objects.filter(pk=order.lines.first().pk).update(vat_percent=20)
    OrderLine.objects.filter(pk=order.lines.last().pk).update(vat_percent=0)
    order.pay(card(order))
    (refund,) = order.refund(D("10.00"), "Torn", lines=[order.lines.first()])
    assert [(row.percent, row.gross) for row in refund.vat_table()] == [(D("20.00"), D("10.00"))]


def test_what_the_release_before_wrote_is_mended(order):
    OrderLine.objects.update(name="", format="")
    QuerySet(Order).filter(pk=order.pk).update(status=Order.PAID)
    for _ in range(2):
        earlier_release.mend()
    assert "" not in set(order.lines.values_list("name", flat=True))
    assert [payment.amount for payment in order.payments.all()] == [D("18.50")]
