from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest
from django.core import mail
from django.db import connection

from shop.models import User
from tests.factories import PASSWORD, ProductFactory
from tests.shop.smtp import free_port, hanging_server, use_smtp

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"email": "New.Reader@example.com", "password1": "lantern-orchard-42", "password2": "lantern-orchard-42"}


def logged_in_as(client):
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk).email if pk else None


def test_visitor_gets_an_account_and_is_logged_in(client):
    response = client.post("/signup/", NEW)
    assert (response.status_code, response.url) == (302, "/")
    assert logged_in_as(client) == "new.reader@example.com"


def test_welcome_mail_leads_to_the_books(client):
    client.post("/signup/", NEW)
    (welcome,) = mail.outbox
    assert welcome.subject == "Welcome to BookTime"
    assert welcome.to == ["new.reader@example.com"]
    assert "http://testserver/products/all/" in welcome.body
    assert "lantern-orchard-42" not in welcome.body


def test_sign_up_goes_on_where_the_visitor_was(client):
    page = client.get("/signup/?next=/order/address_select/").content.decode()
    assert 'name="next" value="/order/address_select/"' in page
    assert "/login/?next=/order/address_select/" in page
    assert client.post("/signup/", {**NEW, "next": "/order/address_select/"}).url == "/order/address_select/"


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"])
def test_sign_up_leads_to_no_other_site(client, url):
    assert client.post("/signup/", {**NEW, "next": url}).url == "/"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"password1": "password", "password2": "password"}, "too common"),
        ({"password1": "12345678", "password2": "12345678"}, "entirely numeric"),
        ({"password1": "x7!", "password2": "x7!"}, "too short"),
        ({"password1": "new.reader1", "password2": "new.reader1"}, "too similar"),
        ({"password2": "another-one-43"}, "match"),
        ({"email": "no address"}, "valid email"),
        ({"email": ""}, "required"),
    ],
)
def test_bad_input_is_explained_and_makes_no_account(client, fields, error):
    response = client.post("/signup/", {**NEW, **fields})
    assert response.status_code == 200
    assert error in response.content.decode()
    assert not User.objects.exists()


def answer_to(client, **fields):
    response = client.post("/signup/", {**NEW, **fields})
    cookies = {name: cookie["max-age"] for name, cookie in response.cookies.items()}
    headers = {name: value for name, value in response.items() if name not in {"X-Request-ID", "Expires"}}
    return response.status_code, response.content, headers, cookies


def test_answer_does_not_tell_whether_an_address_has_an_account(client, client_of, alice):
    assert answer_to(client, email="nobody@example.com") == answer_to(client_of(), email="ALICE@example.com")


def test_known_address_is_mailed_and_nobody_else_logged_in(client, alice):
    client.post("/signup/", {**NEW, "email": "ALICE@example.com"})
    (again,) = mail.outbox
    assert (again.to, again.subject) == (["alice@example.com"], "You have a BookTime account already")
    assert logged_in_as(client) is None
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_known_address_with_its_password_logs_in(client, alice):
    client.post("/signup/", {"email": "alice@example.com", "password1": PASSWORD, "password2": PASSWORD})
    assert logged_in_as(client) == "alice@example.com"


def test_known_address_is_mailed_at_most_once_an_hour(client, alice):
    for _ in range(3):
        client.post("/signup/", {**NEW, "email": "alice@example.com"})
    assert len(mail.outbox) <= 2  # two, where the hour struck meanwhile


def test_known_address_costs_as_many_password_hashes(client, client_of, alice, monkeypatch):
    hashed = []
    from django.contrib.auth.hashers import MD5PasswordHasher

    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: hashed.append(1) or encode(*args))
    client.post("/signup/", NEW)
    of_new = len(hashed)
    client_of().post("/signup/", {**NEW, "email": "alice@example.com"})
    assert of_new == len(hashed) - of_new == 1


def test_guessing_by_sign_up_is_throttled(client, client_of, alice):
    statuses = {client_of().post("/signup/", {**NEW, "email": "alice@example.com"}).status_code for _ in range(11)}
    assert statuses == {302, 429}


@pytest.mark.parametrize("server", ["down", "hanging"])
def test_mail_server_never_fails_a_sign_up(client, settings, server):
    if server == "down":
        use_smtp(settings, free_port())
        response = client.post("/signup/", NEW)
    else:
        with hanging_server(settings):
            response = client.post("/signup/", NEW)
    assert response.status_code == 302
    assert logged_in_as(client)


def test_field_is_checked_in_place_and_nothing_saved(client):
    response = client.post("/signup/", {"email": "no address", "validate": "email"}, headers={"HX-Request": "true"})
    page = response.content.decode()
    assert 'id="id_email_error"' in page
    assert "Enter a valid email" in page
    assert "<form" not in page
    client.post("/signup/", {**NEW, "validate": "email"}, headers={"HX-Request": "true"})
    assert not User.objects.exists()


def test_check_of_a_field_that_ends_after_the_sign_up_does_not_log_out(client, client_of):
    client.post("/add_to_basket/", {"product_id": ProductFactory().pk})
    before = client_of()
    before.cookies = deepcopy(client.cookies)
    client.post("/signup/", NEW)
    checked = before.post("/signup/", {**NEW, "validate": "password2"}, headers={"HX-Request": "true"})
    assert checked.status_code == 200
    assert "sessionid" not in checked.cookies
    assert logged_in_as(client) == "new.reader@example.com"


def test_field_in_place_does_not_tell_of_an_account(client, alice):
    fields = {"email": "alice@example.com", "validate": "email"}
    page = client.post("/signup/", fields, headers={"HX-Request": "true"}).content.decode()
    assert "></div>" in page


def test_field_nobody_knows_is_a_bad_request(client):
    response = client.post("/signup/", {**NEW, "validate": "nonsense"}, headers={"HX-Request": "true"})
    assert response.status_code == 400
    assert not User.objects.exists()


def test_who_is_logged_in_needs_no_sign_up(client, alice):
    client.force_login(alice)
    assert client.get("/signup/").url == "/"


def test_fields_are_named_for_password_managers(client):
    page = client.get("/signup/").content.decode()
    assert page.count('autocomplete="new-password"') == 2
    assert 'autocomplete="username"' in page


@pytest.mark.postgres
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="needs PostgreSQL")
def test_signing_up_twice_at_once_makes_one_account(client_of):
    def sign_up(client):
        try:
            return client.post("/signup/", NEW).status_code, logged_in_as(client)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(sign_up, [client_of() for _ in range(6)]))
    # It is the same password: each of them logs in.
    assert set(answers) == {(302, "new.reader@example.com")}
    assert User.objects.count() == 1
    assert sum(sent.subject == "Welcome to BookTime" for sent in mail.outbox) == 1
