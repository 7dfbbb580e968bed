from datetime import timedelta

import pytest
from django.utils import timezone

from shop.models import Order, OrderLine
from staff.models import IdempotencyKey
from tests.staff.conftest import api_client_of

KEY = {"Idempotency-Key": "parcel-4711"}


@pytest.fixture
def path(paid_order) -> str:
    """The last open line of a paid order."""
    first, last = paid_order.lines.all()
    first.mark(OrderLine.SENT)
    return f"/api/orderlines/{last.pk}/"


def test_repeated_write_gets_the_first_answer(dispatch, paid_order, path):
    first = dispatch.patch(path, {"status": 30}, headers=KEY)
    again = dispatch.patch(path, {"status": 30}, headers=KEY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"
    # Without a key the client cannot tell: the order has left dispatch.
    assert dispatch.patch(path, {"status": 30}).status_code == 404


def test_repeated_write_changes_nothing_twice(dispatch, paid_order):
    path = f"/api/orders/{paid_order.pk}/"
    first = dispatch.patch(path, {"shipping_city": "York"}, headers=KEY)
    dispatch.patch(path, {"shipping_city": "Bath"})
    again = dispatch.patch(path, {"shipping_city": "York"}, headers=KEY)
    assert (again.json(), again["ETag"]) == (first.json(), first["ETag"])
    paid_order.refresh_from_db()
    assert paid_order.shipping_city == "Bath"


@pytest.mark.parametrize("status", [99, "\0"])
def test_a_refusal_is_a_first_answer_too(dispatch, path, status):
    first = dispatch.patch(path, {"status": status}, headers=KEY)
    again = dispatch.patch(path, {"status": status}, headers=KEY)
    assert (first.status_code, again.status_code) == (400, 400)
    assert first.content == again.content


def test_key_of_another_request_is_422(dispatch, path):
    dispatch.patch(path, {"status": 20}, headers=KEY)
    other = dispatch.patch(path, {"status": 30}, headers=KEY)
    assert (other.status_code, list(other.json())) == (422, ["detail"])
    assert dispatch.get(path).json()["status"] == 20


def test_keys_of_two_users_are_their_own(dispatch, dan, path):
    assert dispatch.patch(path, {"status": 20}, headers=KEY).status_code == 200
    assert api_client_of(dan).patch(path, {"status": 30}, headers=KEY).json()["status"] == 30


def test_key_is_forgotten_after_a_day(dispatch, path):
    dispatch.patch(path, {"status": 20}, headers=KEY)
    IdempotencyKey.objects.update(date_added=timezone.now() - timedelta(hours=23, minutes=59))
    assert dispatch.patch(path, {"status": 30}, headers=KEY).status_code == 422
    IdempotencyKey.objects.update(date_added=timezone.now() - timedelta(hours=24, seconds=1))
    assert dispatch.patch(path, {"status": 30}, headers=KEY).status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 201, "ü", "a\tb"])
def test_bad_key_is_400_and_changes_nothing(dispatch, path, key):
    answer = dispatch.patch(path, {"status": 30}, headers={"Idempotency-Key": key})
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])
    assert dispatch.get(path).json()["status"] == 10


def test_server_error_is_not_kept(dispatch, path, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(OrderLine, "mark", lambda *args: 1 / 0)
        dispatch.raise_request_exception = False
        assert dispatch.patch(path, {"status": 30}, headers=KEY).status_code == 500
    assert dispatch.patch(path, {"status": 30}, headers=KEY).status_code == 200
    assert Order.objects.get().status == Order.DONE
