"""Two dispatchers at once, through the API, on PostgreSQL."""

import threading

import pytest
from django.db import transaction

from shop.models import Order, OrderLine
from staff.models import IdempotencyKey
from tests.races import at_once, no_locks
from tests.staff.conftest import api_client_of

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def close_last_two_lines(order: Order, users) -> list[int]:
    paths = [f"/api/orderlines/{line.pk}/" for line in order.lines.all()]
    clients = [api_client_of(user) for user in users]
    answers = at_once(
        *(lambda c=client, p=path: c.patch(p, {"status": 30}) for client, path in zip(clients, paths, strict=True))
    )
    order.refresh_from_db()
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize("attempt", range(10))
def test_last_two_lines_at_once_complete_the_order(paid_order, carrier_company, dan, attempt):
    assert close_last_two_lines(paid_order, [carrier_company, dan]) == [200, 200]
    assert paid_order.status == Order.DONE


def test_without_the_lock_the_order_would_stay_open(paid_order, monkeypatch):
    """The negative control: the same two changes, each blind to the other, leave a paid order of sent lines."""
    both_marked = threading.Barrier(2)

    def mark(line: OrderLine) -> None:
        with transaction.atomic():
            line.mark(OrderLine.SENT)
            both_marked.wait(60)

    with no_locks(monkeypatch):
        at_once(*(lambda line=line: mark(line) for line in paid_order.lines.all()))
    paid_order.refresh_from_db()
    assert paid_order.status == Order.PAID
    assert {line.status for line in paid_order.lines.all()} == {OrderLine.SENT}


@pytest.mark.parametrize("attempt", range(5))
def test_the_same_key_at_once_is_one_change(paid_order, carrier_company, attempt):
    path = f"/api/orderlines/{paid_order.lines.first().pk}/"
    clients = [api_client_of(carrier_company) for _ in range(4)]
    key = {"Idempotency-Key": "k"}
    answers = at_once(*(lambda c=client: c.patch(path, {"status": 30}, headers=key) for client in clients))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 3
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_who_read_the_same_address_one_must_read_again(paid_order, carrier_company, dan, attempt):
    path = f"/api/orders/{paid_order.pk}/"
    clients = [api_client_of(carrier_company), api_client_of(dan)]
    seen = {"If-Match": clients[0].get(path)["ETag"]}
    answers = at_once(
        *(
            lambda c=client, t=town: c.patch(path, {"shipping_city": t}, headers=seen)
            for client, town in zip(clients, ["York", "Bath"], strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
