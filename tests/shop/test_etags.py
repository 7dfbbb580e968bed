import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import Client, RequestFactory

from shop.models import Product, User
from tests.factories import AuthorFactory, BasketLineFactory, ProductFactory, ProductTagFactory, SeriesFactory
from tests.shop.shelves import FRAGMENT

PAGES = [
    "/",
    "/products/all/",
    "/products/gothic/?q=emma",
    "/product/emma/",
    "/author/jane-austen/",
    "/series/highbury/",
]


@pytest.fixture(autouse=True)
def emma(db) -> Product:
    book = ProductFactory(name="Emma", series=SeriesFactory(name="Highbury"))
    book.authors.add(AuthorFactory(name="Jane Austen"))
    book.tags.add(ProductTagFactory(name="Gothic"))
    return book


def again(client: Client, path: str, **headers: str):
    """The page's answer to a browser that holds it already."""
    first = client.get(path, headers=headers)
    return client.get(path, headers={"If-None-Match": first.headers["ETag"], **headers})


@pytest.mark.parametrize("path", PAGES)
def test_an_unchanged_page_is_not_sent_again_to_a_visitor(client, path):
    client.get("/product/emma/")  # the visit now has its CSRF secret
    response = again(client, path)
    assert response.status_code == 304
    assert response.content == b""
    assert {"Cookie", "HX-Request"} <= set(response.headers["Vary"].split(", "))


@pytest.mark.parametrize("path", PAGES)
def test_an_unchanged_page_is_not_sent_again_to_a_shopper(client, alice, path):
    client.force_login(alice)
    client.get(path)
    assert again(client, path).status_code == 304


def test_pages_are_kept_by_one_browser_and_checked_each_time(client):
    assert client.get("/products/all/").headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/products/all/", "/product/emma/"])
def test_a_new_price_makes_a_new_page(client, emma, path):
    client.get(path)
    etag = client.get(path).headers["ETag"]
    emma.price = 99
    emma.save()
    response = client.get(path, headers={"If-None-Match": etag})
    assert response.status_code == 200
    assert "£99" in response.content.decode()


def test_a_book_in_the_basket_makes_a_new_page(client, alice):
    client.force_login(alice)
    client.get("/products/all/")
    etag = client.get("/products/all/").headers["ETag"]
    BasketLineFactory(basket__user=alice)
    assert client.get("/products/all/", headers={"If-None-Match": etag}).status_code == 200


def test_a_page_with_a_dead_token_is_sent_again(client):
    """With the cookie gone, the forms of a page that the browser kept would be refused."""
    etag = client.get("/product/emma/").headers["ETag"]
    client.cookies.clear()
    assert client.get("/product/emma/", headers={"If-None-Match": etag}).status_code == 200


def test_a_shopper_is_not_shown_the_page_of_a_visitor(client, alice: User):
    etag = client.get("/products/all/").headers["ETag"]
    client.force_login(alice)
    assert client.get("/products/all/", headers={"If-None-Match": etag}).status_code == 200


def test_a_fragment_and_its_page_are_told_apart(client):
    page, fragment = client.get("/products/all/"), client.get("/products/all/", headers=FRAGMENT)
    assert page.headers["ETag"] != fragment.headers["ETag"]
    assert again(client, "/products/all/", **FRAGMENT).status_code == 304


def test_a_page_with_messages_is_kept_nowhere(client):
    storage = CookieStorage(RequestFactory().get("/"))
    client.cookies["messages"] = storage._encode([Message(constants.SUCCESS, "Welcome back.")])
    response = client.get("/products/all/")
    assert "Welcome back." in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert "ETag" not in response.headers
    assert "Welcome back." not in client.get("/products/all/").content.decode()


def test_a_page_that_is_not_there_has_no_etag(client):
    assert "ETag" not in client.get("/product/never-was/").headers
