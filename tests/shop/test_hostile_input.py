"""What nobody sends by accident: an answer that says so, never an error page, and nothing of another person's."""

import pytest

from shop.models import Address, Basket, BasketLine, Order
from tests.factories import PASSWORD, AddressFactory, BasketFactory, BasketLineFactory, ProductFactory

pytestmark = pytest.mark.django_db
STRANGE = ["9" * 5000, "9" * 30, "-1", "1e999999", "NaN", "\0", "\u0663", "'\"<script>", ""]


@pytest.mark.parametrize("value", STRANGE)
def test_strange_product_is_not_found(client, value):
    assert client.post("/add_to_basket/", {"product_id": value}).status_code == 404


@pytest.mark.parametrize("value", STRANGE)
def test_strange_quantity_changes_nothing(alices, alice, value):
    line = BasketLineFactory(basket=BasketFactory(user=alice), quantity=2)
    quantity = "0" if value == "\u0663" else value  # a digit all the same
    assert alices.post(f"/basket/lines/{line.pk}/", {"quantity": quantity}).status_code == 422
    assert BasketLine.objects.get().quantity == 2


@pytest.mark.parametrize("field", ["basket", "total", "shipping_address", "billing_address"])
@pytest.mark.parametrize("value", STRANGE)
def test_strange_order_is_no_server_error(alices, alice, field, value):
    line = BasketLineFactory(basket=BasketFactory(user=alice))
    home = AddressFactory(user=alice).pk
    form = {"basket": line.basket_id, "shipping_address": home, "billing_address": home, field: value}
    assert alices.post("/order/address_select/", form).status_code in {302, 422}


@pytest.mark.parametrize("parameter", ["q", "page", "sort", "image"])
@pytest.mark.parametrize("value", STRANGE)
def test_strange_address_gives_a_page(client, parameter, value):
    ProductFactory(name="Emma")
    for path in ("/products/all/", "/product/emma/"):
        response = client.get(path, {parameter: value})
        assert response.status_code == 200
        assert b"\0" not in response.content
        assert b"<script>" not in response.content


def test_order_to_an_outsiders_address_is_refused(alices, alice, bob):
    BasketLineFactory(basket=BasketFactory(user=alice))
    bobs = AddressFactory(user=bob)
    form = {"shipping_address": bobs.pk, "billing_address": bobs.pk}
    assert alices.post("/order/address_select/", form).status_code == 422
    assert not Order.objects.exists()


def test_outsiders_basket_is_not_ordered(alices, alice, bob):
    home, theirs = AddressFactory(user=alice).pk, BasketLineFactory(basket=BasketFactory(user=bob)).basket
    alices.post("/order/address_select/", {"basket": theirs.pk, "shipping_address": home, "billing_address": home})
    assert not Order.objects.exists()
    assert Basket.objects.get(pk=theirs.pk).status == Basket.OPEN


def test_new_address_is_ones_own_whatever_the_form_says(alices, alice, bob):
    form = {"name": "A", "address1": "B", "zip_code": "C", "city": "D", "country": "uk", "user": bob.pk}
    alices.post("/address/create/", form)
    alices.post("/order/address_create/", form)
    assert {address.user for address in Address.objects.all()} == {alice}


@pytest.mark.parametrize("verb", ["", "remove/"])
def test_outsider_gets_404_for_a_basket_line(alices, bob, verb):
    line = BasketLineFactory(basket=BasketFactory(user=bob))
    assert alices.post(f"/basket/lines/{line.pk}/{verb}", {"quantity": 5}).status_code == 404
    assert BasketLine.objects.get().quantity == 1


@pytest.mark.parametrize("path", ["/contact-us/", "/login/", "/signup/", "/address/create/", "/password-change/"])
def test_form_sent_with_nothing_says_what_is_missing(alices, client_of, path):
    browser = client_of() if path in {"/login/", "/signup/"} else alices
    assert "This field is required." in browser.post(path, {}).content.decode()


@pytest.mark.parametrize("path", ["/basket/lines/{}/", "/basket/products/{}/restore/", "/orders/{}/cancel/"])
def test_number_beyond_the_database_is_not_found(alices, path):
    assert alices.post(path.format("9" * 40)).status_code == 404


@pytest.mark.parametrize("word", ["NaN", "logout", "1.5", "?", "#"])
def test_next_that_is_no_address_leads_home(alices, client_of, word):
    assert alices.get("/login/", {"next": word}).url == "/"
    form = {"email": "alice@example.com", "password": PASSWORD, "next": word}
    assert client_of().post("/login/", form).url == "/"


@pytest.mark.parametrize("url", ["//evil.example", "/\\\\evil.example", "https:evil.example", "javascript:alert(1)"])
@pytest.mark.parametrize("form", ["/address/create/", "/login/", "/signup/"])
def test_next_never_leads_away(client, alice, url, form):
    if form == "/address/create/":
        client.force_login(alice)
    page = client.get(form, {"next": url}).content.decode()
    assert f'value="{url}"' not in page
