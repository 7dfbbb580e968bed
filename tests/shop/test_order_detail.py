import re

import pytest

from shop.models import Basket, BasketLine, Order, OrderLine
from tests.factories import BasketLineFactory, OrderFactory, OrderLineFactory, ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(client, alice):
    client.force_login(alice)
    order = OrderFactory(user=alice, status=Order.PAID, billing_name="Wonderland Ltd", shipping_name="Alice L.")
    emma = ProductFactory(name="Emma")
    for _ in range(3):
        OrderLineFactory(order=order, product=emma, price="4.50")
    OrderLineFactory(order=order, product__name="Walden", price="7.00")
    return order


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def page_of(client, order):
    return text_of(client.get(f"/orders/{order.pk}/"))


def test_visitor_is_led_to_the_login(client_of, order):
    assert client_of().get(f"/orders/{order.pk}/").url == f"/login/?next=/orders/{order.pk}/"


@pytest.mark.parametrize(("person", "status"), [("bob", 404), ("dan", 404), ("erin", 200), ("olga", 200)])
def test_shopper_and_employees_see_it_and_others_get_404(client_of, order, request, person, status):
    assert client_of(request.getfixturevalue(person)).get(f"/orders/{order.pk}/").status_code == status


def test_htmx_gets_the_order_without_the_frame_of_the_page(client, order):
    answer = client.get(f"/orders/{order.pk}/", headers={"HX-Request": "true"})
    assert answer.content.decode().strip().startswith('<div id="order">') and "Emma" in answer.content.decode()
    assert "HX-Request" in answer["Vary"]


def test_unknown_order_is_404(client, order):
    assert client.get("/orders/999999/").status_code == 404


def test_shows_books_totals_and_both_addresses(client, order):
    text = page_of(client, order)
    assert "Emma 3 × £4.50" in text and "£13.50" in text
    assert "Total £20.50" in text
    assert "Wonderland Ltd" in text and "Alice L." in text and "1 Thornfield Road" in text


def test_names_each_parcel_once(client, order):
    for line in order.lines.filter(product__name="Emma"):
        line.track(carrier="Royal Mail", tracking_number="AB 123")
    assert page_of(client, order).count("Parcel: Royal Mail AB 123") == 1


def test_shows_how_far_each_book_is(client, order):
    lines = list(order.lines.all())
    lines[0].mark(OrderLine.SENT)
    lines[1].mark(OrderLine.PROCESSING)
    assert "1 Placed 1 Packing 1 Sent" in page_of(client, order)


@pytest.mark.parametrize(
    ("status", "lines", "current"),
    [
        (Order.NEW, OrderLine.NEW, "Payment"),
        (Order.PAID, OrderLine.NEW, "Packing"),
        (Order.PAID, OrderLine.PROCESSING, "Packing"),
        (Order.PAID, OrderLine.SENT, None),
    ],
)
def test_steps_say_where_the_order_is(client, order, status, lines, current):
    Order.objects.update(status=status)
    order.lines.update(status=lines)
    page = client.get(f"/orders/{order.pk}/").content.decode()
    assert re.findall(r'aria-current="step">(\w+)', page) == ([current] if current else [])


def test_book_that_is_no_longer_sold_stays_on_the_order_without_a_link(client, order):
    order.lines.first().product.__class__.objects.update(active=False)
    answer = client.get(f"/orders/{order.pk}/")
    assert "Emma" in text_of(answer) and "/product/" not in answer.content.decode()


@pytest.mark.parametrize("number", [1, 50])
def test_needs_at_most_9_queries(client, alice, number, django_assert_max_num_queries):
    client.force_login(alice)
    order = OrderFactory(user=alice)
    OrderLineFactory.create_batch(number, order=order)
    # The session, the user, the order, its lines, payments and story, how it is paid, the basket, and who sells.
    with django_assert_max_num_queries(9):
        client.get(f"/orders/{order.pk}/")


def test_bought_again_goes_into_the_basket_on_top_of_what_is_there(client, alice, order):
    emma = order.lines.first().product
    BasketLineFactory(basket__user=alice, product=emma, quantity=2)
    answer = client.post(f"/orders/{order.pk}/buy-again/", follow=True)
    assert answer.redirect_chain == [("/basket/", 302)]
    assert f"4 books of order {order.pk} went into your basket" in text_of(answer)
    lines = BasketLine.objects.filter(basket__user=alice, basket__status=Basket.OPEN)
    assert dict(lines.values_list("product__name", "quantity")) == {"Emma": 5, "Walden": 1}


def test_what_cannot_be_bought_again_is_named(client, order):
    emma = order.lines.first().product
    emma.in_stock = False
    emma.save()
    text = text_of(client.post(f"/orders/{order.pk}/buy-again/", follow=True))
    assert "“Emma” cannot be bought at the moment" in text
    assert list(BasketLine.objects.values_list("product__name", "quantity")) == [("Walden", 1)]


@pytest.mark.parametrize("person", ["bob", "erin"])
def test_others_cannot_buy_it_again(client_of, order, request, person):
    answer = client_of(request.getfixturevalue(person)).post(f"/orders/{order.pk}/buy-again/")
    assert answer.status_code == 404


@pytest.mark.parametrize("verb", ["cancel", "buy-again"])
def test_changes_are_posts(client, order, verb):
    assert client.get(f"/orders/{order.pk}/{verb}/").url == f"/orders/{order.pk}/"
    assert client.put(f"/orders/{order.pk}/{verb}/").status_code == 405
    assert not Basket.objects.exists() and not Order.objects.get().is_cancelled


def test_cancelled_order_asks_for_nothing(client, order):
    Order.objects.update(status=Order.NEW)
    Order.objects.get().cancel()
    text = page_of(client, order)
    assert "Ordered £20.50 Cancelled −£20.50 To pay £0.00" in text
    assert "There is nothing to pay." in text and "Total" not in text


@pytest.mark.parametrize(("status", "sum_of"), [(Order.NEW, "To pay"), (Order.PAID, "Total")])
def test_cancelled_book_is_taken_off_the_sum(client, order, status, sum_of):
    Order.objects.update(status=status)
    order.lines.get(product__name="Walden").mark(OrderLine.CANCELLED)
    assert f"Ordered £20.50 Cancelled −£7.00 {sum_of} £13.50" in page_of(client, order)
    order.refresh_from_db()
    assert str(order.total_price) == "20.50"
