"""Rights are given only to an account whose address was confirmed: anybody may sign up with another's."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.utils import timezone

from shop.models import User
from tests.shop.test_email_confirmation import confirm_link, press
from tests.staff.forms import form_of

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = "so the account can be given no rights"


def page_of(person):
    return f"/admin/shop/user/{person.pk}/change/"


def save(browser, person, **changes):
    fields = form_of(browser.get(page_of(person)), "user_form")
    return browser.post(page_of(person), {**fields, **changes})


def rights():
    return {
        "is_staff": {"is_staff": "on"},
        "is_superuser": {"is_superuser": "on"},
        "groups": {"groups": [Group.objects.get(name=User.EMPLOYEES).pk]},
        "user_permissions": {"user_permissions": [Permission.objects.first().pk]},
    }


@pytest.fixture
def alice(alice):
    """As she signed up by herself."""
    User.objects.filter(pk=alice.pk).update(email_proved_at=None)
    alice.refresh_from_db()
    return alice


@pytest.mark.parametrize("right", ["is_staff", "is_superuser", "groups", "user_permissions"])
def test_rights_wait_until_the_address_is_confirmed(olgas, alice, right):
    page = save(olgas, alice, **rights()[right])
    assert REFUSED in page.content.decode()
    alice.refresh_from_db()
    assert not (alice.is_staff or alice.is_superuser or alice.groups.exists() or alice.user_permissions.exists())
    alice.prove_email()
    assert save(olgas, alice, **rights()[right]).status_code == 302
    alice = User.objects.get(pk=alice.pk)
    assert alice.is_staff or alice.is_superuser or alice.groups.exists() or alice.user_permissions.exists()


def test_who_has_rights_already_keeps_them(olgas, erin):
    assert save(olgas, erin, first_name="Erina").status_code == 302
    erin = User.objects.get(pk=erin.pk)
    assert (erin.first_name, erin.is_employee) == ("Erina", True)


def test_owner_sends_the_link_again_without_saving_anything(olgas, alice):
    assert "Send the link again" in olgas.get(page_of(alice)).content.decode()
    save(olgas, alice, is_staff="on", _send_link="Send the link again")
    assert mail.outbox[0].to == [alice.email]
    alice.refresh_from_db()
    assert not alice.is_staff
    alice.prove_email()
    assert "Send the link again" not in olgas.get(page_of(alice)).content.decode()


def test_colleague_whom_the_owner_adds_is_given_rights_straight_away(olgas, client_of):
    new = {"email": "new@example.com", "password1": "lantern-orchard-42", "password2": "lantern-orchard-42"}
    olgas.post("/admin/shop/user/add/", new)
    colleague = User.objects.get(email="new@example.com")
    employees = Group.objects.get(name=User.EMPLOYEES).pk
    assert save(olgas, colleague, is_staff="on", groups=[employees]).status_code == 302
    browser = client_of()
    browser.post("/login/", {"email": "new@example.com", "password": "lantern-orchard-42"})
    assert browser.get("/office-admin/").status_code == 200


def test_who_signed_up_confirms_and_is_given_rights(olgas, client_of):
    browser = client_of()
    new = {"email": "new@example.com", "password1": "lantern-orchard-42", "password2": "lantern-orchard-42"}
    browser.post("/signup/", new)
    colleague = User.objects.get(email="new@example.com")
    assert REFUSED in save(olgas, colleague, is_staff="on").content.decode()
    press(browser, confirm_link(mail.outbox[0]))
    assert save(olgas, colleague, is_staff="on").status_code == 302


def test_another_address_has_to_be_confirmed_anew(olgas, alice):
    User.objects.filter(pk=alice.pk).update(email_proved_at=timezone.now())
    page = save(olgas, alice, email="mallory@example.com", is_staff="on")
    assert REFUSED in page.content.decode()
    save(olgas, alice, email="ALICE@example.com")
    alice.refresh_from_db()
    assert alice.email_proved_at
    save(olgas, alice, email="liddell@example.com")
    alice.refresh_from_db()
    assert (alice.email, alice.email_proved_at) == ("liddell@example.com", None)
    assert mail.outbox[0].to == ["liddell@example.com"]


def test_owner_sees_whether_an_address_is_confirmed(olgas, alice):
    def told():
        page = olgas.get(page_of(alice)).content.decode()
        return unescape(re.search(r'field-confirmed.*?<div class="readonly">(.*?)</div>', page, re.S)[1])

    assert told() == "Not yet"
    alice.prove_email()
    assert str(timezone.now().year) in told()
