from decimal import Decimal
from functools import partial

import pytest
from django.contrib.sessions.models import Session

from shop.models import Basket, BasketLine
from tests.factories import BasketFactory, BasketLineFactory, ProductFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def add(client, product_id, **kwargs):
    return client.post("/add_to_basket/", {"product_id": product_id}, **kwargs)


def quantities():
    return sorted(BasketLine.objects.values_list("product__name", "quantity"))


def test_visitor_is_led_back_to_the_book_and_told(client):
    emma = ProductFactory(name="Emma")
    answer = add(client, emma.pk, follow=True)
    assert answer.redirect_chain == [("/product/emma/", 302)]
    assert "“Emma” is in your basket" in answer.content.decode()
    assert 'href="/basket/">See your basket' in answer.content.decode()
    assert quantities() == [("Emma", 1)]


def test_one_more_of_the_same_book_shares_a_line(client, alice):
    client.force_login(alice)
    emma = ProductFactory(name="Emma")
    add(client, emma.pk)
    add(client, emma.pk)
    assert quantities() == [("Emma", 2)]
    assert Basket.objects.get().user == alice


def test_htmx_gets_the_count_and_a_message_that_find_their_own_places(client):
    add(client, ProductFactory().pk)
    answer = add(client, ProductFactory(name="Emma").pk, headers=HTMX)
    page = answer.content.decode()
    assert answer.headers["HX-Reswap"] == "none"
    assert 'id="basket-count" class="count" hx-swap-oob="true" data-say="2 books in your basket.">2<' in page
    assert 'id="messages"' in page and "“Emma” is in your basket" in page
    assert "<html" not in page


def test_get_is_refused(client):
    assert client.get("/add_to_basket/").status_code == 405


@pytest.mark.parametrize("fields", [{"active": False}, {"in_stock": False}])
@pytest.mark.parametrize(("headers", "status"), [({}, 409), (HTMX, 422)])
def test_what_cannot_be_bought_is_not_added_and_says_so(client, fields, headers, status):
    answer = add(client, ProductFactory(name="Emma", **fields).pk, headers=headers)
    assert answer.status_code == status
    assert "“Emma” cannot be bought at the moment" in answer.content.decode()
    assert quantities() == []
    assert not Basket.objects.exists() and not Session.objects.exists()


@pytest.mark.parametrize("product_id", ["", "emma", "0", "-1", "99999999999999999999999", "1.5", "\0", "9" * 5000])
def test_unknown_book_is_a_clear_error(client, product_id):
    answer = add(client, product_id)
    assert answer.status_code == 404
    assert "We do not have that book" in answer.content.decode()
    assert add(client, product_id, headers=HTMX).status_code == 422
    assert client.post("/add_to_basket/").status_code == 404


def test_hundredth_copy_is_not_added_and_says_so(client, alice):
    client.force_login(alice)
    line = BasketLineFactory(basket__user=alice, quantity=99)
    answer = add(client, line.product_id, headers=HTMX)
    assert "You have 99 of" in answer.content.decode()
    line.refresh_from_db()
    assert line.quantity == 99


def test_visitors_basket_lasts_through_the_session_and_is_theirs_alone(client, client_of):
    add(client, ProductFactory(name="Emma").pk)
    add(client_of(), ProductFactory(name="Persuasion").pk)
    page = client.get("/basket/").content.decode()
    assert "Emma" in page and "Persuasion" not in page


def test_looking_around_starts_no_session(client):
    client.get("/basket/")
    assert not Session.objects.exists() and not Basket.objects.exists()


def test_what_was_ordered_already_is_left_alone(client, alice):
    client.force_login(alice)
    BasketLineFactory(basket=BasketFactory(user=alice, status=Basket.SUBMITTED), product__name="Old")
    add(client, ProductFactory(name="New").pk)
    assert Basket.objects.count() == 2
    assert "Old" not in client.get("/basket/").content.decode()


def test_price_that_the_shopper_saw_is_kept(client):
    add(client, ProductFactory(price=Decimal("7.50")).pk)
    assert BasketLine.objects.get().price_seen == Decimal("7.50")


def test_user_adds_with_few_queries(client, alice, django_assert_max_num_queries):
    client.force_login(alice)
    product = ProductFactory()
    add(client, product.pk)
    with django_assert_max_num_queries(8):  # the transaction's begin and end among them
        add(client, product.pk)


@pytest.mark.django_db(transaction=True)
def test_first_books_put_in_at_once_share_one_basket(alice, client_of):
    products = [ProductFactory() for _ in range(8)]
    browsers = [client_of(alice) for _ in products]
    answers = at_once(*(partial(add, browser, product.pk) for browser, product in zip(browsers, products, strict=True)))
    assert [answer.status_code for answer in answers] == [302] * 8
    assert Basket.objects.get().count() == 8


@pytest.mark.django_db(transaction=True)
def test_same_book_put_in_at_once_is_counted_each_time(alice, client_of):
    product = ProductFactory()
    answers = at_once(*(partial(add, client_of(alice), product.pk) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [302] * 8
    assert BasketLine.objects.get().quantity == 8
