import re

import pytest

from shop.models import Address, DeliveryMethod, Order
from tests.factories import AddressFactory

pytestmark = pytest.mark.django_db

FIELDS = {
    "name": "Zoë O’Brien",
    "address1": "12 Bread Street",
    "address2": "",
    "zip_code": "EC4M 9BE",
    "city": "London",
    "country": "uk",
}
HTMX = {"HX-Request": "true"}


def test_shopper_adds_an_address(alice, client_of):
    assert client_of(alice).post("/address/create/", FIELDS).url == "/address/"
    address = Address.objects.get(user=alice)
    assert str(address) == "Zoë O’Brien, 12 Bread Street, London, EC4M 9BE, United Kingdom"


def test_shopper_changes_an_address(alice, client_of):
    address = AddressFactory(user=alice)
    client = client_of(alice)
    assert "Thornfield" in client.get(f"/address/{address.pk}/").content.decode()
    client.post(f"/address/{address.pk}/", {**FIELDS, "city": "York"})
    address.refresh_from_db()
    assert (address.city, address.user) == ("York", alice)


def test_saving_leads_back_within_this_site(alice, client_of):
    client = client_of(alice)
    assert client.post("/address/create/", {**FIELDS, "next": "/basket/"}).url == "/basket/"
    assert client.post("/address/create/", {**FIELDS, "next": "//evil.example"}).url == "/address/"


@pytest.mark.parametrize(
    ("fields", "error"),
    [({"name": " "}, "required"), ({"country": "fr"}, "valid choice"), ({"city": "x" * 61}, "at most 60")],
)
def test_bad_input_is_explained_and_kept(alice, client_of, fields, error):
    response = client_of(alice).post("/address/create/", {**FIELDS, **fields})
    page = response.content.decode()
    assert error in page
    assert "12 Bread Street" in page
    assert not Address.objects.exists()


def test_bad_input_in_place_is_422(alice, client_of):
    response = client_of(alice).post("/address/create/", {**FIELDS, "name": ""}, headers=HTMX)
    assert response.status_code == 422
    assert "<html" not in response.content.decode()


def test_field_is_checked_in_place_and_nothing_saved(alice, client_of):
    client = client_of(alice)
    page = client.post("/address/create/", {**FIELDS, "city": "", "validate": "city"}, headers=HTMX).content.decode()
    assert 'id="id_city_error"' in page
    assert "required" in page
    client.post("/address/create/", {**FIELDS, "validate": "city"}, headers=HTMX)
    assert not Address.objects.exists()


@pytest.mark.parametrize("suffix", ["", "delete/"])
def test_strangers_address_is_404_and_stays(bob, client_of, suffix):
    address = AddressFactory()
    client = client_of(bob)
    path = f"/address/{address.pk}/{suffix}"
    assert client.get(path).status_code == 404
    assert client.post(path, FIELDS).status_code == 404
    assert Address.objects.get().city == "Leeds"


def test_employee_is_a_stranger_too(erin, client_of):
    assert client_of(erin).get(f"/address/{AddressFactory().pk}/").status_code == 404


def test_address_cannot_be_given_to_another(alice, bob, client_of):
    client_of(alice).post("/address/create/", {**FIELDS, "user": bob.pk})
    assert Address.objects.get().user == alice


def test_fields_are_named_for_browsers_to_fill(alice, client_of):
    page = client_of(alice).get("/address/create/").content.decode()
    for token in ("name", "address-line1", "address-line2", "postal-code", "address-level2", "country"):
        assert f'autocomplete="{token}"' in page


@pytest.fixture
def abroad(db):
    return DeliveryMethod.objects.create(name="International", price=9, countries=["ie", "DE", "hk", "us"])


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"country": "us", "city": "Springfield", "state": "IL", "zip_code": "62701"}, ["Springfield, IL 62701"]),
        ({"country": "us", "city": "Springfield", "zip_code": "62701"}, ["Springfield 62701"]),
        ({"country": "ie", "city": "Tralee", "state": "Co. Kerry", "zip_code": ""}, ["Tralee", "Co. Kerry"]),
        ({"country": "de", "city": "Berlin", "zip_code": "10117"}, ["10117 Berlin"]),
        ({"country": "hk", "city": "Mong Kok", "zip_code": ""}, ["Mong Kok"]),
        ({"country": "hk", "city": "Mong Kok", "zip_code": "000"}, ["Mong Kok", "000"]),  # filled in by a browser
        ({"country": "uk", "city": "London", "state": "Middlesex"}, ["London", "Middlesex", "EC4M 9BE"]),
    ],
)
def test_good_address_of_each_country_is_taken_and_written_its_way(alice, client_of, abroad, fields, lines):
    assert client_of(alice).post("/address/create/", {**FIELDS, **fields}).status_code == 302
    address = Address.objects.get()
    assert address.lines() == ["12 Bread Street", *lines, address.get_country_display()]


def test_order_keeps_the_state_with_the_town(alice):
    address = AddressFactory(user=alice, city="Springfield", state="IL", zip_code="62701", country="us")
    order = Order.objects.create(user=alice, **Order.texts_of(billing=address, shipping=address))
    assert order.shipping_city == "Springfield, IL"
    assert order.shipping_lines()[-2:] == ["Springfield, IL 62701", "United States"]


def test_postcode_is_asked_for_where_each_address_has_one(alice, client_of, abroad):
    page = client_of(alice).post("/address/create/", {**FIELDS, "country": "us", "zip_code": ""}).content.decode()
    assert "This field is required." in page and ">ZIP code</label>" in page
    assert not Address.objects.exists()


def test_fields_change_with_the_country_keep_what_is_typed_and_save_nothing(alice, client_of, abroad):
    typed = {**FIELDS, "name": "", "country_chosen": "1"}
    part = client_of(alice).post("/address/create/", {**typed, "country": "ie"}, headers=HTMX).content.decode()
    assert ">Eircode <small>(optional)</small>" in part and ">County <small>" in part
    assert 'value="London"' in part and "required." not in part and "<form" not in part
    hong_kong = {**typed, "country": "hk", "zip_code": ""}
    assert "zip_code" not in client_of(alice).post("/address/create/", hong_kong, headers=HTMX).content.decode()
    german = client_of(alice).post("/address/create/", {**typed, "country": "de"}, headers=HTMX).content.decode()
    assert german.index('name="zip_code"') < german.index('name="city"')
    assert not Address.objects.exists()


def test_countries_are_those_that_are_delivered_to_and_the_address_own(alice, client_of, abroad):
    address = AddressFactory(user=alice, country="fr")
    client, offered = client_of(alice), re.compile(r'<option value="(\w\w)"')
    assert offered.findall(client.get("/address/create/").content.decode()) == ["de", "hk", "ie", "uk", "us"]
    assert "fr" in offered.findall(client.get(f"/address/{address.pk}/").content.decode())
    DeliveryMethod.objects.update(active=False)
    assert offered.findall(client.get("/address/create/").content.decode()) == ["uk", "us"]
    assert "France" in client.get("/address/").content.decode()
