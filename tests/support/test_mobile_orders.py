import io

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from PIL import Image

from shop.models import Order, ProductImage
from support.models import DeviceToken
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory


@pytest.fixture
def phone(alice):
    return Client(headers={"Authorization": f"Token {DeviceToken.objects.issue(alice, 'Phone')[1]}"})


def with_picture(product):
    file = io.BytesIO()
    Image.new("RGB", (40, 60), "navy").save(file, "JPEG")
    return ProductImage.objects.create(product=product, image=ContentFile(file.getvalue(), "cover.jpg"))


def test_own_orders_newest_first_with_all_that_the_contract_names(alice, bob, phone):
    emma, siddhartha = ProductFactory(name="Emma"), ProductFactory(name="Siddhartha")
    image = with_picture(siddhartha)
    first, second = OrderFactory(user=alice), OrderFactory(user=alice, status=Order.PAID)
    OrderFactory(user=bob)
    for product in (siddhartha, siddhartha, emma):
        OrderLineFactory(order=second, product=product, price="7.50")
    answer = phone.get("/mobile-api/my-orders/")
    assert answer.json() == [
        {
            "id": second.pk,
            "image": f"http://testserver{image.thumbnail.url}",
            "summary": "2 x Siddhartha, 1 x Emma",
            "price": 22.5,
            "status": 20,
            "date_added": second.date_added.isoformat().replace("+00:00", "Z"),
        },
        {
            "id": first.pk,
            "image": None,
            "summary": "",
            "price": 0.0,
            "status": 10,
            "date_added": first.date_added.isoformat().replace("+00:00", "Z"),
        },
    ]


def test_employee_sees_only_what_they_bought_themselves(alice, erin):
    OrderFactory(user=alice)
    mine = OrderFactory(user=erin)
    client = Client()
    client.force_login(erin)
    assert [order["id"] for order in client.get("/mobile-api/my-orders/").json()] == [mine.pk]


def test_nobody_with_orders_gets_an_empty_list(phone):
    assert phone.get("/mobile-api/my-orders/").json() == []


def test_fifty_at_once_and_those_before_them_on_request(alice, phone):
    ids = [OrderFactory(user=alice).pk for _ in range(53)][::-1]
    newest = [order["id"] for order in phone.get("/mobile-api/my-orders/").json()]
    rest = [order["id"] for order in phone.get(f"/mobile-api/my-orders/?before={newest[-1]}").json()]
    assert newest + rest == ids
    assert len(newest) == 50


@pytest.mark.parametrize("before", ["", "x", "-1", "1" * 30, "٣"])
def test_before_that_is_no_id_is_explained(phone, before):
    answer = phone.get("/mobile-api/my-orders/", {"before": before})
    assert answer.status_code == 400
    assert "id of an order" in answer.json()["before"][0]


def test_queries_do_not_grow_with_the_orders(alice, phone, django_assert_max_num_queries):
    for _ in range(50):
        order = OrderFactory(user=alice)
        OrderLineFactory(order=order)
        OrderLineFactory(order=order)
    with django_assert_max_num_queries(5):
        assert len(phone.get("/mobile-api/my-orders/?with=stage").json()) == 50


def test_unchanged_list_is_304_until_something_changes(alice, phone):
    order = OrderFactory(user=alice)
    etag = phone.get("/mobile-api/my-orders/")["ETag"]
    again = phone.get("/mobile-api/my-orders/", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    order.mark_paid()
    changed = phone.get("/mobile-api/my-orders/", headers={"If-None-Match": etag})
    assert (changed.status_code, changed.json()[0]["status"]) == (200, 20)


def test_list_is_kept_for_this_person_alone(alice, phone):
    answer = phone.get("/mobile-api/my-orders/")
    assert "private" in answer["Cache-Control"]
    assert "Authorization" in answer["Vary"]


def test_stage_tells_a_cancelled_order_from_a_new_one(alice, phone):
    order = OrderFactory(user=alice)
    OrderLineFactory(order=order)
    order.cancel()
    assert phone.get("/mobile-api/my-orders/?with=stage").json()[0]["stage"] == "cancelled"


@pytest.mark.parametrize(
    "path", ["/mobile-api/nothing/", "/mobile-api/my-orders/x/tracker/", "/mobile-api/my-orders/1"]
)
def test_path_where_nothing_is_is_404_in_json(phone, path):
    answer = phone.get(path, follow=True)
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])


def test_reading_by_any_accept_header_gives_json(alice, phone):
    answer = phone.get("/mobile-api/my-orders/", headers={"Accept": "text/html"})
    assert answer["Content-Type"] == "application/json"


def test_app_that_asks_for_it_is_told_of_parcels(alice, phone):
    order = OrderFactory(user=alice, status=Order.PAID)
    OrderLineFactory.create_batch(2, order=order)
    order.send_parcel("DPD", "1 2", [order.lines.first().pk])
    [told] = phone.get("/mobile-api/my-orders/?with=stage").json()
    [parcel] = told["parcels"]
    assert (parcel["carrier"], parcel["tracking_number"]) == ("DPD", "1 2")
    assert parcel["link"] == "https://track.dpd.co.uk/search?reference=12" and parcel["date_sent"].endswith("Z")
    assert "parcels" not in phone.get("/mobile-api/my-orders/").json()[0]
