import json
import logging
import re
from decimal import Decimal

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from booktime.observing.logs import Formatter
from shop.models import Address, Basket, Order, OrderLine, Product
from tests.factories import AddressFactory, BasketFactory, BasketLineFactory, ProductFactory

CHECKOUT = "/order/address_select/"
HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def basket(client, alice):
    client.force_login(alice)
    basket = BasketFactory(user=alice)
    BasketLineFactory(basket=basket, product__name="Siddhartha", product__price="6.00", quantity=2)
    BasketLineFactory(basket=basket, product__name="Emma", product__price="8.50")
    return basket


@pytest.fixture
def home(alice):
    return AddressFactory(user=alice, name="Alice Liddell", address1="Christ Church", city="Oxford")


@pytest.fixture
def office(alice):
    return AddressFactory(user=alice, name="Wonderland Ltd", address2="2nd floor", country="us")


def place(client, home, office=None, **fields):
    return client.post(CHECKOUT, {"shipping_address": home.pk, "billing_address": (office or home).pk, **fields})


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.mark.parametrize("path", [CHECKOUT, "/order/done/"])
def test_visitor_is_led_to_the_login(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.url) == (302, f"/login/?next={path}")


@pytest.mark.parametrize("method", ["get", "post"])
def test_empty_basket_leads_to_the_basket(client, alice, method):
    client.force_login(alice)
    assert getattr(client, method)(CHECKOUT).url == "/basket/"


def test_shows_own_addresses_and_the_whole_order(client, basket, home, bob):
    AddressFactory(user=bob, address1="Counting House")
    text = text_of(client.get(CHECKOUT))
    assert "Christ Church" in text and "Counting House" not in text
    assert "2 × £6.00" in text and "Total £20.50" in text


def test_order_keeps_addresses_and_prices_as_text_of_that_moment(client, alice, basket, home, office):
    answer = place(client, home, office)
    assert (answer.status_code, answer.url) == (302, "/order/done/")
    Product.objects.update(price=99)
    Address.objects.update(address1="Elsewhere")
    order = Order.objects.get()
    assert (order.user, order.status, order.total_price) == (alice, Order.NEW, Decimal("20.50"))
    assert order.shipping_address1 == "Christ Church"
    assert (order.billing_name, order.billing_address2, order.billing_country) == ("Wonderland Ltd", "2nd floor", "us")
    assert order.summary == "2 x Siddhartha, 1 x Emma"
    assert order.lines.count() == 3
    assert Basket.objects.get().status == Basket.SUBMITTED


def test_thanks_with_the_order_and_an_empty_basket(client, basket, home):
    place(client, home)
    text = text_of(client.get("/order/done/"))
    assert "Thank you, Alice" in text and "Siddhartha" in text and "Total £20.50" in text
    assert "Your basket is empty" in text_of(client.get("/basket/"))


def test_confirmation_is_mailed_once(client, basket, home, mailoutbox, django_capture_on_commit_callbacks):
    Product.objects.filter(name="Emma").update(name="Emma & “Friends”")
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            place(client, home)
    (message,) = mailoutbox
    assert message.to == ["alice@example.com"]
    assert message.subject == f"Your order {Order.objects.get().pk} at BookTime"
    assert "2 x Siddhartha: £12.00" in message.body and "1 x Emma & “Friends”: £8.50" in message.body
    assert "Christ Church" in message.body and "Total: £20.50" in message.body
    html, kind = message.alternatives[0]
    assert kind == "text/html" and "Emma &amp; “Friends”" in html and "£20.50" in html


def test_order_stands_when_the_mail_server_is_down(client, basket, home, settings, django_capture_on_commit_callbacks):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with django_capture_on_commit_callbacks(execute=True):
        assert place(client, home).url == "/order/done/"
    assert Order.objects.count() == 1 and mail.outbox == []


def test_sent_again_later_leads_to_the_same_order(client, basket, home):
    for _ in range(3):
        assert place(client, home).url == "/order/done/"
    assert Order.objects.count() == 1
    assert client.get(CHECKOUT).url == "/basket/"


def test_old_page_sent_again_does_not_order_the_next_basket(client, alice, basket, home):
    place(client, home, basket=basket.pk)
    client.post("/add_to_basket/", {"product_id": ProductFactory().pk})
    assert place(client, home, basket=basket.pk).url == "/order/done/"
    assert Order.objects.count() == 1
    place(client, home)
    assert Order.objects.count() == 2


@pytest.mark.parametrize("kind", ["shipping_address", "billing_address"])
def test_somebody_elses_address_is_refused(client, basket, home, bob, kind):
    theirs = AddressFactory(user=bob, address1="Counting House")
    answer = place(client, home, **{kind: theirs.pk})
    assert answer.status_code == 422
    assert "Select a valid choice" in text_of(answer) and "Counting House" not in text_of(answer)
    assert not Order.objects.exists()


@pytest.mark.parametrize("value", ["", "x", "9" * 30])
def test_bad_address_is_an_error_and_the_choice_made_stays(client, basket, office, home, value):
    answer = place(client, office, billing_address=value)
    assert answer.status_code == 422 and not Order.objects.exists()
    page = answer.content.decode()
    assert re.search(rf'name="shipping_address" value="{office.pk}" checked', page)


@pytest.mark.parametrize("fields", [{"active": False}, {"in_stock": False}])
def test_book_that_went_meanwhile_stops_the_order_with_a_way_on(client, basket, home, fields):
    Product.objects.filter(name="Emma").update(**fields)
    answer = place(client, home)
    assert answer.status_code == 422
    assert "“Emma” cannot be bought any more. Take it out" in text_of(answer)
    assert 'href="/basket/"' in answer.content.decode()
    assert not Order.objects.exists() and Basket.objects.get().status == Basket.OPEN


def test_price_that_changed_since_it_was_put_in_is_pointed_out(client, basket, home):
    Product.objects.filter(name="Emma").update(price="9.00")
    assert "Now £9.00; it was £8.50 when you put it in." in text_of(client.get(CHECKOUT))


def test_total_that_changed_after_the_page_was_shown_is_not_charged_unseen(client, basket, home):
    Product.objects.filter(name="Emma").update(price="9.00")
    answer = place(client, home, total="20.50")
    assert answer.status_code == 422 and not Order.objects.exists()
    assert "the total is now £21.00, it was £20.50" in text_of(answer)
    assert place(client, home, total="21.00").url == "/order/done/"


def test_address_is_added_in_place_and_chosen(client, alice, basket, home, office):
    fields = {"name": "Dinah", "address1": "1 Hearth", "zip_code": "OX1", "city": "Oxford", "country": "uk"}
    answer = client.post("/order/address_create/", {**fields, "billing_address": home.pk}, headers=HTMX)
    page = answer.content.decode()
    new = Address.objects.get(name="Dinah")
    assert new.user == alice
    assert re.search(rf'name="shipping_address" value="{new.pk}" checked', page)
    assert re.search(rf'name="billing_address" value="{home.pk}" checked', page)
    assert "<html" not in page


def test_address_is_added_without_javascript(client, basket):
    fields = {"name": "Dinah", "address1": "1 Hearth", "zip_code": "OX1", "city": "Oxford", "country": "uk"}
    page = client.post("/order/address_create/", fields, follow=True)
    assert page.redirect_chain[0][0].startswith(CHECKOUT)
    assert "Dinah" in text_of(page)


def test_visitor_who_sends_an_address_is_led_to_checkout_after_logging_in(client, client_of, alice, basket):
    login = client_of().post("/order/address_create/", {"name": "Dinah"}).url
    assert login == "/login/?next=/order/address_create/"
    assert client.get("/order/address_create/").url == CHECKOUT


def test_wrong_address_says_what_is_missing_and_saves_nothing(client, basket):
    answer = client.post("/order/address_create/", {"name": "Dinah", "country": "fr"}, headers=HTMX)
    assert answer.status_code == 422 and not Address.objects.exists()
    assert "This field is required." in text_of(answer)
    assert 'value="Dinah"' in answer.content.decode()


def test_first_order_asks_for_an_address(client, basket):
    page = client.get(CHECKOUT).content.decode()
    assert "Add an address to go on" in page and "Place order" not in page


def test_done_without_an_order_leads_to_the_orders(client, alice):
    client.force_login(alice)
    assert client.get("/order/done/").url == "/orders/"


def test_basket_makes_its_order_by_itself(alice, basket, home, office):
    order = basket.create_order(home, office)
    assert basket.status == Basket.SUBMITTED
    assert basket.create_order(home, office) == order
    assert order.billing_name == "Alice Liddell" and order.shipping_name == "Wonderland Ltd"
    assert OrderLine.objects.count() == 3


@pytest.mark.parametrize(("owner", "code"), [(None, "no_user"), ("alice", "empty")])
def test_basket_that_cannot_be_ordered_says_why(alice, home, owner, code):
    basket = BasketFactory(user=alice if owner else None)
    if owner is None:
        BasketLineFactory(basket=basket)
    with pytest.raises(ValidationError) as error:
        basket.create_order(home, home)
    assert error.value.code == code


def test_order_is_logged_with_its_number_and_its_shopper(alice, caplog):
    basket = BasketFactory(user=alice)
    BasketLineFactory(basket=basket)
    address = AddressFactory(user=alice)
    with caplog.at_level(logging.INFO, "shop.models.order_placing"):
        order = basket.create_order(address, address)
    (record,) = [record for record in caplog.records if record.name == "shop.models.order_placing"]
    line = json.loads(Formatter(as_json=True).format(record))
    assert (line["message"], line["order"], line["user"]) == ("Order placed", order.pk, alice.pk)
