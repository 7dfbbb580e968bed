"""One basket makes one order, on PostgreSQL and on SQLite; without what guards it, the same race makes more."""

from contextlib import contextmanager, suppress
from functools import partial
from threading import Barrier, BrokenBarrierError

import pytest

from shop.models import Order, OrderLine
from shop.models.basket_line import BasketLineQuerySet
from shop.models.order_placing import OrderPlacing
from tests.factories import AddressFactory, BasketFactory, BasketLineFactory
from tests.races import at_once, no_locks, without_unique

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def address(alice):
    basket = BasketFactory(user=alice)
    BasketLineFactory(basket=basket, quantity=2)
    BasketLineFactory(basket=basket)
    return AddressFactory(user=alice)


def submit(browser, address):
    return browser.post("/order/address_select/", {"billing_address": address.pk, "shipping_address": address.pk})


def test_fifty_submits_at_once_make_one_order_and_all_lead_to_it(client_of, alice, address, mailoutbox):
    browsers = [client_of(alice) for _ in range(50)]
    answers = at_once(*(partial(submit, browser, address) for browser in browsers))
    assert [(answer.status_code, answer.url) for answer in answers] == [(302, "/order/done/")] * 50
    assert Order.objects.count() == 1
    assert OrderLine.objects.count() == 3
    assert [message.to for message in mailoutbox] == [["alice@example.com"]]


@contextmanager
def meeting(monkeypatch, number, patience=3):
    """All who place an order meet after they looked at the basket, so that the race is really run."""
    door, check = Barrier(number), BasketLineQuerySet.check_orderable

    def wait_for_the_others(*args):
        with suppress(BrokenBarrierError):  # somebody is held up by a lock
            door.wait(timeout=patience)
        check(*args)

    with monkeypatch.context() as patch:
        patch.setattr(BasketLineQuerySet, "check_orderable", wait_for_the_others)
        yield


@contextmanager
def unguarded(monkeypatch):
    """Without the transaction and its lock: SQLite's transactions are locks themselves."""
    with monkeypatch.context() as patch, no_locks(monkeypatch):
        patch.setattr(OrderPlacing, "place", OrderPlacing.place.__wrapped__)
        yield


def test_those_who_meet_over_the_basket_still_make_one_order(client_of, alice, address, monkeypatch):
    with meeting(monkeypatch, 3):
        at_once(*(partial(submit, client_of(alice), address) for _ in range(3)))
    assert Order.objects.count() == 1


def test_control_without_lock_and_constraint_the_race_makes_several_orders(client_of, alice, address, monkeypatch):
    with meeting(monkeypatch, 3, patience=30), unguarded(monkeypatch), without_unique(Order, "basket"):
        at_once(*(partial(submit, client_of(alice), address) for _ in range(3)))
        orders = Order.objects.count()
        Order.objects.update(basket=None)
    assert orders > 1


def test_control_without_lock_the_constraint_alone_holds(client_of, alice, address, monkeypatch):
    with meeting(monkeypatch, 3, patience=30), unguarded(monkeypatch):
        at_once(*(partial(submit, client_of(alice), address) for _ in range(3)))
    assert Order.objects.count() == 1
