import pytest
from django.test import Client
from rest_framework.authtoken.models import Token

from shop.models import Order
from support.models import DeviceToken
from tests.factories import PASSWORD, OrderFactory
from tests.support.conftest import connected, run

WRONG = {"username": "alice@example.com", "password": "not-hers"}


def log_in(client, **more):
    data = {"username": "alice@example.com", "password": PASSWORD, **more}
    return client.post("/mobile-api/auth/", data, content_type="application/json")


def orders_with(key):
    return Client().get("/mobile-api/my-orders/", headers={"Authorization": f"Token {key}"})


@pytest.fixture
def key(alice, client):
    return log_in(client).json()["token"]


def test_right_password_gives_a_token_and_nothing_else(alice, client):
    answer = log_in(client)
    assert (answer.status_code, list(answer.json())) == (200, ["token"])
    assert orders_with(answer.json()["token"]).status_code == 200


def test_a_form_and_capitals_in_the_address_do_as_well(alice, client):
    answer = client.post("/mobile-api/auth/", {"username": "ALICE@example.com", "password": PASSWORD})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        WRONG,
        {"username": "nobody@example.com", "password": PASSWORD},
        {"username": "alice@example.com"},
        {"username": ["alice@example.com"], "password": {"a": 1}},
        {"username": "alice@example.com\0", "password": PASSWORD},
        {"username": "alice@example.com", "password": "\ud800"},
        [],
        "[" * 100_000,
        b"\xff",
    ],
)
def test_anything_else_is_400_in_json(alice, client, body):
    answer = client.post("/mobile-api/auth/", body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) <= {"detail", "username", "password"}


def test_answer_does_not_tell_who_has_an_account(alice, client):
    known = client.post("/mobile-api/auth/", WRONG)
    unknown = client.post("/mobile-api/auth/", {**WRONG, "username": "nobody@example.com"})
    assert known.json() == unknown.json()


def test_guessing_is_throttled_together_with_the_login_page(alice, client):
    statuses = [client.post("/mobile-api/auth/", WRONG).status_code for _ in range(61)]
    assert statuses[0] == 400
    assert statuses[-1] == 429
    page = Client().post("/login/", {"email": "alice@example.com", "password": PASSWORD})
    assert page.status_code == 429


def test_disabled_account_gets_no_token(alice, client):
    alice.is_active = False
    alice.save()
    assert log_in(client).status_code == 400


def test_a_new_token_is_given_to_a_phone_whose_old_one_was_revoked(alice):
    client = Client(headers={"Authorization": "Token revoked"})
    assert log_in(client).status_code == 200


def test_logging_in_needs_no_csrf_token(alice):
    assert log_in(Client(enforce_csrf_checks=True)).status_code == 200


def test_token_is_not_kept_in_the_database(alice, key):
    assert key not in str(DeviceToken.objects.values_list())


@pytest.mark.parametrize("wrong", ["", "wrong", "wr\u00f6ng", "a b", "x" * 5000])
def test_stranger_gets_401(db, wrong):
    answer = orders_with(wrong) if wrong else Client().get("/mobile-api/my-orders/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"


def test_token_from_the_back_office_is_as_good(alice):
    assert orders_with(Token.objects.create(user=alice).key).status_code == 200


def test_device_says_who_is_logged_in(alice, client):
    key = log_in(client, device="Alice's phone").json()["token"]
    answer = Client(headers={"Authorization": f"Token {key}"}).get("/mobile-api/auth/")
    assert answer.json() == {"email": "alice@example.com", "username": "Alice Liddell", "device": "Alice's phone"}


def test_logging_out_ends_this_token_alone(alice, client, key):
    other = log_in(client).json()["token"]
    assert Client(headers={"Authorization": f"Token {key}"}).delete("/mobile-api/auth/").status_code == 204
    assert orders_with(key).status_code == 401
    assert orders_with(other).status_code == 200


@pytest.mark.parametrize("change", ["set_password", "disable"])
def test_new_password_and_disabled_account_end_every_device(alice, key, change):
    if change == "set_password":
        alice.set_password("another-long-password")
    else:
        alice.is_active = False
    alice.save()
    assert orders_with(key).status_code == 401


def test_a_fifty_first_device_logs_out_the_one_used_longest_ago(alice):
    first, *_, newest = [DeviceToken.objects.issue(alice, f"Phone {n}")[1] for n in range(51)]
    assert orders_with(first).status_code == 401
    assert orders_with(newest).status_code == 200


class TestDevices:
    def test_owner_sees_and_revokes_them(self, alice, client):
        key = log_in(client, device="Alice’s <phone>").json()["token"]
        browser = Client()
        browser.force_login(alice)
        page = browser.get("/account/devices/")
        assert "Alice’s &lt;phone&gt;" in page.content.decode()
        device = DeviceToken.objects.get()
        assert browser.get(f"/account/devices/{device.pk}/revoke/").status_code == 405
        page = browser.post(f"/account/devices/{device.pk}/revoke/", follow=True)
        assert "is logged out" in page.content.decode()
        assert orders_with(key).status_code == 401

    def test_nobody_revokes_anothers(self, alice, bob, key):
        browser = Client()
        browser.force_login(bob)
        device = DeviceToken.objects.get()
        assert browser.post(f"/account/devices/{device.pk}/revoke/").status_code == 404
        assert "No devices yet" in browser.get("/account/devices/").content.decode()
        assert orders_with(key).status_code == 200

    def test_visitor_is_led_to_the_login(self, db, client):
        assert client.get("/account/devices/")["Location"] == "/login/?next=/account/devices/"

    @pytest.mark.parametrize(
        "agent, name",
        [
            ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
            ("curl/8.0", "A device"),
        ],
    )
    def test_device_without_a_name_is_called_after_its_browser(self, alice, agent, name):
        log_in(Client(headers={"User-Agent": agent}))
        assert DeviceToken.objects.get().name == name


@pytest.mark.django_db(transaction=True)
def test_socket_of_a_revoked_device_is_closed(alice, client):
    order: Order = OrderFactory(user=alice)
    key = log_in(client).json()["token"]

    async def talk():
        async with connected(order, query=f"?token={key}") as socket:
            await DeviceToken.objects.all().adelete()
            while True:
                frame = await socket.receive_output(timeout=30)
                if frame["type"] == "websocket.close":
                    assert frame["code"] == 4401
                    return

    run(talk)
