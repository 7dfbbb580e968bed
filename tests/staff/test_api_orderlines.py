from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from shop.models import Order, OrderLine
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory

NEW, PROCESSING, SENT, CANCELLED = 10, 20, 30, 40


@pytest.fixture
def line(paid_order) -> OrderLine:
    return paid_order.lines.get(product__name="Emma")


def path_of(line: OrderLine) -> str:
    return f"/api/orderlines/{line.pk}/"


def ids(answer) -> list[int]:
    return [line["id"] for line in answer.json()["results"]]


def test_a_line_is_what_is_sent_and_how_far_it_is(dispatch, paid_order, line):
    OrderLine.objects.update(isbn="9780141439587", format="paperback")
    line.track(carrier="DHL", tracking_number="7")
    expected = {
        "id": line.pk,
        "order": f"http://testserver/api/orders/{paid_order.pk}/",
        "product": "Emma",
        "isbn": "9780141439587",
        "format": "paperback",
        "status": 10,
        "carrier": "DHL",
        "tracking_number": "7",
    }
    assert dispatch.get("/api/orderlines/").json()["results"][0] == expected
    assert dispatch.get(path_of(line)).json() == expected


def test_newest_order_first_in_pages_of_100(dispatch, paid_order):
    newer = OrderFactory(status=Order.PAID)
    OrderLine.objects.bulk_create(OrderLine(order=newer, product=ProductFactory(), price=1) for _ in range(150))
    first = dispatch.get("/api/orderlines/").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (152, 100, None)
    assert first["next"] == "http://testserver/api/orderlines/?page=2"
    second = dispatch.get("/api/orderlines/?page=2").json()
    assert second["next"] is None
    found = [line["id"] for line in first["results"] + second["results"]]
    assert found == [*newer.lines.values_list("pk", flat=True), *paid_order.lines.values_list("pk", flat=True)]


def test_empty_list_is_a_page(dispatch):
    assert dispatch.get("/api/orderlines/").json() == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.mark.parametrize("page", ["0", "-1", "2", "x", "99999999999999999999"])
def test_bad_page_is_404_in_json(dispatch, paid_order, page):
    answer = dispatch.get(f"/api/orderlines/?page={page}")
    assert answer.status_code == 404
    assert answer.json()["detail"]


@pytest.mark.parametrize("status", [Order.NEW, Order.DONE])
def test_only_paid_orders_lines_are_shown(dispatch, paid_order, line, status):
    Order.objects.filter(pk=paid_order.pk).update(status=status)
    assert ids(dispatch.get("/api/orderlines/")) == []
    assert dispatch.get(path_of(line)).status_code == 404
    assert dispatch.patch(path_of(line), {"status": SENT}).status_code == 404


def test_filters(dispatch, paid_order, line):
    other = OrderLineFactory(order=OrderFactory(status=Order.PAID), status=PROCESSING)
    assert ids(dispatch.get(f"/api/orderlines/?order={other.order_id}")) == [other.pk]
    assert ids(dispatch.get(f"/api/orderlines/?status={PROCESSING}")) == [other.pk]
    assert ids(dispatch.get(f"/api/orderlines/?order={paid_order.pk}&status={PROCESSING}")) == []
    assert ids(dispatch.get("/api/orderlines/?order=999999")) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order", "x"),
        ("order", "0"),
        ("order", "1e400"),
        ("order", "9" * 30),
        ("order", "%00"),
        ("status", "50"),
        ("status", "sent"),
    ],
)
def test_bad_filter_is_400_under_its_name(dispatch, field, value):
    answer = dispatch.get(f"/api/orderlines/?{field}={value}")
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


@pytest.mark.parametrize("path", ["/api/orderlines/", "/api/orders/"])
@pytest.mark.parametrize(
    "name", ["statuss", "carrier", "date_added", "order__user__email", "page_size", "search", "%FF"]
)
def test_unknown_filter_is_400_and_told_what_there_is(dispatch, paid_order, path, name):
    answer = dispatch.get(f"{path}?{name}=10&status=20")
    [[sentence]] = answer.json().values()
    assert answer.status_code == 400
    assert "There is no filter" in sentence and "status" in sentence and "page" in sentence


def test_own_parameters_of_a_list_are_known(dispatch, paid_order):
    for path in ("/api/orderlines/?page=1&format=json&status=10", "/api/orders/?page=1&format=json&status=20"):
        assert dispatch.get(path).status_code == 200


@pytest.mark.parametrize(
    ("before", "after"),
    [(NEW, PROCESSING), (NEW, SENT), (NEW, CANCELLED), (PROCESSING, SENT), (PROCESSING, CANCELLED)],
)
@pytest.mark.parametrize("method", ["put", "patch"])
def test_line_goes_forward(dispatch, line, before, after, method):
    OrderLine.objects.filter(pk=line.pk).update(status=before)
    answer = getattr(dispatch, method)(path_of(line), {"status": after})
    assert (answer.status_code, answer.json()["status"]) == (200, after)
    line.refresh_from_db()
    assert line.status == after


@pytest.mark.parametrize(
    ("before", "after"),
    [(PROCESSING, NEW), (SENT, NEW), (SENT, PROCESSING), (SENT, CANCELLED), (CANCELLED, NEW), (CANCELLED, SENT)],
)
def test_line_never_goes_back(dispatch, line, before, after):
    OrderLine.objects.filter(pk=line.pk).update(status=before)
    answer = dispatch.patch(path_of(line), {"status": after})
    assert answer.status_code == 400
    assert "cannot become" in answer.json()["status"][0]
    line.refresh_from_db()
    assert line.status == before


@pytest.mark.parametrize("status", [NEW, PROCESSING, SENT, CANCELLED])
def test_the_same_status_again_changes_nothing(dispatch, line, status):
    before = timezone.now() - timedelta(days=1)
    OrderLine.objects.filter(pk=line.pk).update(status=status, date_updated=before)
    assert dispatch.patch(path_of(line), {"status": status}).status_code == 200
    line.refresh_from_db()
    assert (line.status, line.date_updated) == (status, before)


@pytest.mark.parametrize("status", [50, "sent", None, "", [], {}, True, 10.5, 10**400])
def test_bad_status_is_400_under_its_name(dispatch, line, status):
    answer = dispatch.patch(path_of(line), {"status": status})
    assert answer.status_code == 400
    assert list(answer.json()) == ["status"]


def test_put_needs_a_status_and_patch_does_not(dispatch, line):
    assert dispatch.put(path_of(line), {}).json() == {"status": ["This field is required."]}
    assert dispatch.patch(path_of(line), {}).status_code == 200


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "[" * 100_000, '"x"', "null", "NaN", b"\xff", '{"status": NaN}', r'"\ud800"']
)
def test_broken_body_is_400(dispatch, line, body):
    answer = dispatch.put(path_of(line), body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()


def test_half_a_character_for_a_status_is_400(dispatch, line):
    answer = dispatch.put(path_of(line), r'{"status": "\ud800"}', content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


def test_huge_body_is_413(dispatch, line):
    assert dispatch.patch(path_of(line), {"status": "x" * 200_000}).status_code == 413


def test_forms_are_taken_too(dispatch, line):
    assert dispatch.put(path_of(line), {"status": PROCESSING}, format="multipart").status_code == 200
    form = dispatch.put(path_of(line), "status=30", content_type="application/x-www-form-urlencoded; charset=hex")
    assert form.json()["status"] == SENT


def test_everything_else_is_read_only(dispatch, line, paid_order):
    other = OrderLineFactory(order=OrderFactory(status=Order.PAID))
    body = {
        "status": SENT,
        "id": 1,
        "order": f"/api/orders/{other.order_id}/",
        "product": other.product.name,
        "price": 0,
    }
    assert dispatch.put(path_of(line), body).json()["product"] == "Emma"
    line.refresh_from_db()
    assert (line.order_id, line.product.name, line.price) == (paid_order.pk, "Emma", 10)


def test_closing_the_last_line_completes_the_order(dispatch, paid_order):
    first, last = paid_order.lines.all()
    dispatch.patch(path_of(first), {"status": CANCELLED})
    paid_order.refresh_from_db()
    assert paid_order.status == Order.PAID
    answer = dispatch.patch(path_of(last), {"status": SENT})
    assert (answer.status_code, answer.json()["status"]) == (200, SENT)
    paid_order.refresh_from_db()
    assert paid_order.status == Order.DONE
    assert dispatch.get("/api/orders/").json()["count"] == 0


def test_what_is_not_known_of_a_line_is_empty(dispatch, line):
    answer = dispatch.get(path_of(line)).json()
    assert [answer[name] for name in ("isbn", "format", "carrier", "tracking_number")] == ["", "", "", ""]


def test_parcel_travels_with_the_status_and_can_be_read_back(dispatch, line):
    parcel = {"carrier": "Royal Mail", "tracking_number": "GB 123 Ünïcode"}
    answer = dispatch.patch(path_of(line), {"status": SENT, **parcel})
    assert parcel.items() <= answer.json().items()
    assert parcel.items() <= dispatch.get(path_of(line)).json().items()
    line.refresh_from_db()
    assert (line.carrier, line.tracking_number) == ("Royal Mail", "GB 123 Ünïcode")


def test_parcel_can_be_corrected_and_is_not_forgotten(dispatch, line):
    dispatch.patch(path_of(line), {"status": SENT, "carrier": "DHL", "tracking_number": "1"})
    dispatch.patch(path_of(line), {"tracking_number": "2"})
    dispatch.put(path_of(line), {"status": SENT})
    line.refresh_from_db()
    assert (line.carrier, line.tracking_number) == ("DHL", "2")


def test_refused_status_keeps_the_parcel_out_too(dispatch, line):
    dispatch.patch(path_of(line), {"status": SENT})
    assert dispatch.patch(path_of(line), {"status": NEW, "carrier": "DHL"}).status_code == 400
    line.refresh_from_db()
    assert line.carrier == ""


@pytest.mark.parametrize("parcel", [{"tracking_number": "x" * 61}, {"tracking_number": None}, {"carrier": "\0"}])
def test_bad_parcel_is_400_and_leaves_the_status(dispatch, line, parcel):
    answer = dispatch.patch(path_of(line), {"status": SENT, **parcel})
    assert (answer.status_code, list(answer.json())) == (400, list(parcel))
    line.refresh_from_db()
    assert line.status == NEW


@pytest.mark.parametrize("pk", ["0", "999999", "9" * 40, "abc", "-1"])
def test_no_such_line_is_404_in_json(dispatch, pk):
    answer = dispatch.get(f"/api/orderlines/{pk}/")
    assert answer.status_code == 404
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/orderlines/", "/api/orders/", "/api/orderlines/?page=2"])
def test_a_list_page_takes_at_most_5_queries(dispatch, dan, paid_order, path):
    for _ in range(150):
        OrderLineFactory(order=OrderFactory(status=Order.PAID))
    visitor = APIClient()
    visitor.force_login(dan)
    for client in (dispatch, visitor):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(path).status_code == 200
        assert len(queries) <= 5
