import logging
from collections import Counter

import pytest
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from booktime.observing.error_mail import MOST_WAITING, ErrorMail
from support.models import DeviceToken
from tests.factories import OrderFactory
from tests.shop.smtp import hanging_server, mail_server, use_smtp

SECRET = "s3cr3t-Value-0123456789"


def fails(request: HttpRequest, how: str) -> HttpResponse:
    raise ValueError(f"token={SECRET}, somewhere inside")


def is_away(request: HttpRequest, status: int) -> HttpResponse:
    return HttpResponse("What this asks for is away.", status=status)


urlpatterns = [path("fails/<str:how>/", fails), path("away/<int:status>/", is_away), path("", include("booktime.urls"))]
handler500 = "shop.web.error_pages.server_error"

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def told(settings, monkeypatch):
    """The site's own handler, as a process that has mailed nothing yet; its `wait` lets the post go out."""
    settings.ADMINS = [("Olga", "olga@shop.example")]
    (handler,) = [handler for handler in logging.getLogger().handlers if isinstance(handler, ErrorMail)]
    monkeypatch.setattr(handler, "mailed", {})
    monkeypatch.setattr(handler, "missed", Counter())
    yield handler
    wait_for_post(handler)


def wait_for_post(handler):
    handler.postman.submit(lambda: None).result(timeout=30)


def visit(how="1", **headers):
    visitor = Client(raise_request_exception=False)
    visitor.cookies["sessionid"] = SECRET
    return visitor.post(f"/fails/{how}/?token={SECRET}", {"password": SECRET}, headers=headers)


def test_error_is_mailed_with_what_helps_and_without_secrets(told, settings):
    with mail_server(settings) as mailbox:
        assert visit(**{"X-Request-ID": "seen-by-the-proxy-7", "Authorization": f"Token {SECRET}"}).status_code == 500
        wait_for_post(told)
    (mail,) = mailbox.mails
    assert mailbox.recipients == ["olga@shop.example"]
    assert mail["Subject"].startswith("[BookTime] Error: ValueError in ")
    text = mail.get_content()
    for fact in ("POST /fails/1/", "seen-by-the-proxy-7", "Traceback", "somewhere inside", "in fails"):
        assert fact in text
    assert SECRET not in str(mail)


def test_same_error_is_mailed_once_and_another_at_once(told, settings):
    with mail_server(settings) as mailbox:
        for how in ("1", "2", "3"):
            visit(how)
        logging.getLogger("shop.elsewhere").error("Something else")
        wait_for_post(told)
    assert [mail["Subject"].split(" in ")[0] for mail in mailbox.mails] == [
        "[BookTime] Error: ValueError",
        "[BookTime] Error: shop.elsewhere",
    ]


def test_after_the_pause_it_is_mailed_again_with_how_often_it_happened(told, settings):
    with mail_server(settings) as mailbox:
        visit(), visit(), visit()
        wait_for_post(told)
        told.mailed = {error: then - 600 for error, then in told.mailed.items()}
        cache.clear()
        visit()
        wait_for_post(told)
    first, second = (mail.get_content() for mail in mailbox.mails)
    assert "more times" not in first
    assert "It happened 2 more times" in second


def test_process_that_mailed_nothing_is_silent_where_another_did(told, settings):
    with mail_server(settings) as mailbox:
        visit()
        wait_for_post(told)
        told.mailed = {}
        visit()
        wait_for_post(told)
    assert len(mailbox.mails) == 1


def test_without_the_cache_each_process_mails_once(told, settings, monkeypatch):
    def away(*arguments):
        raise ConnectionError

    monkeypatch.setattr(cache, "add", away)
    with mail_server(settings) as mailbox:
        visit(), visit()
        wait_for_post(told)
    assert len(mailbox.mails) == 1


def test_mail_server_that_hangs_delays_nobody(told, settings):
    with hanging_server(settings):
        settings.EMAIL_TIMEOUT = 60
        assert visit().status_code == 500
        after_it = told.postman.submit(lambda: None)
        with pytest.raises(TimeoutError):
            after_it.result(timeout=0.5)


def test_mail_server_that_is_away_breaks_nothing(told, settings, caplog):
    use_smtp(settings, 1)
    assert visit().status_code == 500
    wait_for_post(told)
    assert "Error not mailed (ConnectionRefusedError)" in caplog.text


def test_flood_of_different_errors_is_not_kept_waiting_for_the_mail_server(told, settings):
    with hanging_server(settings):
        settings.EMAIL_TIMEOUT = 60
        for number in range(50):
            logging.getLogger(f"shop.flood{number}").error("Wet")
        assert told.missed.total() == 50 - MOST_WAITING


def test_visitors_nonsense_is_no_error_of_ours(told, settings):
    with mail_server(settings) as mailbox:
        Client().get("/", headers={"host": "evil.example"})
        wait_for_post(told)
    assert not mailbox.mails


@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_is_answered_on_purpose_is_one_warning_and_no_mail(told, settings, caplog, status):
    with mail_server(settings) as mailbox, caplog.at_level(logging.INFO):
        assert Client().get(f"/away/{status}/").status_code == status
        wait_for_post(told)
    assert not mailbox.mails
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (line.levelname, line.fields["status"]) == ("WARNING", status)


def test_shopper_who_asks_where_the_parcel_is_without_a_carrier_is_no_error(told, settings, alice):
    settings.TRACKER_URL = ""
    order = OrderFactory(user=alice)
    shopper = Client()
    shopper.force_login(alice)
    token = DeviceToken.objects.issue(alice, "Phone")[1]
    with mail_server(settings) as mailbox:
        assert shopper.get(f"/mobile-api/my-orders/{order.pk}/tracker/?token={token}").status_code == 502
        wait_for_post(told)
    assert not mailbox.mails
