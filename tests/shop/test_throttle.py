"""Forms that anybody may send, and guessing across all the doors there are; tests/shop/test_login.py has the rest."""

import base64
import itertools

import pytest
from axes.models import AccessAttempt
from django.core import mail

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


@pytest.mark.parametrize(("path", "fields"), FORMS.items())
def test_form_that_looks_like_a_question_about_a_field_is_counted_where_it_does_something(
    client_of, three_an_hour, path, fields
):
    """What the answer was decides: by other names than those of a field, and where there are no such questions."""

    def send():
        return client_of().post(path, {**fields, "validate": "nonsense"}, headers=HTMX, REMOTE_ADDR="192.0.2.1")

    statuses = [send().status_code for _ in range(5)]
    assert statuses[3:] == [429, 429], statuses


def test_reset_mails_nobody_beyond_its_limit_whatever_else_is_sent(client_of, alice, three_an_hour):
    for _ in range(5):
        fields = {"email": alice.email, "validate": "email"}
        client_of().post("/password-reset/", fields, headers=HTMX, REMOTE_ADDR="192.0.2.1")
    assert len(mail.outbox) == 3


NETWORK = [f"2001:db8:0:7:{number}::{number}" for number in range(1, 12)]
OTHER_NETWORK = "2001:db8:0:8::1"


def test_ipv6_network_is_one_address_for_forms(client_of, three_an_hour):
    def send(address):
        return client_of().post("/contact-us/", FORMS["/contact-us/"], REMOTE_ADDR=address).status_code

    assert [send(address) for address in NETWORK[:4]] == [302, 302, 302, 429]
    assert send(OTHER_NETWORK) == 302


def test_ipv6_network_is_one_address_for_passwords(client_of, alice):
    statuses = [by_page(client_of(), alice.email, "wrong", REMOTE_ADDR=each).status_code for each in NETWORK]
    assert statuses == [200] * 9 + [429] * 2
    assert by_page(client_of(), alice.email, PASSWORD, REMOTE_ADDR=OTHER_NETWORK).status_code == 302


def test_ipv6_network_is_one_address_for_tokens(client_of, settings, db):
    settings.API_WRONG_TOKENS_PER_MINUTE = 3

    def ask(address):
        return client_of().get("/api/orders/", HTTP_AUTHORIZATION="Token x", REMOTE_ADDR=address).status_code

    assert [ask(address) for address in NETWORK[:4]] == [401, 401, 401, 429]
    assert ask(OTHER_NETWORK) == 401


def test_ipv4_in_the_clothes_of_ipv6_is_the_same_address(client_of, three_an_hour):
    def send(address):
        return client_of().post("/contact-us/", FORMS["/contact-us/"], REMOTE_ADDR=address).status_code

    addresses = ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201", "192.0.2.1")
    assert [send(address) for address in addresses] == [302, 302, 302, 429]
    assert send("::ffff:192.0.2.2") == 302


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
    monkeypatch.setattr("shop.web.throttle.ACCOUNTS", 2)
    for number in range(20):
        by_page(client_of(), f"person{number}@example.com", "summer-2026", REMOTE_ADDR="192.0.2.1")
    assert by_page(client_of(), alice.email, PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert by_page(client_of(), alice.email, PASSWORD, REMOTE_ADDR="198.51.100.7").status_code == 302


def test_address_that_guesses_fast_rests_until_the_minute_is_over(client_of, alice, settings, same_hour):
    settings.WRONG_LOGINS_A_MINUTE = 5
    for number in range(5):
        by_page(client_of(), f"person{number}@example.com", "summer-2026", REMOTE_ADDR="192.0.2.1")
    for door in DOORS:
        refused = door(client_of(), alice.email, PASSWORD, REMOTE_ADDR="192.0.2.1")
        assert refused.status_code == 429
        assert 0 < int(refused["Retry-After"]) <= 60
    assert by_page(client_of(), alice.email, PASSWORD, REMOTE_ADDR="198.51.100.7").status_code == 302


def test_a_whole_office_mistypes(settings):
    assert settings.WRONG_LOGINS_A_MINUTE >= 60


@pytest.mark.parametrize("path", ["/password-change/", "/admin/password_change/"])
def test_old_password_is_guessed_no_longer_than_at_a_log_in(client_of, olga, path):
    new = {"new_password1": "lantern-orchard-42", "new_password2": "lantern-orchard-42"}
    browser = client_of(olga)
    statuses = [browser.post(path, {"old_password": f"guess-{n}", **new}).status_code for n in range(11)]
    assert statuses == [200] * 9 + [429] * 2
    assert browser.post(path, {"old_password": PASSWORD, **new}).status_code == 429
    assert by_page(client_of(), olga.email, PASSWORD).status_code == 429


def test_whether_an_old_password_is_right_is_not_said_while_one_types(client_of, alice):
    fields = {"validate": "old_password", "new_password1": "x"}
    answers = {
        client_of(alice).post("/password-change/", {**fields, "old_password": old}, headers=HTMX).content
        for old in (PASSWORD, "wrong")
    }
    assert len(answers) == 1
    assert not AccessAttempt.objects.exists()


def test_logging_in_to_ones_own_account_buys_no_more_guesses(client_of, alice, bob, monkeypatch):
    monkeypatch.setattr("shop.web.throttle.ACCOUNTS", 2)
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
