import gzip

import pytest
from django.test import Client

import support.mobile.parcel_tracking
from support.models import DeviceToken
from tests.factories import OrderFactory
from tests.support.carriers import Carrier, carrier

NEWS = "On its way to Zürich"


@pytest.fixture
def company(settings):
    with carrier() as made:
        settings.TRACKER_URL = made.url
        made.says(NEWS.encode())
        yield made


@pytest.fixture
def order(alice):
    return OrderFactory(user=alice)


@pytest.fixture
def key(alice):
    return DeviceToken.objects.issue(alice, "Phone")[1]


@pytest.fixture
def ask(order, key):
    return lambda: Client(headers={"Authorization": f"Token {key}"}).get(f"/mobile-api/my-orders/{order.pk}/tracker/")


def test_carriers_words_come_as_text(company: Carrier, order, ask):
    answer = ask()
    assert (answer.status_code, answer.content.decode()) == (200, NEWS)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert company.asked == [f"GET /parcels/{order.pk} HTTP/1.1"]


def test_token_in_the_query_does_as_well(company, order, key):
    assert Client().get(f"/mobile-api/my-orders/{order.pk}/tracker/?token={key}").status_code == 200
    assert Client().get(f"/mobile-api/my-orders/{order.pk}/tracker/?token=wrong").status_code == 401


def test_stranger_gets_401_and_another_shopper_404_and_the_carrier_is_not_asked(company, order, bob):
    assert Client().get(f"/mobile-api/my-orders/{order.pk}/tracker/").status_code == 401
    bobs = DeviceToken.objects.issue(bob, "Phone")[1]
    assert Client().get(f"/mobile-api/my-orders/{order.pk}/tracker/?token={bobs}").status_code == 404
    assert company.asked == []


def test_order_of_another_is_404_for_an_employee_too(company, order, erin):
    erins = DeviceToken.objects.issue(erin, "Phone")[1]
    assert Client().get(f"/mobile-api/my-orders/{order.pk}/tracker/?token={erins}").status_code == 404


def test_only_reading_is_possible(company, order, key):
    assert Client().post(f"/mobile-api/my-orders/{order.pk}/tracker/?token={key}").status_code == 405


@pytest.mark.parametrize(
    "answer",
    [
        (b"", "200 OK"),
        (b"oops", "500 Internal Server Error"),
        (b"", "302 Found", "Location: http://127.0.0.1:1/elsewhere"),
        (b"\x89PNG\r\n\x1a\n\0\0", "200 OK", "Content-Type: image/png"),
        (b"\xff\xfe\xfa", "200 OK", "Content-Type: text/plain; charset=utf-8"),
        (b"a\0b", "200 OK", "Content-Type: text/plain"),
        (b"text", "200 OK", "Content-Type: text/plain; charset=nonsense"),
        (b"+2AA-", "200 OK", "Content-Type: text/plain; charset=utf-7"),  # half a surrogate pair
        (gzip.compress(b"0" * 10_000_000), "200 OK", "Content-Type: text/plain", "Content-Encoding: gzip"),
        (b"a" * 65_537, "200 OK"),
    ],
)
def test_nonsense_is_502_with_a_reason(company, ask, answer):
    company.says(*answer)
    refusal = ask()
    assert refusal.status_code == 502
    assert refusal.json()["detail"]
    assert refusal.json()["last_known"] is None


def test_64_kilobytes_are_taken(company, ask):
    company.says(b"a" * 65_536)
    assert len(ask().content) == 65_536


def test_no_http_at_all_is_502(company, ask):
    company.answer = b"\x16\x03\x01 hello"
    assert ask().status_code == 502


def test_carrier_that_is_down_is_502_with_what_was_known_last(company, settings, ask):
    ask()
    company.listener.close()
    settings.TRACKER_URL = "http://127.0.0.1:1/{order_id}"
    refusal = ask()
    assert refusal.status_code == 502
    assert refusal.json()["last_known"] == NEWS
    assert refusal.json()["as_of"].endswith("Z")


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_slow_carrier_is_504_in_good_time(company, ask, begins, monkeypatch):
    ask()
    monkeypatch.setattr(support.mobile.parcel_tracking, "PATIENCE", 0.3)
    company.begins = begins
    company.slow.set()
    refusal = ask()
    assert refusal.status_code == 504
    assert refusal.json()["last_known"] == NEWS


def test_shop_without_a_carrier_says_so(settings, ask):
    settings.TRACKER_URL = ""
    assert ask().status_code == 502
    assert "No carrier" in ask().json()["detail"]
