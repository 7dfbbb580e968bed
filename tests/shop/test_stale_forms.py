"""A form that grew old because somebody logged in in another tab is sent once more; another site's form never is."""

import re
from html import unescape

import pytest
from django.test import Client

from shop.models import BasketLine
from tests.factories import PASSWORD, OrderFactory, ProductFactory

pytestmark = pytest.mark.django_db

HERE = {"Origin": "http://testserver"}


@pytest.fixture
def browser(alice):
    """Two tabs of a browser: the first has a form, in the second alice logged in."""
    browser = Client(enforce_csrf_checks=True)
    browser.old = token_in(browser.get("/login/"))
    fields = {"email": alice.email, "password": PASSWORD, "csrfmiddlewaretoken": browser.old}
    assert browser.post("/login/", fields).status_code == 302
    return browser


def token_in(response):
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.content.decode())[1]


def send(browser, path, headers=HERE, **fields):
    return browser.post(path, {"csrfmiddlewaretoken": browser.old, **fields}, headers=headers)


def hidden_fields(page):
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.content.decode())
    return {unescape(name): unescape(value) for name, value in found}


def test_plain_form_is_offered_once_more(browser):
    book = ProductFactory()
    page = send(browser, "/add_to_basket/", product_id=book.pk)
    assert page.status_code == 403
    assert not BasketLine.objects.exists()
    assert "alice@example.com" in page.content.decode()
    assert 'action="/add_to_basket/"' in page.content.decode()
    assert browser.post("/add_to_basket/", hidden_fields(page), headers=HERE).status_code == 302
    assert BasketLine.objects.get().product == book


def test_what_was_typed_is_kept_to_the_letter(browser):
    page = send(browser, "/contact-us/?a=1&b=2", name='<b>"&', message="One\nTwo  ")
    fields = hidden_fields(page)
    assert (fields["name"], fields["message"]) == ('<b>"&', "One\nTwo  ")
    assert 'action="/contact-us/?a=1&amp;b=2"' in page.content.decode()


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {}])
def test_form_of_another_site_is_offered_to_nobody(browser, headers):
    page = send(browser, "/contact-us/", headers, name="Mallory", message="Buy!")
    assert page.status_code == 403
    assert "Mallory" not in page.content.decode()
    assert "Open the page anew" in page.content.decode()


def test_password_is_written_into_no_page(browser):
    page = send(browser, "/password-change/", old_password="the-old-one", new_password1="the-new-one")
    assert page.status_code == 403
    assert b"the-old-one" not in page.content
    assert b"the-new-one" not in page.content


@pytest.mark.parametrize("path", ["/login/?next=/orders/", "/signup/?next=/orders/"])
def test_log_in_form_of_who_is_logged_in_leads_on(browser, path):
    answer = send(browser, path, email="alice@example.com", password=PASSWORD)
    assert browser.get(answer.url).url == "/orders/"


def test_office_log_in_form_of_who_is_logged_in_leads_on(olga):
    browser = Client(enforce_csrf_checks=True)
    browser.old = token_in(browser.get("/admin/login/"))
    browser.force_login(olga)
    browser.cookies["csrftoken"] = "x" * 32
    answer = send(browser, "/admin/login/?next=/admin/shop/", username=olga.email, password=PASSWORD)
    assert browser.get(answer.url).url == "/admin/"


def test_page_that_updates_itself_gets_a_fresh_token(browser):
    book = ProductFactory()
    headers = {**HERE, "HX-Request": "true"}
    answer = send(browser, "/add_to_basket/", headers, product_id=book.pk)
    assert answer.status_code == 403
    fields = {"product_id": book.pk, "csrfmiddlewaretoken": answer["X-CSRFToken"]}
    assert browser.post("/add_to_basket/", fields, headers=headers).status_code == 200
    assert BasketLine.objects.get().quantity == 1


def test_chat_gets_a_fresh_token(browser, alice):
    path = f"/mobile-api/my-orders/{OrderFactory(user=alice).pk}/messages/"
    body = {"message": "Hello"}

    def post(token):
        return browser.post(path, body, content_type="application/json", headers={**HERE, "X-CSRFToken": token})

    answer = post(browser.old)
    assert answer.status_code == 403
    assert post(answer["X-CSRFToken"]).status_code == 201


def test_refusal_that_has_nothing_to_do_with_it_brings_no_token(browser):
    fresh = token_in(browser.get("/contact-us/"))
    answer = browser.post("/order-dashboard/1/paid/", {"csrfmiddlewaretoken": fresh}, headers=HERE)
    assert answer.status_code == 403
    assert "X-CSRFToken" not in answer
