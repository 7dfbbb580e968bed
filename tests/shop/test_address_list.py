import pytest

from tests.factories import AddressFactory

pytestmark = pytest.mark.django_db


def test_shopper_sees_own_addresses_only(alice, bob, client_of):
    AddressFactory(user=alice, name="Alice at Home")
    AddressFactory(user=bob, name="Bob at Home")
    page = client_of(alice).get("/address/").content.decode()
    assert "Alice at Home" in page
    assert "Bob at Home" not in page


def test_without_addresses_the_page_says_what_to_do(alice, client_of):
    page = client_of(alice).get("/address/").content.decode()
    assert "No addresses yet" in page
    assert 'href="/address/create/"' in page


def test_fragment_is_the_list_alone(alice, client_of):
    response = client_of(alice).get("/address/", headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize("path", ["/address/", "/address/create/", "/address/1/", "/address/1/delete/"])
def test_visitor_is_led_to_log_in(client, path):
    assert client.get(path).url == f"/login/?next={path}"


@pytest.mark.parametrize("count", [1, 20])
def test_queries_do_not_grow_with_the_addresses(alice, client_of, django_assert_max_num_queries, count):
    AddressFactory.create_batch(count, user=alice)
    client = client_of(alice)
    with django_assert_max_num_queries(5):
        client.get("/address/")
