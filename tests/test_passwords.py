"""A new password, wherever it is set, is a good one and ends what was begun under the old one."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from rest_framework.authtoken.models import Token

from shop.models import User
from support.live.socket_admission import Credential, revoked
from support.models import DeviceToken
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "lantern-orchard-42"
WEAK = ("12345678", "password", "alice", "short1", "alice@example.com")


@pytest.fixture
def olgas(client_of, olga):
    return client_of(olga)


def set_by_owner(owner, person, password):
    path = f"/admin/shop/user/{person.pk}/password/"
    return owner.post(path, {"usable_password": "true", "password1": password, "password2": password})


def works(browser, path):
    return browser.get(path).status_code == 200


def test_password_set_by_an_owner_ends_sessions_tokens_and_sockets(client_of, olgas, alice):
    phone, session = DeviceToken.objects.issue(alice, "Phone")[1], client_of(alice)
    program = Token.objects.create(user=alice).key
    credentials = {
        Credential(alice.pk, False, token=phone),
        Credential(alice.pk, False, token=program),
        Credential.of_session(alice, session.session.session_key, as_employee=False),
    }
    assert revoked(credentials) == set()
    assert works(session, "/orders/")
    assert set_by_owner(olgas, alice, NEW).status_code == 302
    assert client_of().login(email=alice.email, password=NEW)
    assert revoked(credentials) == credentials
    assert not works(session, "/orders/")
    for token in (phone, program):
        headers = {"Authorization": f"Token {token}"}
        assert client_of().get("/mobile-api/my-orders/", headers=headers).status_code == 401
    assert not Token.objects.exists()


def test_other_changes_of_a_person_end_nothing(client_of, olgas, alice):
    Token.objects.create(user=alice)
    alice.first_name = "Alicia"
    alice.save()
    assert client_of().login(email=alice.email, password=PASSWORD)
    assert Token.objects.exists()


@pytest.mark.parametrize("password", WEAK)
def test_weak_password_is_refused_wherever_one_is_set(client_of, olgas, olga, alice, password):
    twice = {"password1": password, "password2": password}
    new = {"new_password1": password, "new_password2": password, "old_password": PASSWORD}
    alices = client_of(alice)
    alices.post("/password-change/", new)
    client_of().post("/signup/", {"email": "new@example.com", **twice})
    set_by_owner(olgas, alice, password)
    olgas.post("/admin/shop/user/add/", {"email": "new@example.com", **twice})
    olgas.post("/admin/password_change/", new)
    assert not User.objects.filter(email="new@example.com").exists()
    for person in (alice, olga):
        person.refresh_from_db()
        assert person.check_password(PASSWORD)


def test_weak_password_is_refused_at_the_prompt_too(alice, monkeypatch):
    answers = iter([PASSWORD[:3]] * 6)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    with pytest.raises(CommandError):
        call_command("changepassword", alice.email, stdout=StringIO(), stderr=StringIO())
