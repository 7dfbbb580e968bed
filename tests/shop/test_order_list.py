import re

import pytest

from shop.models import Order, OrderLine
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory

pytestmark = pytest.mark.django_db


def numbers(answer):
    return [int(number) for number in re.findall(r'<h2><a href="/orders/(\d+)/">', answer.content.decode())]


def test_visitor_is_led_to_the_login(client):
    assert client.get("/orders/").url == "/login/?next=/orders/"


def test_without_orders_it_leads_to_the_books(client, alice):
    client.force_login(alice)
    assert "No orders yet" in client.get("/orders/").content.decode()


@pytest.mark.parametrize("person", ["alice", "erin", "olga"])
def test_shows_own_orders_newest_first(client, bob, person, request):
    person = request.getfixturevalue(person)
    client.force_login(person)
    first, second = OrderFactory(user=person), OrderFactory(user=person)
    OrderFactory(user=bob)
    assert numbers(client.get("/orders/")) == [second.pk, first.pk]


def test_shows_what_was_ordered_its_total_and_how_far_it_is(client, alice):
    client.force_login(alice)
    order = OrderFactory(user=alice, status=Order.PAID)
    emma = ProductFactory(name="Emma <3")
    for status in (OrderLine.SENT, OrderLine.NEW):
        OrderLineFactory(order=order, product=emma, price="4.50", status=status)
    page = client.get("/orders/").content.decode()
    assert "2 x Emma &lt;3" in page and "£9.00" in page
    assert '<span class="badge badge--processing">Packing</span>' in page


@pytest.mark.parametrize(("page", "shown"), [("", 10), ("2", 2), ("99", 2), ("9" * 30, 2), ("0", 10), ("x", 10)])
def test_pages_and_the_nearest_good_one(client, alice, page, shown):
    client.force_login(alice)
    OrderFactory.create_batch(12, user=alice)
    answer = client.get(f"/orders/?page={page}")
    assert len(numbers(answer)) == shown
    assert "12 orders" in answer.content.decode()


@pytest.mark.parametrize("path", ["/orders/", "/basket/", "/order/done/"])
def test_head_is_answered_like_get(client, alice, path):
    client.force_login(alice)
    OrderFactory(user=alice)
    assert client.head(path).status_code == 200


def test_htmx_gets_the_list_alone(client, alice):
    client.force_login(alice)
    answer = client.get("/orders/", headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode() and 'id="order-list"' in answer.content.decode()


@pytest.mark.parametrize(("orders", "lines"), [(1, 1), (1, 50), (12, 5)])
def test_needs_at_most_6_queries(client, alice, orders, lines, django_assert_max_num_queries):
    client.force_login(alice)
    for order in OrderFactory.create_batch(orders, user=alice):
        OrderLineFactory.create_batch(lines, order=order)
    with django_assert_max_num_queries(6):
        client.get("/orders/")


def test_says_what_of_an_order_was_cancelled(client, alice):
    client.force_login(alice)
    orders = OrderFactory.create_batch(2, user=alice)
    for order in orders:
        OrderLineFactory.create_batch(2, order=order, price="4.50")
    orders[0].cancel()
    orders[1].lines.first().mark(OrderLine.CANCELLED)
    page = client.get("/orders/").content.decode()
    assert "£0.00, all of it cancelled" in page
    assert "£4.50, not paid yet, without £4.50 that is cancelled" in page
