import pytest

from shop.models import Address
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
    assert str(address) == "Zoë O’Brien, 12 Bread Street, London EC4M 9BE, United Kingdom"


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
