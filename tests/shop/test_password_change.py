import pytest
from django.core import mail
from rest_framework.authtoken.models import Token

from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "lantern-orchard-42"


def change(client, **fields):
    given = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW, **fields}
    return client.post("/password-change/", given)


def test_new_password_keeps_this_session_and_ends_the_others(alice, client_of):
    here, elsewhere = client_of(alice), client_of(alice)
    assert change(here).status_code == 302
    assert here.get("/address/").status_code == 200
    assert elsewhere.get("/address/").url == "/login/?next=/address/"
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_new_password_ends_the_mobile_apps_token(alice, bob, client_of):
    Token.objects.create(user=alice)
    Token.objects.create(user=bob)
    change(client_of(alice))
    assert [token.user for token in Token.objects.all()] == [bob]


def test_owner_is_told_by_mail(alice, client_of):
    change(client_of(alice))
    (told,) = mail.outbox
    assert told.to == ["alice@example.com"]
    assert "/password-reset/" in told.body
    assert NEW not in told.body


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"old_password": "wrong"}, "old password was entered incorrectly"),
        ({"new_password2": "other"}, "match"),
        ({"new_password1": "password", "new_password2": "password"}, "too common"),
    ],
)
def test_bad_input_is_explained_and_changes_nothing(alice, client_of, fields, error):
    assert error in change(client_of(alice), **fields).content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_visitor_is_led_to_log_in(client):
    assert client.get("/password-change/").url == "/login/?next=/password-change/"
