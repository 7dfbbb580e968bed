"""Guessing at an account from elsewhere does not lock its owner out of a browser that logged in before."""

import pytest
from axes.models import AccessAttempt
from django.test import Client

from shop.models import User
from shop.people.known_browsers import COOKIE
from tests.factories import PASSWORD
from tests.shop.test_throttle import by_app, by_office, by_page

pytestmark = pytest.mark.django_db

NEW = "lantern-orchard-42"
DOORS = (by_page, by_app, by_office)


def guess_from_everywhere(person):
    """As many wrong passwords as an account bears, from six networks."""
    for number in range(6):
        AccessAttempt.objects.create(
            username=person.email, ip_address=f"192.0.2.{number}", user_agent="x", failures_since_start=9
        )


def known(person, door=by_page):
    """A browser in which this person logged in, and out again."""
    browser = Client()
    assert door(browser, person.email, PASSWORD).status_code in (200, 302)
    browser.post("/logout/")
    assert "_auth_user_id" not in browser.session
    return browser


@pytest.mark.parametrize("first", DOORS)
def test_owner_gets_in_by_every_door_where_they_were_before(erin, first):
    browser = known(erin, first)
    guess_from_everywhere(erin)
    for door in DOORS:
        assert door(browser, erin.email, PASSWORD).status_code in (200, 302)
        # And those who guess gained nothing by it.
        assert door(Client(), erin.email, PASSWORD).status_code == 429
        browser.post("/logout/")


@pytest.mark.parametrize("office", ["admin", "office-admin", "dispatch-admin"])
def test_owner_of_the_shop_gets_into_the_offices(olga, office):
    browser = known(olga)
    guess_from_everywhere(olga)
    login = {"username": olga.email, "password": PASSWORD}
    assert browser.post(f"/{office}/login/", login).status_code == 302
    assert Client().post(f"/{office}/login/", login).status_code == 429


def test_who_signed_up_is_known(client, db):
    client.post("/signup/", {"email": "new@example.com", "password1": NEW, "password2": NEW})
    client.post("/logout/")
    guess_from_everywhere(User.objects.get())
    assert by_page(client, "new@example.com", NEW).status_code == 302


def test_one_browser_is_known_to_several_people_each_for_their_own_account(alice, bob, olga):
    browser = known(alice)
    by_page(browser, bob.email, PASSWORD)
    browser.post("/logout/")
    for person in (alice, bob, olga):
        guess_from_everywhere(person)
    statuses = []
    for person in (alice, bob, olga):
        statuses.append(by_page(browser, person.email, PASSWORD).status_code)
        browser.post("/logout/")
    assert statuses == [302, 302, 429]


def test_known_browser_has_ten_guesses_of_its_own_wherever_it_is(alice):
    browser = known(alice)
    guess_from_everywhere(alice)
    statuses = [
        by_page(browser, alice.email, f"guess-{number}", REMOTE_ADDR=f"198.51.100.{number}").status_code
        for number in range(11)
    ]
    assert statuses == [200] * 9 + [429] * 2
    assert by_page(browser, alice.email, PASSWORD).status_code == 429


def test_its_guesses_count_for_everybody_else(alice):
    for browser in [known(alice) for _ in range(5)]:
        for number in range(10):
            by_page(browser, alice.email, f"guess-{number}")
    assert by_page(Client(), alice.email, PASSWORD, REMOTE_ADDR="198.51.100.1").status_code == 429


def test_new_password_ends_it_but_where_it_was_chosen(client_of, alice):
    there, here = known(alice), known(alice)
    by_page(here, alice.email, PASSWORD)
    here.post("/password-change/", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})
    here.post("/logout/")
    guess_from_everywhere(alice)
    assert by_page(there, alice.email, NEW).status_code == 429
    assert by_page(here, alice.email, NEW).status_code == 302


def test_cookie_that_was_made_up_or_altered_is_worth_nothing(alice):
    browser = known(alice)
    guess_from_everywhere(alice)
    value = browser.cookies[COOKIE].value
    browser.cookies[COOKIE] = value[:-1] + ("B" if value.endswith("A") else "A")
    assert by_page(browser, alice.email, PASSWORD).status_code == 429


def test_cookie_is_for_the_server_alone_and_says_nothing_of_whose_it_is(alice):
    browser = Client()
    cookie = by_page(browser, alice.email, PASSWORD).cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert int(cookie["max-age"]) >= 300 * 24 * 3600
    again = by_page(Client(), alice.email, PASSWORD).cookies[COOKIE]
    assert cookie.value.split("-")[0] != again.value.split("-")[0]
    assert "alice" not in cookie.value
