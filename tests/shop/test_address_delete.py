import pytest

from shop.models import Address
from tests.factories import AddressFactory

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def address(alice):
    return AddressFactory(user=alice)


def test_link_only_asks(alice, address, client_of):
    page = client_of(alice).get(f"/address/{address.pk}/delete/").content.decode()
    assert "Delete this address?" in page
    assert Address.objects.exists()


def test_post_deletes(alice, address, client_of):
    client = client_of(alice)
    assert client.post(f"/address/{address.pk}/delete/").url == "/address/"
    assert not Address.objects.exists()
    assert "is deleted" in client.get("/address/").content.decode()


def test_in_place_it_asks_within_the_tile_and_gives_back_the_list(alice, address, client_of):
    client = client_of(alice)
    asked = client.get(f"/address/{address.pk}/delete/", headers=HTMX).content.decode()
    assert "<html" not in asked
    assert "1 Thornfield Road" in asked
    answer = client.post(f"/address/{address.pk}/delete/", headers=HTMX).content.decode()
    assert 'id="address-list"' in answer
    assert "No addresses yet" in answer
    assert 'id="messages"' in answer
    assert "is deleted" in answer


def test_deleting_twice_is_404(alice, address, client_of):
    client = client_of(alice)
    client.post(f"/address/{address.pk}/delete/")
    assert client.post(f"/address/{address.pk}/delete/").status_code == 404
