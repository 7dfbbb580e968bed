from functools import partial

import pytest

from shop.models import Basket, BasketLine
from tests.factories import PASSWORD, BasketFactory, BasketLineFactory, ProductFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db


def add(client, product, times=1):
    for _ in range(times):
        client.post("/add_to_basket/", {"product_id": product.pk})


def log_in(client, person, **kwargs):
    return client.post("/login/", {"email": person.email, "password": PASSWORD}, **kwargs)


def contents(person):
    lines = BasketLine.objects.filter(basket__user=person, basket__status=Basket.OPEN)
    return sorted(lines.values_list("product__name", "quantity"))


def test_quantities_add_up_and_the_shopper_is_told(client, alice):
    emma, persuasion = ProductFactory(name="Emma"), ProductFactory(name="Persuasion")
    basket = BasketFactory(user=alice)
    BasketLineFactory(basket=basket, product=emma, quantity=3)
    add(client, emma, 2)
    add(client, persuasion)
    page = log_in(client, alice, follow=True).content.decode()
    assert contents(alice) == [("Emma", 5), ("Persuasion", 1)]
    assert "is now in your basket: 2 x “Emma”, 1 x “Persuasion”." in page
    assert Basket.objects.get() == basket


def test_sum_is_at_most_99(client, alice):
    emma = ProductFactory(name="Emma")
    BasketLineFactory(basket__user=alice, product=emma, quantity=98)
    add(client, emma, 3)
    page = log_in(client, alice, follow=True).content.decode()
    assert contents(alice) == [("Emma", 99)]
    assert "1 x “Emma”" in page


def test_full_line_stays_and_the_shopper_is_told(client, alice):
    emma = ProductFactory(name="Emma")
    BasketLineFactory(basket__user=alice, product=emma, quantity=99)
    add(client, emma)
    assert "99 is the most of one book" in log_in(client, alice, follow=True).content.decode()


def test_person_without_a_basket_gets_the_visitors(client, alice):
    add(client, ProductFactory(name="Emma"))
    log_in(client, alice)
    assert contents(alice) == [("Emma", 1)]


def test_long_titles_and_many_books_are_summed_up(client, alice):
    for n in range(6):
        add(client, ProductFactory(name=f"{n}" + "é" * 249))
    page = log_in(client, alice, follow=True).content.decode()
    assert "and 3 more books" in page or "3 more books" in page


def test_nothing_is_said_where_nothing_was_chosen(client, alice):
    assert "before logging in" not in log_in(client, alice, follow=True).content.decode()
    assert not Basket.objects.exists()


def test_new_account_keeps_what_was_chosen(client, django_user_model):
    add(client, ProductFactory(name="Emma"))
    fields = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/signup/", fields)
    assert contents(django_user_model.objects.get(email="new@example.com")) == [("Emma", 1)]


def test_logging_out_leaves_an_empty_basket_for_the_next_visitor(client, alice):
    add(client, ProductFactory(name="Emma"))
    log_in(client, alice)
    client.post("/logout/")
    assert "Your basket is empty" in client.get("/basket/").content.decode()
    assert contents(alice) == [("Emma", 1)]


def test_logging_in_twice_merges_once(client, alice):
    add(client, ProductFactory(name="Emma"))
    log_in(client, alice)
    client.post("/logout/")
    log_in(client, alice)
    assert contents(alice) == [("Emma", 1)]


@pytest.mark.django_db(transaction=True)
def test_logins_at_once_from_one_visit_merge_once(client, client_of, alice):
    add(client, ProductFactory(name="Emma"), 2)
    browsers = [client_of() for _ in range(4)]
    for browser in browsers:
        browser.cookies["sessionid"] = client.cookies["sessionid"].value
    at_once(*(partial(log_in, browser, alice) for browser in browsers))
    assert contents(alice) == [("Emma", 2)]


@pytest.mark.django_db(transaction=True)
def test_logins_at_once_from_several_devices_share_one_basket(client_of, alice):
    emma = ProductFactory(name="Emma")
    browsers = [client_of() for _ in range(4)]
    for browser in browsers:
        add(browser, emma)
    answers = at_once(*(partial(log_in, browser, alice) for browser in browsers))
    assert [answer.status_code for answer in answers] == [302] * 4
    assert contents(alice) == [("Emma", 4)]
