import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.db.models import F
from django.test import RequestFactory
from django.utils import timezone

from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

REFUSED = "do not fit together"


def log_in(client, email="alice@example.com", password=PASSWORD, address="127.0.0.1", **fields):
    return client.post("/login/", {"email": email, "password": password, **fields}, REMOTE_ADDR=address)


def fail(client, times, **given):
    return [log_in(client, password=f"guess-{n}", **given).status_code for n in range(times)]


def is_logged_in(client):
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("email", ["alice@example.com", "Alice@Example.COM", " alice@example.com "])
def test_shopper_logs_in_whatever_the_case_of_the_address(client, alice, email):
    assert log_in(client, email=email).url == "/"
    assert is_logged_in(client)


def test_wrong_password_and_unknown_address_get_the_same_answer(client, client_of, alice):
    wrong = log_in(client, password="wrong").content.decode()
    unknown = log_in(client_of(), email="nobody@example.com", password="wrong").content.decode()
    assert REFUSED in wrong
    strip = ("alice@example.com", "nobody@example.com")
    assert plain(wrong, strip) == plain(unknown, strip)


def plain(page, strip):
    for text in strip:
        page = page.replace(text, "")
    return [line for line in page.splitlines() if "csrfmiddlewaretoken" not in line]


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com", "ALICE@EXAMPLE.COM"])
@pytest.mark.parametrize("is_active", [True, False])
def test_each_address_costs_one_password_hash(client, alice, monkeypatch, email, is_active):
    alice.is_active = is_active
    alice.save()
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: hashed.append(1) or encode(*args))
    log_in(client, email=email, password="wrong")
    assert len(hashed) == 1


def test_inactive_person_cannot_log_in(client, alice):
    alice.is_active = False
    alice.save()
    assert REFUSED in log_in(client).content.decode()


def test_next_leads_on_within_this_site(client, alice):
    page = client.get("/login/?next=/orders/").content.decode()
    assert 'name="next" value="/orders/"' in page
    assert "/signup/?next=/orders/" in page
    assert log_in(client, next="/orders/").url == "/orders/"


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "//evil.example/x", "javascript:alert(1)", "http:///evil.example"]
)
def test_next_leads_to_no_other_site(client, alice, url):
    assert "evil" not in client.get("/login/", {"next": url}).content.decode()
    assert log_in(client, next=url).url == "/"


def test_who_is_logged_in_is_led_on(client, alice):
    client.force_login(alice)
    assert client.get("/login/?next=/orders/").url == "/orders/"


def test_guessing_is_throttled_even_for_the_right_password(client, alice):
    assert fail(client, 10)[-1] == 429
    response = log_in(client)
    assert (response.status_code, response["Retry-After"]) == (429, "900")
    assert "Too many wrong passwords" in response.content.decode()
    assert not is_logged_in(client)


def test_other_people_and_addresses_are_not_throttled_with_them(client, alice, bob):
    fail(client, 12)
    assert log_in(client, email="bob@example.com").status_code == 302
    client.logout()
    assert log_in(client, address="192.0.2.7").status_code == 302


def test_guessing_from_many_addresses_is_throttled(client, alice):
    statuses = [
        fail(client, 1, address=f"192.0.2.{n}", email=["alice@example.com", "ALICE@example.com"][n % 2])[0]
        for n in range(60)
    ]
    assert statuses.index(429) == 49
    assert log_in(client, address="198.51.100.1").status_code == 429


def test_unknown_account_is_throttled_alike(client, alice):
    assert fail(client, 12, email="nobody@example.com") == fail(client, 12)


def test_throttle_ends_and_trying_on_does_not_prolong_it(client, alice):
    fail(client, 10)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    fail(client, 5)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=2))
    assert log_in(client).status_code == 302


def test_logging_in_begins_anew(client, alice):
    fail(client, 9)
    log_in(client)
    client.logout()
    assert 429 not in fail(client, 9)


def test_client_without_a_request_logs_in(client, alice):
    assert client.login(email="alice@example.com", password=PASSWORD)
    assert not client.login(email="alice@example.com", password="wrong")


def test_guessing_through_rest_framework_is_throttled(alice):
    from rest_framework.authentication import BasicAuthentication
    from rest_framework.exceptions import AuthenticationFailed
    from rest_framework.request import Request

    def ask(password):
        credentials = base64.b64encode(f"alice@example.com:{password}".encode()).decode()
        request = RequestFactory().get("/api/orders/", HTTP_AUTHORIZATION=f"Basic {credentials}")
        try:
            BasicAuthentication().authenticate(Request(request))
        except AuthenticationFailed:
            return getattr(request, "axes_locked_out", False)
        return None

    assert ask(PASSWORD) is None
    assert [ask("wrong") for _ in range(11)] == [False] * 9 + [True] * 2
    assert ask(PASSWORD) is True


def test_username_counts_as_the_address(alice):
    request = RequestFactory().post("/mobile-api/auth/")
    for _ in range(10):
        assert authenticate(request, username="alice@example.com", password="wrong") is None
    assert authenticate(RequestFactory().post("/"), email="alice@example.com", password=PASSWORD) is None


@pytest.mark.parametrize("email", ["a\0b@example.com", "x" * 300 + "@example.com", "é@example.com", "' or 1=1 --"])
def test_strange_addresses_are_refused_in_words(client, email):
    assert log_in(client, email=email, password="wrong").status_code == 200
    assert authenticate(RequestFactory().post("/"), username=email, password="wrong") is None


def test_no_password_is_kept_with_the_failures(client, alice):
    log_in(client, password="open-sesame-1")
    client.post("/signup/", {"email": "alice@example.com", "password1": "open-sesame-2", "password2": "open-sesame-2"})
    for attempt in AccessAttempt.objects.all():
        assert "open-sesame" not in attempt.post_data + attempt.get_data


def test_fragment_asked_for_without_a_session_leads_the_whole_page_to_log_in(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/address/?x=1"}
    response = client.get("/address/1/delete/", headers=headers)
    assert (response.status_code, response.content) == (204, b"")
    assert response["HX-Redirect"] == "/login/?next=/address/%3Fx%3D1"


def test_page_of_another_site_is_not_led_back_to(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/address/"}
    assert client.get("/address/", headers=headers)["HX-Redirect"] == "/login/?next=/"


def test_address_given_at_sign_up_waits_in_the_log_in_form(client, alice):
    fields = {"email": "alice@example.com", "password1": "lantern-orchard-42", "password2": "lantern-orchard-42"}
    client.post("/signup/", fields)
    assert 'value="alice@example.com"' in client.get("/login/").content.decode()


@pytest.mark.postgres
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="needs PostgreSQL")
@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_are_all_counted(alice):
    def guess(number):
        try:
            request = RequestFactory().post("/login/", HTTP_USER_AGENT=f"agent {number % 3}")
            return authenticate(request, email="alice@example.com", password=f"guess-{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(guess, range(8))) == [None] * 8
    assert sum(AccessAttempt.objects.values_list("failures_since_start", flat=True)) == 8
