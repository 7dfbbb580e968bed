import base64

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from shop.models import Order, User
from tests.factories import PASSWORD, OrderFactory
from tests.staff.conftest import api_client_of

PATHS = ["/api/", "/api/orders/", "/api/orderlines/", "/api/orders/1/", "/api/orderlines/1/", "/api/nowhere/"]


@pytest.fixture(autouse=True)
def fresh_counters():
    cache.clear()


def basic(email: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["get", "put", "patch", "post", "delete", "options"])
def test_without_credentials_401_with_challenge(db, client, path, method):
    answer = getattr(client, method)(path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"]
    assert "detail" in answer.json()


@pytest.mark.parametrize("method", ["get", "put", "patch", "post", "delete", "options"])
def test_shopper_cannot_tell_an_order_that_exists_from_one_that_does_not(alice, paid_order, method):
    shopper = api_client_of(alice)
    answers = [getattr(shopper, method)(f"/api/orders/{pk}/") for pk in (paid_order.pk, 999_999)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("codename", ["change_order", "change_orderline"])
def test_one_of_the_two_permissions_is_not_enough(alice, codename):
    alice.user_permissions.add(Permission.objects.get(codename=codename))
    assert api_client_of(alice).get("/api/orders/").status_code == 403


def test_permissions_may_come_from_a_group_and_from_oneself(erin, dan, olga, carrier_company):
    for user in (erin, dan, olga, carrier_company):
        assert api_client_of(user).get("/api/orderlines/").status_code == 200


@pytest.mark.parametrize("path", ["/api/orders/", "/api/orderlines/"])
def test_creating_and_deleting_is_405(dispatch, paid_order, path):
    line = paid_order.lines.get(product__name="Emma")
    one = f"{path}{paid_order.pk if 'orders' in path else line.pk}/"
    assert dispatch.post(path, {}).status_code == 405
    assert dispatch.post(one, {}).status_code == 405
    assert dispatch.delete(one).status_code == 405
    assert dispatch.delete(path).status_code == 405
    assert Order.objects.filter(pk=paid_order.pk).exists()


def test_basic_authentication(carrier_company, client):
    assert client.get("/api/orders/", headers=basic("Dispatch@Parcels.example", PASSWORD)).status_code == 200
    wrong = client.get("/api/orders/", headers=basic("dispatch@parcels.example", "wrong"))
    assert wrong.status_code == 401
    assert client.get("/api/orders/", headers=basic("dispatch@parcels.example\0", "x\0")).status_code == 401


def test_wrong_passwords_are_throttled_and_say_for_how_long(carrier_company, client):
    answers = [client.get("/api/orders/", headers=basic(carrier_company.email, f"guess {n}")) for n in range(60)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0
    assert client.get("/api/orders/", headers=basic(carrier_company.email, PASSWORD)).status_code == 429
    nobody = [client.get("/api/orders/", headers=basic("nobody@example.com", f"guess {n}")) for n in range(60)]
    assert [answer.status_code for answer in nobody] == [answer.status_code for answer in answers]


def test_wrong_tokens_are_throttled_and_right_ones_are_not(dispatch, client, settings):
    settings.API_WRONG_TOKENS_PER_MINUTE = 3
    answers = [client.get("/api/orders/", headers={"Authorization": f"Token {n}"}) for n in range(9)]
    assert [answer.status_code for answer in answers][:3] == [401] * 3
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(0 < int(answer["Retry-After"]) <= 60 for answer in refused)
    assert dispatch.get("/api/orders/").status_code == 200


def test_requests_are_counted_for_each_user(dispatch, dan, settings):
    settings.API_REQUESTS_PER_MINUTE = 3
    answers = [dispatch.get("/api/orders/") for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(0 < int(answer["Retry-After"]) <= 60 for answer in refused)
    assert api_client_of(dan).get("/api/orders/").status_code == 200


def test_revoked_token_is_refused(dispatch, carrier_company):
    Token.objects.filter(user=carrier_company).delete()
    assert dispatch.get("/api/orders/").status_code == 401


def test_inactive_account_is_refused(dispatch, carrier_company):
    User.objects.filter(pk=carrier_company.pk).update(is_active=False)
    assert dispatch.get("/api/orders/").status_code == 401


def test_session_needs_a_csrf_token_to_write(dan, paid_order):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(dan)
    line = paid_order.lines.first()
    assert client.get("/api/orderlines/").status_code == 200
    assert client.patch(f"/api/orderlines/{line.pk}/", {"status": 30}, format="json").status_code == 403
    client.cookies["csrftoken"] = token = "a" * 32
    headers = {"X-CSRFToken": token}
    assert (
        client.patch(f"/api/orderlines/{line.pk}/", {"status": 30}, format="json", headers=headers).status_code == 200
    )


def test_pages_are_for_staff_with_a_session_alone(carrier_company, dan, paid_order, client):
    html = {"Accept": "text/html,*/*;q=0.8"}
    client.force_login(dan)
    page = client.get("/api/orders/", headers=html)
    assert page["Content-Type"].startswith("text/html")
    assert client.get("/api/orders/", headers={"Accept": "*/*"})["Content-Type"] == "application/json"
    client.force_login(carrier_company)
    assert client.get("/api/orders/", headers=html)["Content-Type"] == "application/json"
    assert api_client_of(dan).get("/api/orders/", headers=html)["Content-Type"] == "application/json"


def test_answers_are_not_kept_by_caches(dispatch):
    assert "no-store" in dispatch.get("/api/orders/")["Cache-Control"]


def test_no_trailing_slash_leads_on_a_reader_and_stops_a_writer(dispatch, paid_order):
    assert dispatch.get("/api/orders?page=1")["Location"] == "/api/orders/?page=1"
    stopped = dispatch.patch(f"/api/orders/{paid_order.pk}", {"shipping_city": "York"})
    assert stopped.status_code == 404
    assert "slash" in stopped.json()["detail"]


def test_billing_data_is_nowhere(dispatch, alice):
    fields = ("name", "address1", "address2", "city")
    order = OrderFactory(user=alice, status=Order.PAID, **{f"billing_{field}": f"secret {field}" for field in fields})
    for path in ("/api/orders/", f"/api/orders/{order.pk}/"):
        text = dispatch.get(path).content.decode()
        assert "Thornfield" in text
        assert "secret" not in text and "billing" not in text and "alice" not in text
