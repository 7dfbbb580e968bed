"""A basket, and so an order, holds at most 100 titles and 500 books, whichever way they come in."""

from contextlib import contextmanager, suppress
from functools import partial
from threading import Barrier, BrokenBarrierError

import pytest
from django.core.exceptions import ValidationError

from shop.models import Basket, BasketLine, Order, Product
from shop.models.basket import Contents
from tests.factories import PASSWORD, AddressFactory, BasketFactory, OrderFactory, OrderLineFactory, ProductFactory
from tests.races import at_once, no_locks

pytestmark = pytest.mark.django_db


def fill(basket, *quantities):
    """A title for each quantity; the last of their lines."""
    start = Product.objects.count()
    names = [f"Volume {start + number:03}" for number in range(len(quantities))]
    books = Product.objects.bulk_create(
        Product(name=name, slug=name.lower().replace(" ", "-"), price=1) for name in names
    )
    lines = [BasketLine(basket=basket, product=book, quantity=n) for book, n in zip(books, quantities, strict=True)]
    return BasketLine.objects.bulk_create(lines)[-1]


@pytest.fixture
def basket(alice):
    return BasketFactory(user=alice)


def add(browser, product, **kwargs):
    return browser.post("/add_to_basket/", {"product_id": product.pk}, **kwargs)


def held(basket):
    """How many titles, how many books."""
    quantities = list(basket.lines.values_list("quantity", flat=True))
    return len(quantities), sum(quantities)


@pytest.mark.parametrize(("quantities", "most"), [([1] * 100, "100 titles"), ([99, 99, 99, 99, 98, 6], "500 books")])
def test_full_basket_says_so_and_takes_no_other_book(alices, basket, quantities, most):
    fill(basket, *quantities)
    before, book = held(basket), ProductFactory(name="Emma")
    page = add(alices, book)
    assert page.status_code == 409
    assert f"Your basket is full: {most} are the most." in page.content.decode()
    fragment = add(alices, book, headers={"HX-Request": "true"})
    assert fragment.status_code == 422
    assert f"Your basket is full: {most} are the most." in fragment.content.decode()
    assert held(basket) == before


def test_book_that_is_in_it_may_be_more_when_the_titles_are_full(alices, basket):
    line = fill(basket, *[1] * 100)
    assert add(alices, line.product).status_code == 302
    assert held(basket) == (100, 101)


@pytest.mark.parametrize(("entered", "step"), [("4", ""), ("1", "3"), ("99", "")])
def test_quantity_beyond_the_room_is_an_error_and_changes_nothing(alices, basket, entered, step):
    line = fill(basket, 99, 99, 99, 99, 99, 3, 1)
    page = alices.post(f"/basket/lines/{line.pk}/", {"quantity": entered, "step": step or "0"})
    assert page.status_code == 422
    assert "A basket holds at most 500 books, and yours has room for 1 more." in page.content.decode()
    assert held(basket) == (7, 499)


def test_last_book_that_finds_room_is_taken(alices, basket):
    line = fill(basket, 99, 99, 99, 99, 99, 3, 1)
    alices.post(f"/basket/lines/{line.pk}/", {"quantity": "2"})
    assert held(basket) == (7, 500)


def test_restoring_more_than_there_is_room_for_is_an_error(alices, basket):
    fill(basket, 99, 99, 99, 99, 99)
    page = alices.post(f"/basket/products/{ProductFactory().pk}/restore/", {"quantity": "99"})
    assert page.status_code == 422
    assert "yours has room for 5 more" in page.content.decode()
    assert held(basket) == (5, 495)


def test_visitor_meets_the_same_limit(client):
    for book in ProductFactory.create_batch(6):
        client.post(f"/basket/products/{book.pk}/restore/", {"quantity": "99"})
    assert held(Basket.objects.get()) == (5, 495)


def test_add_of_the_model_meets_it_too(basket):
    fill(basket, 99, 99, 99, 99, 99)
    with pytest.raises(ValidationError, match="room for 5 more"):
        basket.add(ProductFactory(), 6)
    assert basket.add(ProductFactory(), 5) == 5


def log_in(client, person):
    return client.post("/login/", {"email": person.email, "password": PASSWORD}, follow=True)


def test_login_brings_along_what_finds_room_and_names_the_rest(client, alice, basket):
    fill(basket, 99, 99, 99, 99, 99)
    for name, quantity in (("Emma", 3), ("Persuasion", 4), ("Sanditon", 2)):
        book = ProductFactory(name=name)
        client.post(f"/basket/products/{book.pk}/restore/", {"quantity": quantity})
    page = log_in(client, alice).content.decode()
    assert "now in your basket: 3 x “Emma”, 2 x “Persuasion”." in page
    assert "There was no room for 2 x “Persuasion”, 2 x “Sanditon”" in page
    assert "100 titles and 500 books" in page
    assert held(basket) == (7, 500)


def test_login_with_a_full_basket_of_other_titles_succeeds(client, alice, basket):
    fill(basket, *[1] * 100)
    visitors = BasketFactory(user=None)
    fill(visitors, *[5] * 90)
    session = client.session
    session["basket_id"] = visitors.pk
    session.save()
    page = log_in(client, alice).content.decode()
    assert "5 x “Volume 100”" in page and "and 500 books are the most of a basket" in page and "400 more books" in page
    assert held(basket) == (100, 100)
    assert client.get("/address/").status_code == 200


def test_basket_that_is_too_full_from_before_grows_no_more_but_shrinks(alices, basket):
    line = fill(basket, *[9] * 101)
    assert add(alices, line.product).status_code == 409
    alices.post(f"/basket/lines/{line.pk}/", {"quantity": "8"})
    assert held(basket) == (101, 908)
    page = alices.get("/basket/").content.decode()
    assert "These are 101 titles and 908 books" in page and ">Check out</a>" not in page


@pytest.mark.parametrize("quantities", [[1] * 101, [99] * 5 + [6]])
def test_basket_that_is_too_full_from_before_makes_no_order(alices, alice, basket, quantities):
    fill(basket, *quantities)
    address = AddressFactory(user=alice)
    answer = alices.post("/order/address_select/", {"billing_address": address.pk, "shipping_address": address.pk})
    assert answer.status_code == 422
    assert "An order holds at most 100 titles and 500 books" in answer.content.decode()
    with pytest.raises(ValidationError, match="at most 100 titles"):
        basket.create_order(address, address)
    assert not Order.objects.exists()


def test_largest_basket_makes_an_order(alices, alice, basket):
    fill(basket, *[5] * 100)
    assert basket.create_order(AddressFactory(user=alice), AddressFactory(user=alice)).lines.count() == 500


def test_buying_again_takes_what_finds_room_and_names_the_rest(alices, alice, basket):
    fill(basket, 99, 99, 99, 99, 99)
    order = OrderFactory(user=alice)
    OrderLineFactory.create_batch(7, order=order, product=ProductFactory(name="Emma"))
    page = alices.post(f"/orders/{order.pk}/buy-again/", follow=True).content.decode()
    assert f"5 books of order {order.pk} went into your basket." in page
    assert "There was no room for 2 x “Emma”" in page
    assert held(basket) == (6, 500)


def test_owner_cannot_fill_it_further_either(client, olga, basket):
    client.force_login(olga)
    lines = [fill(basket, 99), fill(basket, 99)]
    path = f"/admin/shop/basket/{basket.pk}/change/"
    fields = {"user": basket.user.email, "status": "10", "lines-TOTAL_FORMS": "7", "lines-INITIAL_FORMS": "2"}
    for number, line in enumerate(lines):
        fields |= {f"lines-{number}-id": line.pk, f"lines-{number}-basket": basket.pk, f"lines-{number}-quantity": 99}
    for number in range(2, 7):
        fields |= {f"lines-{number}-product": ProductFactory().pk, f"lines-{number}-quantity": 90}
        fields |= {f"lines-{number}-id": "", f"lines-{number}-basket": basket.pk}
    page = client.post(path, fields).content.decode()
    assert "These are 7 titles and 648 books" in page
    assert held(basket) == (2, 198)
    client.post(path, {**fields, "lines-5-quantity": 20, "lines-6-quantity": 12})
    assert held(basket) == (7, 500)


@contextmanager
def meeting(monkeypatch, number, patience):
    """All who look into a basket meet, so that the race is really run."""
    door, look = Barrier(number), Basket.contents

    def look_and_wait(self):
        contents = look(self)
        with suppress(BrokenBarrierError):  # somebody is held up by a lock
            door.wait(timeout=patience)
        return contents

    with monkeypatch.context() as patch:
        patch.setattr(Basket, "contents", look_and_wait)
        yield


def adders(client_of, alice, number):
    browsers = [client_of(alice) for _ in range(number)]
    return [
        partial(add, browser, book) for browser, book in zip(browsers, ProductFactory.create_batch(number), strict=True)
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("quantities", [[1] * 98, [99] * 4 + [98, 4]])
def test_adding_at_once_does_not_pass_the_limit(client_of, alice, basket, quantities, monkeypatch):
    fill(basket, *quantities)
    titles, books = held(basket)
    calls = adders(client_of, alice, 4)
    with meeting(monkeypatch, 4, patience=0.5):
        answers = at_once(*calls)
    assert sorted(answer.status_code for answer in answers) == [302, 302, 409, 409]
    assert held(basket) == (titles + 2, books + 2)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_the_same_race_passes_it(client_of, alice, basket, monkeypatch):
    fill(basket, *[1] * 98)
    calls = adders(client_of, alice, 4)
    with meeting(monkeypatch, 4, patience=30), no_locks(monkeypatch):
        at_once(*calls)
    assert held(basket) == (102, 102)


def test_room_is_never_less_than_none():
    assert Contents({1: 98, 2: 900}).room_for(1) == 0
