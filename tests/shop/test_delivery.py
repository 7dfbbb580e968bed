"""How books are delivered, where to, and what it costs: chosen at the checkout, kept by the order."""

import re
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from shop.models import DeliveryMethod, Order, OutgoingMail, Product
from shop.values.money import ZERO
from tests.factories import AddressFactory, BasketFactory, BasketLineFactory

CHECKOUT = "/order/address_select/"
HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.django_db


def method(name, price, *countries, **fields):
    return DeliveryMethod.objects.create(name=name, price=price, countries=list(countries), **fields)


@pytest.fixture
def slow(db):
    return method("Tracked 48", "2.95", "uk", free_from="25.00", days_from=2, days_to=3)


@pytest.fixture
def fast(db):
    return method("Tracked 24", "4.50", "uk")


@pytest.fixture
def abroad(db):
    return method("International", "9.95", "us", "ie")


@pytest.fixture
def basket(client, alice):
    client.force_login(alice)
    basket = BasketFactory(user=alice)
    BasketLineFactory(basket=basket, product__name="Emma", product__price="10.00", quantity=2)
    return basket


@pytest.fixture
def home(alice):
    return AddressFactory(user=alice)


@pytest.fixture
def overseas(alice):
    return AddressFactory(user=alice, name="Mei Chen", city="Portland", country="us")


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def fields_of(answer):
    """What the page would send: its hidden fields and what is checked."""
    inputs = re.findall(r"<input[^>]*>", answer.content.decode())
    sent = [each for each in inputs if 'type="hidden"' in each or " checked" in each]
    named = (re.search(r'name="([^"]+)".*value="([^"]*)"', each) for each in sent)
    return {found[1]: found[2] for found in named if found and found[1] != "csrfmiddlewaretoken"}


def place(client, shipping, **fields):
    return client.post(CHECKOUT, {"shipping_address": shipping.pk, "billing_address": shipping.pk, **fields})


@pytest.mark.parametrize(
    ("books", "weight", "price"),
    [
        ("24.99", None, "3.00"),  # of unknown weight
        ("24.99", 500, "1.00"),
        ("24.99", 501, "2.00"),
        ("25.00", 501, "0.00"),
        ("25.00", 1001, None),  # too heavy, be it ever so dear
    ],
)
def test_price_goes_by_weight_where_it_is_known_and_ends_with_a_sum(books, weight, price):
    bands = method("By weight", "3.00", free_from="25.00")
    bands.bands.create(up_to=1000, price="2.00")
    bands.bands.create(up_to=500, price="1.00")
    found = DeliveryMethod.objects.get().price_for(Decimal(books), weight)
    assert found == (None if price is None else Decimal(price))
    if price is None:
        [offer] = DeliveryMethod.objects.rates().offers("uk", Decimal("10.00"), weight)
        assert offer.price == Decimal("2.00"), "nothing else delivers it"
        method("Van", "30.00")
        [offer] = DeliveryMethod.objects.rates().offers("uk", Decimal("10.00"), weight)
        assert offer.name == "Van"


def test_what_serves_a_country_is_active_and_names_it_or_none(slow, abroad):
    everywhere = method("Anywhere", "20.00")
    method("Closed", "1.00", active=False)
    assert DeliveryMethod.objects.serving("uk") == [slow, everywhere]
    assert DeliveryMethod.objects.serving("ie") == [abroad, everywhere]
    assert DeliveryMethod.objects.serving("fr") == [everywhere]
    assert DeliveryMethod.objects.countries() == {"uk", "us", "ie"}


def test_page_offers_what_serves_the_address_and_the_order_keeps_what_was_chosen(
    client, basket, home, slow, fast, abroad
):
    page = client.get(CHECKOUT)
    assert "Tracked 48 £2.95, 2 to 3 working days Free from £25.00" in text_of(page)
    assert "International" not in text_of(page) and "Total £22.95" in text_of(page)
    # Without JavaScript the page's total is still that of the cheapest.
    sent = {**fields_of(page), "delivery_method": fast.pk}
    assert sent["total"] == "22.95"
    assert client.post(CHECKOUT, sent).url == "/order/done/"
    DeliveryMethod.objects.all().delete()
    order = Order.objects.get()
    assert (order.delivery_name, order.delivery_price, order.grand_total) == ("Tracked 24", Decimal("4.50"), 24.50)
    assert "Delivery, Tracked 24 £4.50" in text_of(client.get(f"/orders/{order.pk}/"))


def test_cheapest_is_taken_where_none_is_chosen_and_its_days_are_mailed(client, basket, home, slow, fast):
    assert place(client, home).url == "/order/done/"
    assert Order.objects.get().delivery_name == "Tracked 48"
    text = OutgoingMail.objects.get(key__startswith="order-confirmation").text
    assert "Delivery, Tracked 48 (2 to 3 working days): £2.95" in text and "Total: £22.95" in text


def test_sum_of_books_makes_it_free(client, basket, home, slow):
    Product.objects.update(price="12.50")
    assert place(client, home, total="25.00").url == "/order/done/"
    assert (Order.objects.get().delivery_name, Order.objects.get().delivery_price) == ("Tracked 48", ZERO)


def test_without_an_active_method_delivery_is_free(client, basket, overseas):
    method("Closed", "1.00", active=False)
    assert "Delivery Free Total £20.00" in text_of(client.get(CHECKOUT))
    assert place(client, overseas, total="20.00").url == "/order/done/"
    assert (Order.objects.get().delivery_name, Order.objects.get().grand_total) == ("", 20)


def test_method_that_does_not_serve_the_address_is_refused_with_those_that_do(
    client, basket, overseas, home, slow, abroad
):
    answer = place(client, overseas, delivery_method=slow.pk)
    assert answer.status_code == 422 and not Order.objects.exists()
    assert "“Tracked 48” does not deliver these books to United States. Choose another way" in text_of(answer)
    assert "International £9.95" in text_of(answer) and "Total £29.95" in text_of(answer)
    assert client.post(CHECKOUT, fields_of(answer)).url == "/order/done/"


@pytest.mark.parametrize("value", ["999", "x", "9" * 30, "closed"])
def test_method_that_is_not_offered_is_an_error(client, basket, home, slow, value):
    value = method("Closed", "1.00", active=False).pk if value == "closed" else value
    answer = place(client, home, delivery_method=value)
    assert answer.status_code == 422 and not Order.objects.exists()
    assert "That way of delivery is not offered any more. Choose another." in text_of(answer)


def test_country_that_nothing_serves_is_said_before_and_after(client, basket, overseas, slow):
    sentence = "We do not deliver to United States at the moment. Choose an address in another country"
    assert sentence in text_of(client.get(CHECKOUT))
    answer = place(client, overseas)
    assert answer.status_code == 422 and sentence in text_of(answer) and not Order.objects.exists()
    assert "We do not deliver to United States at the moment." in text_of(client.get("/basket/"))


def test_price_that_changed_meanwhile_is_not_charged_unseen(client, basket, home, slow):
    sent = fields_of(client.get(CHECKOUT))
    DeliveryMethod.objects.update(price="3.95")
    answer = client.post(CHECKOUT, sent)
    assert answer.status_code == 422 and not Order.objects.exists()
    assert "the total is now £23.95, it was £22.95" in text_of(answer)
    assert client.post(CHECKOUT, fields_of(answer)).url == "/order/done/"


def test_choice_updates_what_depends_on_it(client, basket, overseas, home, slow, fast, abroad):
    chosen = {"shipping_address": overseas.pk, "delivery_method": slow.pk}
    part = client.get(CHECKOUT, chosen, headers={**HTMX, "HX-Target": "delivery"}).content.decode()
    assert "International" in part and "Tracked" not in part and "Place order" not in part
    assert 'id="order-totals" hx-swap-oob="true"' in part and "£29.95" in part
    chosen = {"shipping_address": home.pk, "delivery_method": fast.pk}
    part = client.get(CHECKOUT, chosen, headers={**HTMX, "HX-Target": "order-totals"}).content.decode()
    assert part.strip().startswith('<div id="order-totals"') and "£24.50" in part
    # Without JavaScript, by a button.
    page = place(client, overseas, refresh="1")
    assert page.status_code == 200 and "International" in text_of(page) and not Order.objects.exists()


def test_queries_of_the_checkout_do_not_grow_with_methods_and_books(
    client, basket, home, django_assert_max_num_queries
):
    for number in range(5):
        method(f"Post {number}", number, "uk").bands.create(up_to=5000, price=number)
        BasketLineFactory(basket=basket, product__weight=300)
    with django_assert_max_num_queries(11):
        client.get(CHECKOUT)
    with django_assert_max_num_queries(8):
        client.get("/basket/")


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("10.00", "from&nbsp;£2.95 Total without delivery £20.00 £5.00 more for free delivery."),
        ("12.50", "Delivery is free."),
    ],
)
def test_basket_says_what_is_missing_for_free_delivery(client, basket, slow, price, said):
    Product.objects.update(price=price)
    assert said in text_of(client.get("/basket/"))


def test_model_refuses_wrong_rules_in_words():
    wrong = DeliveryMethod(name="Post", price=-1, free_from=-1, countries=["uk", "zz"], days_from=3, days_to=2)
    with pytest.raises(ValidationError) as error:
        wrong.full_clean()
    assert set(error.value.message_dict) == {"price", "free_from", "countries", "days_to"}


@pytest.mark.parametrize("office", ["admin", "office-admin"])
def test_offices_edit_methods_with_their_bands(client_of, olga, erin, office):
    browser = client_of(olga if office == "admin" else erin)
    bands = {"bands-TOTAL_FORMS": 1, "bands-INITIAL_FORMS": 0, "bands-0-up_to": 500, "bands-0-price": "1.50"}
    fields = {"name": "Post", "active": "on", "price": "3.00", "countries": ["ie", "uk"], **bands}
    assert browser.post(f"/{office}/shop/deliverymethod/add/", fields).status_code == 302
    saved = DeliveryMethod.objects.get()
    assert (saved.countries, saved.price_for(Decimal(1), 500)) == (["ie", "uk"], Decimal("1.50"))
    assert "Ireland, United Kingdom" in browser.get(f"/{office}/shop/deliverymethod/").content.decode()
    assert '<option value="fr">France</option>' in browser.get(f"/{office}/shop/deliverymethod/add/").content.decode()
