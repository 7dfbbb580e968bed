"""Forms that anybody may send, and guessing across all the doors there are; tests/shop/test_login.py has the rest."""

import base64
import itertools

import pytest
from axes.models import AccessAttempt

from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

FORMS = {
    "/signup/": {"email": "new@example.com", "password1": "lantern-orchard-42", "password2": "lantern-orchard-42"},
    "/contact-us/": {"name": "Alice", "message": "Hello"},
    "/password-reset/": {"email": "alice@example.com"},
}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def three_an_hour(settings, same_hour):
    settings.POSTS_AN_HOUR = dict.fromkeys(settings.POSTS_AN_HOUR, 3)


@pytest.mark.parametrize(("path", "fields"), FORMS.items())
def test_form_sent_too_often_is_refused_for_that_address_alone(client_of, three_an_hour, path, fields):
    def send(address="192.0.2.1", **more):
        return client_of().post(path, {**fields, **more}, REMOTE_ADDR=address)

    # Also what looks like a question about a field, and was not asked by the page itself.
    assert [send(validate="email").status_code for _ in range(3)] == [302] * 3
    refused = send()
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "sent too often" in refused.content.decode()
    assert send(address="2001:db8::1").status_code == 302
    assert client_of().get(path, REMOTE_ADDR="192.0.2.1").status_code == 200


def test_what_a_field_says_meanwhile_is_not_counted(client, three_an_hour):
    for _ in range(5):
        answer = client.post("/signup/", {"email": "a", "validate": "email"}, headers=HTMX)
    assert answer.status_code == 200
    assert client.post("/signup/", FORMS["/signup/"]).status_code == 302


def test_a_whole_office_signs_up(client_of, settings):
    assert min(settings.POSTS_AN_HOUR.values()) >= 100
    assert settings.POSTS_AN_HOUR["signup"] >= 300


def by_page(browser, email, password, **request):
    return browser.post("/login/", {"email": email, "password": password}, **request)


def by_app(browser, email, password, **request):
    return browser.post("/mobile-api/auth/", {"username": email, "password": password}, **request)


def by_api(browser, email, password, **request):
    credentials = base64.b64encode(f"{email}:{password}".encode()).decode()
    return browser.get("/api/orders/", **{"HTTP_AUTHORIZATION": f"Basic {credentials}", **request})


def by_office(browser, email, password, **request):
    return browser.post("/office-admin/login/", {"username": email, "password": password}, **request)


DOORS = (by_page, by_app, by_api, by_office)
SPELLINGS = (
    "alice@example.com",
    "ALICE@example.com",
    "Alice@Example.Com ",
    " alice@example.com",
    "alice@example.com\t",
)


def test_guesses_count_for_the_account_at_whatever_door_and_however_it_is_spelt(client_of, alice):
    """From a new address, with a new claim of where it comes from, and in another browser each time."""
    ways = itertools.cycle(itertools.product(SPELLINGS, DOORS))
    for number, (spelling, door) in zip(range(60), ways, strict=False):
        where = {"REMOTE_ADDR": f"2001:db8:0:{number}::1", "HTTP_X_FORWARDED_FOR": f"192.0.2.{number}"}
        door(client_of(), spelling, f"guess-{number}", **where, HTTP_USER_AGENT=f"Browser/{number}")
    for door in DOORS:
        right = door(client_of(), alice.email, PASSWORD, REMOTE_ADDR="198.51.100.7")
        wrong = door(client_of(), alice.email, "wrong", REMOTE_ADDR="198.51.100.7")
        assert (right.status_code, wrong.status_code) == (429, 429)
        assert 0 < int(right["Retry-After"]) <= 900
        assert right.content.split(b"csrf")[0] == wrong.content.split(b"csrf")[0]


def test_guesser_at_one_address_locks_nobody_out_elsewhere(client_of, alice):
    for number in range(80):
        by_page(client_of(), alice.email, f"guess-{number}", REMOTE_ADDR="192.0.2.1")
    assert by_page(client_of(), alice.email, PASSWORD, REMOTE_ADDR="198.51.100.7").status_code == 302


def test_address_that_tries_many_accounts_is_refused(client_of, alice, monkeypatch):
    monkeypatch.setattr("shop.throttle.ACCOUNTS", 2)
    for number in range(20):
        by_page(client_of(), f"person{number}@example.com", "summer-2026", REMOTE_ADDR="192.0.2.1")
    assert by_page(client_of(), alice.email, PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert by_page(client_of(), alice.email, PASSWORD, REMOTE_ADDR="198.51.100.7").status_code == 302


def test_logging_in_to_ones_own_account_buys_no_more_guesses(client_of, alice, bob, monkeypatch):
    monkeypatch.setattr("shop.throttle.ACCOUNTS", 2)
    for number in range(19):
        by_page(client_of(), f"person{number}@example.com", "summer-2026", REMOTE_ADDR="192.0.2.1")
    by_page(client_of(), bob.email, PASSWORD, REMOTE_ADDR="192.0.2.1")
    assert by_page(client_of(), alice.email, "summer-2026", REMOTE_ADDR="192.0.2.1").status_code == 429


def test_strange_headers_are_no_server_error(client_of, alice):
    odd = {"HTTP_USER_AGENT": "a\0" + "b" * 5000, "HTTP_ACCEPT": "text/html\0" + "x" * 5000}
    for door in DOORS:
        assert door(client_of(), alice.email, "wrong", **odd).status_code < 500
    assert by_api(client_of(), alice.email, "wrong", PATH_INFO="/api/a\0b/").status_code < 500
    assert AccessAttempt.objects.exists()
