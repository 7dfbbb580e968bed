"""Who signed up with an address, and who reads its mail, may be two people: rights follow who is both."""

import importlib
import re
from datetime import timedelta
from html import unescape

import pytest
from django.apps import apps
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django_tasks_db.models import DBTaskResult
from rest_framework.authtoken.models import Token

from shop.models import OutgoingMail, User
from support.models import DeviceToken
from tests.shop.test_password_reset import ask, choose, link

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"email": "new@example.com", "password1": "lantern-orchard-42", "password2": "lantern-orchard-42"}


def confirm_link(sent):
    return re.search(r"http://testserver(/confirm-email/\?key=\S+)", sent.body)[1]


def press(browser, url):
    """Press the button of the page that the link leads to, where there is one."""
    page = browser.get(url).content.decode()
    key = re.search(r'name="key" value="([^"]+)"', page)
    return browser.post("/confirm-email/", {"key": unescape(key[1])}) if key else page


def is_proved(email="new@example.com"):
    return User.objects.get(email=email).email_proved_at is not None


@pytest.fixture
def shopper(client):
    client.post("/signup/", NEW)
    return client


def test_link_of_the_welcome_mail_confirms_the_address(shopper):
    assert not is_proved()
    assert press(shopper, confirm_link(mail.outbox[0])).url == "/"
    assert is_proved()
    assert "new@example.com is confirmed" in shopper.get("/").content.decode()


def test_following_the_link_alone_confirms_nothing(shopper):
    """Programs that look through mail follow every link in it."""
    for method in (shopper.get, shopper.head):
        method(confirm_link(mail.outbox[0]))
    assert not is_proved()


def test_who_reads_the_mail_and_does_not_know_the_password_confirms_nothing(shopper, client_of):
    url = confirm_link(mail.outbox[0])
    reader = client_of()
    page = press(reader, url)
    assert f"/login/?next={url.replace('?', '%3F').replace('=', '%3D')}" in unescape(page)
    assert "/password-reset/" in page
    reader.post("/confirm-email/", {"key": url.partition("key=")[2]})
    assert not is_proved()
    reader.post("/login/", {"email": NEW["email"], "password": NEW["password1"]})
    press(reader, url)
    assert is_proved()


def test_link_is_for_one_account(shopper, client_of, alice):
    User.objects.filter(pk=alice.pk).update(email_proved_at=None)
    others = client_of(alice)
    assert "belongs to another account" in press(others, confirm_link(mail.outbox[0]))
    assert not is_proved("alice@example.com")


def test_link_ends_after_three_days_and_with_the_password(shopper, monkeypatch):
    url = confirm_link(mail.outbox[0])
    now = PasswordResetTokenGenerator()._now()
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: now + timedelta(days=3, seconds=60))
    assert "works no more" in press(shopper, url)
    monkeypatch.undo()
    user = User.objects.get()
    user.set_password("another-orchard-43")
    user.save()
    shopper.force_login(user)
    assert "works no more" in press(shopper, url)


def test_link_that_was_used_says_that_all_is_well(shopper):
    url = confirm_link(mail.outbox[0])
    press(shopper, url)
    assert shopper.get(url).status_code == 302


def test_menu_offers_the_link_again_until_it_is_not_needed(shopper):
    assert "/confirm-email/send/" in shopper.get("/orders/").content.decode()
    shopper.post("/confirm-email/send/")
    assert mail.outbox[1].to == ["new@example.com"]
    press(shopper, confirm_link(mail.outbox[1]))
    assert "/confirm-email/send/" not in shopper.get("/orders/").content.decode()


def test_link_is_mailed_five_times_an_hour_at_most(shopper, same_hour):
    for _ in range(8):
        shopper.post("/confirm-email/send/")
    assert "several times" in shopper.get("/").content.decode()
    assert len(mail.outbox) == 1 + 5


def test_visitor_is_mailed_nothing(client):
    assert client.post("/confirm-email/send/").url == "/login/?next=/confirm-email/send/"
    assert client.get("/confirm-email/send/").url == "/confirm-email/"


def test_reset_confirms_the_address_and_ends_what_others_began(shopper, client_of):
    """Somebody signed up with the address of another, who chooses a password of their own."""
    user = User.objects.get()
    phone, program = DeviceToken.objects.issue(user, "Phone")[1], Token.objects.create(user=user).key
    owner = client_of()
    ask(owner, NEW["email"])
    choose(owner, link(mail.outbox[-1].body), "another-orchard-43")
    assert is_proved()
    assert shopper.get("/orders/").status_code == 302
    for token in (phone, program):
        headers = {"Authorization": f"Token {token}"}
        assert client_of().get("/mobile-api/my-orders/", headers=headers).status_code == 401
    assert shopper.post("/login/", {"email": NEW["email"], "password": NEW["password1"]}).status_code == 200


def test_owner_made_at_the_prompt_is_believed(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "lantern-orchard-42")
    call_command("createsuperuser", "--noinput", email="owner@example.com", verbosity=0)
    assert is_proved("owner@example.com")


def test_staff_of_before_is_believed_and_shoppers_are_not(alice, erin, dan, olga):
    User.objects.update(email_proved_at=None)
    importlib.import_module("shop.migrations.0008_email_proved").staff_are_proved(apps, None)
    proved = set(User.objects.exclude(email_proved_at=None))
    assert proved == {erin, dan, olga}


def test_resets_to_one_person_are_counted_while_the_cache_is_away(client, alice, same_hour):
    for _ in range(8):
        ask(client)
        cache.clear()
    assert len(mail.outbox) == 5


def test_what_anybody_may_send_waits_for_what_somebody_waits_for(client, alice, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    for _ in range(3):
        client.post("/contact-us/", {"name": "Alice", "message": "Hello"})
    ask(client)
    first = OutgoingMail.objects.due().first()
    assert first.to == "alice@example.com"

    # As a worker takes them.
    assert DBTaskResult.objects.ready().first().args_kwargs["args"] == [first.pk]
