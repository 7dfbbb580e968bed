import pytest

from shop.models import DeliveryMethod, Order
from tests.factories import OrderFactory

ADDRESS = {
    "shipping_name": "Émile Zola",
    "shipping_address1": "21 bis rue de Bruxelles",
    "shipping_address2": "",
    "shipping_zip_code": "75009",
    "shipping_city": "Paris, Texas",
    "shipping_country": "us",
}


@pytest.fixture
def path(paid_order) -> str:
    return f"/api/orders/{paid_order.pk}/"


def test_an_order_is_where_it_goes(dispatch, paid_order, path):
    order = dispatch.get(path).json()
    assert sorted(order) == sorted([*ADDRESS, "id", "date_updated", "date_added"])
    assert order["date_added"].endswith("Z")
    assert dispatch.get("/api/orders/").json() == {"count": 1, "next": None, "previous": None, "results": [order]}


@pytest.mark.parametrize("status", [Order.NEW, Order.DONE])
def test_only_paid_orders_are_shown(dispatch, paid_order, path, status):
    Order.objects.filter(pk=paid_order.pk).update(status=status)
    assert dispatch.get("/api/orders/").json()["count"] == 0
    assert dispatch.get(path).status_code == 404
    assert dispatch.patch(path, {"shipping_city": "York"}).status_code == 404


def test_newest_first(dispatch, paid_order):
    newer = OrderFactory(status=Order.PAID)
    assert [order["id"] for order in dispatch.get("/api/orders/").json()["results"]] == [newer.pk, paid_order.pk]


@pytest.fixture
def two_nights(paid_order) -> tuple[int, int]:
    """An order of the last half hour of June in the shop's summer time, and one of the first of July."""
    late = OrderFactory(status=Order.PAID)
    for order, moment in ((paid_order, "2026-06-30T22:30:00Z"), (late, "2026-06-30T23:30:00Z")):
        Order.objects.filter(pk=order.pk).update(date_added=moment, date_updated=moment)
    return paid_order.pk, late.pk


@pytest.mark.parametrize("field", ["date_added", "date_updated"])
@pytest.mark.parametrize(
    "moment", ["2026-07-01", "2026-07-01T00:00", "2026-06-30T23:00:00Z", "2026-07-01T02:00:00%2B03:00"]
)
def test_orders_after_and_before_a_moment(dispatch, two_nights, field, moment):
    june, july = two_nights
    for lookup, expected in (("gt", july), ("lt", june)):
        found = dispatch.get(f"/api/orders/?{field}__{lookup}={moment}").json()["results"]
        assert [order["id"] for order in found] == [expected]


def test_orders_between_two_moments_and_of_a_status(dispatch, two_nights):
    between = "/api/orders/?date_added__gt=2026-06-30&date_added__lt=2026-07-02"
    assert dispatch.get(f"{between}&status=20").json()["count"] == 2
    assert dispatch.get(f"{between}&status=30").json()["count"] == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date_added__gt", "yesterday"),
        ("date_updated__lt", "2026-02-30"),
        ("date_updated__gt", "%00"),
        ("date_added__lt", "0001-01-01T00:00:00%2B12:00"),
        ("status", "50"),
        ("status", "paid"),
    ],
)
def test_bad_filter_is_400_under_its_name(dispatch, paid_order, name, value):
    answer = dispatch.get(f"/api/orders/?{name}={value}")
    assert (answer.status_code, list(answer.json())) == (400, [name])


def test_moments_are_utc_whatever_time_the_shop_has(dispatch, two_nights):
    order = dispatch.get(f"/api/orders/{two_nights[1]}/").json()
    assert order["date_added"] == order["date_updated"] == "2026-06-30T23:30:00Z"
    [order, _] = dispatch.get("/api/orders/").json()["results"]
    assert order["date_added"] == "2026-06-30T23:30:00Z"


def test_put_replaces_the_address(dispatch, paid_order, path):
    Order.objects.filter(pk=paid_order.pk).update(shipping_address2="Flat 3")
    answer = dispatch.put(path, ADDRESS)
    assert answer.status_code == 200
    assert dispatch.get(path).json() == answer.json()
    assert {field: answer.json()[field] for field in ADDRESS} == ADDRESS


def test_put_without_a_second_line_leaves_none_behind(dispatch, paid_order, path):
    Order.objects.filter(pk=paid_order.pk).update(shipping_address2="Flat 3")
    dispatch.put(path, {field: text for field, text in ADDRESS.items() if field != "shipping_address2"})
    paid_order.refresh_from_db()
    assert paid_order.shipping_address2 == ""


def test_patch_changes_what_it_names(dispatch, paid_order, path):
    Order.objects.filter(pk=paid_order.pk).update(shipping_address2="Flat 3")
    before = dispatch.get(path).json()
    after = dispatch.patch(path, {"shipping_city": "York"}).json()
    assert after["date_updated"] > before["date_updated"]
    assert after == {**before, "shipping_city": "York", "date_updated": after["date_updated"]}


def test_nothing_new_is_no_change(dispatch, path):
    before = dispatch.get(path).json()
    assert dispatch.patch(path, {"shipping_city": before["shipping_city"]}).json() == before
    assert dispatch.patch(path, {}).json() == before


def test_the_rest_is_read_only(dispatch, paid_order, path):
    before = dispatch.get(path).json()
    body = {"id": 5, "date_added": "2001-01-01", "date_updated": "2001-01-01", "status": 10, "billing_name": "Eve"}
    assert dispatch.patch(path, body).json() == before
    paid_order.refresh_from_db()
    assert (paid_order.status, paid_order.billing_name) == (Order.PAID, "Jane Eyre")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("shipping_name", ""),
        ("shipping_name", "x" * 61),
        ("shipping_zip_code", "x" * 13),
        ("shipping_country", "fr"),
        ("shipping_city", "   "),
        ("shipping_city", "\0"),
        ("shipping_city", None),
        ("shipping_address1", ["a"]),
    ],
)
def test_bad_address_is_400_under_the_fields_name(dispatch, path, field, text):
    before = dispatch.get(path).json()
    answer = dispatch.put(path, {**ADDRESS, field: text})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert dispatch.get(path).json() == before


def test_half_a_character_is_400(dispatch, path):
    answer = dispatch.patch(path, r'{"shipping_city": "\ud800"}', content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


def test_put_names_every_missing_field(dispatch, path):
    assert sorted(dispatch.put(path, {}).json()) == sorted(set(ADDRESS) - {"shipping_address2"})


def test_etag_guards_against_a_blind_overwrite(dispatch, path):
    seen = dispatch.get(path)["ETag"]
    changed = dispatch.patch(path, {"shipping_city": "York"}, headers={"If-Match": seen})
    assert changed.status_code == 200
    assert changed["ETag"] == dispatch.get(path)["ETag"] != seen
    blind = dispatch.patch(path, {"shipping_city": "Bath"}, headers={"If-Match": seen})
    assert (blind.status_code, list(blind.json())) == (412, ["detail"])
    assert dispatch.get(path).json()["shipping_city"] == "York"
    fresh = dispatch.patch(path, {"shipping_city": "Bath"}, headers={"If-Match": f'"other", {changed["ETag"]}'})
    assert fresh.status_code == 200
    without_quotes = {"If-Match": fresh["ETag"].strip('"')}
    assert dispatch.patch(path, {"shipping_city": "Hull"}, headers=without_quotes).status_code == 200


@pytest.mark.parametrize(("asked", "status"), [("*", 200), ("nonsense", 412), ("", 412), ('"x"', 412), ('W/"x"', 412)])
def test_if_match_in_other_words(dispatch, path, asked, status):
    assert dispatch.patch(path, {"shipping_city": "York"}, headers={"If-Match": asked}).status_code == status


def test_country_is_one_that_is_delivered_to_or_the_orders_own(dispatch, paid_order, path):
    DeliveryMethod.objects.create(name="Post", price=3, countries=["ie", "hk"])
    assert dispatch.patch(path, {"shipping_country": "IE", "shipping_zip_code": ""}).json()["shipping_country"] == "ie"
    refused = dispatch.patch(path, {"shipping_country": "fr"})
    assert (refused.status_code, list(refused.json())) == (400, ["shipping_country"])
    assert "hk, ie, uk, us" in refused.json()["shipping_country"][0]
    DeliveryMethod.objects.all().delete()
    assert dispatch.patch(path, {"shipping_country": "ie", "shipping_city": "Cork"}).status_code == 200
    assert list(dispatch.patch(path, {"shipping_country": "uk"}).json()) == ["shipping_zip_code"]
