"""One mailbox is one account, however its address is written; an address that mail cannot reach is refused in words."""

import importlib

import pytest
from django.apps import apps
from django.core import mail
from django.db import connection

from shop.models import User
from shop.values.email_addresses import canonical
from tests.factories import PASSWORD, UserFactory
from tests.shop.test_throttle import by_app, by_office, by_page

pytestmark = pytest.mark.django_db

NEW = "lantern-orchard-42"
ONE = "anna@xn--bcher-kva.example"
SPELLINGS = ["anna@bücher.example", "Anna@BÜCHER.Example", "anna@xn--bcher-kva.example", "ANNA@XN--BCHER-KVA.EXAMPLE"]
# A dotted I and a Kelvin sign become "i" and "k" in small letters; so they would be somebody else's address.
UNREACHABLE = ["jörg@example.com", "İ@example.com", "\N{KELVIN SIGN}@example.com", "ａnna@example.com"]


@pytest.fixture
def anna(db):
    return UserFactory(email=SPELLINGS[0])


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_address_is_kept_in_one_spelling_and_found_by_each(anna, spelling):
    anna.refresh_from_db()
    assert anna.email == ONE
    assert User.objects.get(email=spelling) == User.objects.get_by_natural_key(spelling) == anna


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_door_takes_every_spelling(client_of, anna, spelling):
    assert by_page(client_of(), spelling, PASSWORD).status_code == 302
    assert by_app(client_of(), spelling, PASSWORD).status_code == 200
    User.objects.update(is_staff=True, is_superuser=True)
    assert by_office(client_of(), spelling, PASSWORD).status_code == 302


def test_guesses_count_for_all_spellings(client_of, anna):
    statuses = [by_page(client_of(), SPELLINGS[n % 4], "wrong").status_code for n in range(11)]
    assert statuses == [200] * 9 + [429] * 2


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_nobody_signs_up_twice_or_is_added_twice(client_of, anna, olga, spelling):
    new = {"email": spelling, "password1": NEW, "password2": NEW}
    client_of().post("/signup/", new)
    page = client_of(olga).post("/admin/shop/user/add/", new).content.decode()
    assert "already exists" in page
    assert User.objects.exclude(pk=olga.pk).get() == anna


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_reset_is_mailed_where_mail_servers_find_it(client, anna, spelling):
    client.post("/password-reset/", {"email": spelling})
    assert [sent.to for sent in mail.outbox] == [[ONE]]


@pytest.mark.parametrize("address", UNREACHABLE)
def test_unreachable_address_is_refused_in_words(client_of, olga, address):
    UserFactory(email="k@example.com")
    fields = {"email": address, "password1": NEW, "password2": NEW, "name": "Anna", "message": "Hello"}
    browser = client_of(olga)
    pages = [client_of().post(path, fields) for path in ("/signup/", "/password-reset/", "/contact-us/")]
    pages += [browser.post("/admin/shop/user/add/", fields)]
    for page in pages:
        assert page.status_code == 200
        assert "letters without accents" in page.content.decode()
    assert User.objects.count() == 2
    assert mail.outbox == []


@pytest.mark.parametrize("address", UNREACHABLE)
def test_unreachable_address_that_is_kept_already_stays_as_it_is(address):
    pk = User.objects.create(email=address).pk
    assert User.objects.get(pk=pk).email == address


@pytest.mark.parametrize(
    "address", ["", "@", "a@", "@ü", "a@ü..b", "a@" + "ü" * 5000, "a@-ü-.example", "a@b@ü.example"]
)
def test_nonsense_is_no_server_error(client, address):
    assert canonical(address)[:1] == address[:1]
    assert client.post("/login/", {"email": address, "password": "x"}).status_code == 200


def test_accounts_of_before_get_the_spelling_unless_it_is_taken():
    migration = importlib.import_module("shop.migrations.0008_email_proved")
    twice, once = UserFactory(email="x@xn--bcher-kva.example"), UserFactory(email="y@example.com")
    other = UserFactory(email="z@example.com")
    raw("UPDATE shop_user SET email = %s WHERE id = %s", "y@bücher.example", once.pk)
    raw("UPDATE shop_user SET email = %s WHERE id = %s", "x@bücher.example", other.pk)
    migration.one_spelling(apps, None)
    emails = [User.objects.values_list("email", flat=True).get(pk=person.pk) for person in (twice, once, other)]
    assert emails == ["x@xn--bcher-kva.example", "y@xn--bcher-kva.example", "x@bücher.example"]


def raw(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
