"""An order whose lines are all sent or cancelled is done, however they were marked, and only a paid one."""

from contextlib import suppress
from functools import partial
from threading import Barrier, BrokenBarrierError

import pytest
from django.core.exceptions import ValidationError

from shop.models import Order, OrderLine
from shop.models.order import OrderQuerySet
from tests.factories import OrderFactory, OrderLineFactory
from tests.races import at_once, no_locks

pytestmark = pytest.mark.django_db
NEW, PROCESSING, SENT, CANCELLED = OrderLine.Status


@pytest.fixture
def order(alice):
    order = OrderFactory(user=alice, status=Order.PAID)
    OrderLineFactory(order=order, status=CANCELLED)
    OrderLineFactory(order=order)
    assert status(order) == Order.PAID
    return order


def status(order):
    return Order.objects.get(pk=order.pk).status


def save(line, new):
    line.status = new
    line.save()


def save_the_field_alone(line, new):
    line.status = new
    line.save(update_fields=["status"])


def bulk_update(line, new):
    line.status = new
    OrderLine.objects.bulk_update([line], ["status"])


WAYS = [
    save,
    save_the_field_alone,
    bulk_update,
    lambda line, new: line.mark(new),
    lambda line, new: OrderLine.objects.filter(pk=line.pk).update(status=new),
    lambda line, new: OrderLine.objects.exclude(status=CANCELLED).update(status=new),
    lambda line, new: line.order.lines.update(status=new),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("closed", [SENT, CANCELLED])
def test_last_line_completes_a_paid_order(order, way, closed):
    way(order.lines.get(status=NEW), closed)
    assert status(order) == Order.DONE


@pytest.mark.parametrize("way", WAYS)
def test_last_line_does_not_complete_an_unpaid_order(order, way):
    Order.objects.update(status=Order.NEW)
    way(order.lines.get(status=NEW), SENT)
    assert status(order) == Order.NEW


def test_order_with_an_open_line_goes_on(order):
    order.lines.get(status=NEW).mark(PROCESSING)
    assert status(order) == Order.PAID


def test_deleting_the_last_open_line_completes_the_order(order):
    order.lines.get(status=NEW).delete()
    assert status(order) == Order.DONE


@pytest.mark.parametrize(
    "pay",
    [
        lambda order: order.mark_paid(),
        lambda order: Order.objects.filter(pk=order.pk).update(status=Order.PAID),
        lambda order: (setattr(order, "status", Order.PAID), order.save()),
    ],
)
def test_payment_completes_what_was_sent_before(order, pay):
    Order.objects.update(status=Order.NEW)
    order.lines.update(status=SENT)
    order.refresh_from_db()
    pay(order)
    assert status(order) == Order.DONE


def test_order_without_lines_is_not_done(alice):
    order = OrderFactory(user=alice)
    order.mark_paid()
    assert status(order) == Order.PAID


def test_what_an_order_in_memory_was_set_to_survives_saving_its_line(order):
    line = order.lines.get(status=NEW)
    line.order.status = Order.NEW
    save(line, PROCESSING)
    assert line.order.status == Order.NEW


@pytest.mark.parametrize(
    ("before", "after", "may"),
    [
        (NEW, PROCESSING, True),
        (NEW, SENT, True),
        (NEW, CANCELLED, True),
        (PROCESSING, SENT, True),
        (PROCESSING, CANCELLED, True),
        (PROCESSING, NEW, False),
        (SENT, NEW, False),
        (SENT, CANCELLED, False),
        (CANCELLED, PROCESSING, False),
    ],
)
def test_line_goes_forward_alone(order, before, after, may):
    line = OrderLineFactory(order=order, status=before)
    if may:
        assert line.mark(after) is True
    else:
        with pytest.raises(ValidationError):
            line.mark(after)
    assert OrderLine.objects.get(pk=line.pk).status == (after if may else before)


def test_same_mark_again_changes_nothing(order):
    assert order.lines.get(status=CANCELLED).mark(CANCELLED) is False


def mark_last_two_at_once(order, monkeypatch, way, patience=2):
    """Both threads look whether the order is complete after both wrote their line and before either commits it.

    If a lock holds one back, the other goes on after `patience` seconds.
    """
    OrderLine.objects.all().delete()
    lines = OrderLineFactory.create_batch(2, order=order)
    door, look = Barrier(2), OrderQuerySet.complete_closed

    def look_together(self):
        with suppress(BrokenBarrierError):
            door.wait(timeout=patience)
        seen = look(self)
        with suppress(BrokenBarrierError):
            door.wait(timeout=patience)
        return seen

    monkeypatch.setattr(OrderQuerySet, "complete_closed", look_together)
    at_once(*(partial(way, OrderLine.objects.get(pk=line.pk), SENT) for line in lines))
    assert {line.status for line in OrderLine.objects.all()} == {SENT}
    return status(order)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", [WAYS[0], WAYS[3], WAYS[4]])
def test_last_two_lines_marked_at_once_complete_the_order(order, monkeypatch, way):
    assert mark_last_two_at_once(order, monkeypatch, way) == Order.DONE


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_nobody_completes_it(order, monkeypatch):
    with no_locks(monkeypatch):
        assert mark_last_two_at_once(order, monkeypatch, WAYS[3], patience=30) == Order.PAID
