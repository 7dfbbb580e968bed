import pytest

from shop.models import Order
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
