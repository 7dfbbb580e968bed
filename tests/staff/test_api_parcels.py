"""A parcel is sent by one request: /api/orders/<id>/parcels/."""

import pytest
from django.db.models import F

from shop.models import Order, OrderLine, OutgoingMail, Parcel
from tests.factories import OrderFactory, OrderLineFactory
from tests.staff.conftest import api_client_of

KEY = {"Idempotency-Key": "parcel-4711"}
LABEL = {"carrier": "Royal Mail", "tracking_number": "AB 123"}


@pytest.fixture
def path(paid_order):
    return f"/api/orders/{paid_order.pk}/parcels/"


@pytest.fixture
def keys(paid_order):
    return list(paid_order.lines.values_list("pk", flat=True))


def state():
    """All that a refused request could have changed."""
    orders, lines = Order.objects.values_list("status"), OrderLine.objects.values_list("status", "carrier", "parcel")
    return list(orders), list(lines), Parcel.objects.count(), OutgoingMail.objects.count()


def test_some_lines_and_then_the_rest_are_sent(dispatch, paid_order, path, keys):
    first = dispatch.post(path, {**LABEL, "lines": keys[:1]})
    assert first.status_code == 201
    assert list(first.json()) == ["id", "carrier", "tracking_number", "lines", "date_sent"]
    assert first.json() | LABEL | {"lines": keys[:1]} == first.json() and first.json()["date_sent"].endswith("Z")
    line = dispatch.get(f"/api/orderlines/{keys[0]}/").json()
    assert (line["status"], line["carrier"], line["tracking_number"]) == (30, "Royal Mail", "AB 123")
    paid_order.refresh_from_db()
    assert paid_order.status == Order.PAID
    # Of a parcel that has the first one's number another is made, as carriers number all parts of a sending alike.
    rest = dispatch.post(path, LABEL)
    assert (rest.status_code, rest.json()["lines"]) == (201, keys[1:])
    paid_order.refresh_from_db()
    assert paid_order.status == Order.DONE
    assert OutgoingMail.objects.filter(key__startswith="order-sent-").count() == 2
    # The order has left dispatch; what it was sent in is still read.
    listed = dispatch.get(path).json()
    assert listed == {"count": 2, "next": None, "previous": None, "results": [first.json(), rest.json()]}
    assert dispatch.post(path, LABEL).status_code == 400
    assert "is sent already, which is final" in dispatch.post(path, LABEL | {"lines": keys[:1]}).content.decode()


def test_repeated_request_gets_the_first_answer_and_sends_nothing_twice(dispatch, path):
    first, again = dispatch.post(path, LABEL, headers=KEY), dispatch.post(path, LABEL, headers=KEY)
    assert (first.status_code, again.status_code, first.content) == (201, 201, again.content)
    assert again["Idempotency-Replayed"] == "true"
    assert Parcel.objects.count() == OutgoingMail.objects.filter(key__startswith="order-sent-").count() == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"lines": []}, "lines"), ({"lines": ["x"]}, "lines"), ({"lines": None}, "lines"), ({"lines": "1"}, "lines"),
        ({"lines": [0]}, "lines"), ({"lines": [10**30]}, "lines"), ({"carrier": "x" * 61}, "carrier"),
        ({"carrier": None}, "carrier"), ({"tracking_number": "\0"}, "tracking_number"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_400_and_changes_nothing(dispatch, path, sent, field):
    before = state()
    answer = dispatch.post(path, {**LABEL, **sent})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert list(dispatch.post(path, {}).json()) == ["carrier", "tracking_number"]
    assert state() == before


@pytest.mark.parametrize("status", [OrderLine.SENT, OrderLine.CANCELLED])
def test_final_line_is_400_and_nothing_changes(dispatch, paid_order, path, keys, status):
    paid_order.lines.first().mark(status)
    before = state()
    answer = dispatch.post(path, {**LABEL, "lines": keys})
    said = f"Line {keys[0]} is {status.label.lower()} already, which is final."
    assert (answer.status_code, answer.json()) == (400, {"lines": [said]})
    assert state() == before


def test_line_of_another_order_is_400_and_nothing_changes(dispatch, paid_order, path, keys):
    other = OrderLineFactory(order=OrderFactory(status=Order.PAID))
    before = state()
    answer = dispatch.post(path, {**LABEL, "lines": [*keys, other.pk]})
    said = f"Line {other.pk} is none of order {paid_order.pk}."
    assert (answer.status_code, answer.json()) == (400, {"lines": [said]})
    assert state() == before


def test_line_that_is_named_twice_is_sent_once(dispatch, path, keys):
    assert dispatch.post(path, {**LABEL, "lines": keys[:1] * 2}).json()["lines"] == keys[:1]


def test_only_dispatch_and_only_of_orders_that_it_knows(dispatch, client, alice, path):
    assert client.get(path).status_code == client.post(path).status_code == 401
    assert api_client_of(alice).post(path, LABEL).status_code == 403
    assert dispatch.put(path, LABEL).status_code == dispatch.delete(path).status_code == 405
    Order.objects.update(status=Order.NEW)
    assert dispatch.get(path).status_code == dispatch.post(path, LABEL).status_code == 404
    assert dispatch.get("/api/orders/999/parcels/").status_code == 404


def test_unknown_filter_is_400_and_pages_are_as_everywhere(dispatch, path):
    assert dispatch.get(f"{path}?carrier=DHL").json() == {"carrier": ["There is no filter “carrier”: there are page."]}
    assert dispatch.get(f"{path}?page=2").status_code == 404


def test_large_order_is_sent_in_a_few_queries(dispatch, paid_order, path, django_assert_max_num_queries):
    OrderLine.objects.bulk_create(
        OrderLine(order=paid_order, product=paid_order.lines.first().product, price=1) for _ in range(498)
    )
    with django_assert_max_num_queries(32):
        assert len(dispatch.post(path, LABEL).json()["lines"]) == 500
    OrderLine.objects.update(price=F("price"))
    with django_assert_max_num_queries(8):
        dispatch.get(path)
