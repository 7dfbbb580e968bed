import pytest
from django.db import OperationalError

from booktime.observing import health


@pytest.fixture
def healthy(monkeypatch):
    """The checks as they are asked, so that a test can break one; what each really asks is tested with servers."""
    answers = {"database": lambda: None}
    monkeypatch.setattr(health, "checks", lambda: answers)
    return answers


def test_ok_in_plain_text_without_a_session(client, healthy):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert response["Content-Type"] == "text/plain"
    assert not response.cookies


def test_says_what_failed_and_no_more(client, healthy):
    def fail():
        raise OperationalError('connection to "db.internal" as "shop" failed')

    healthy["database"] = fail
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (503, b"database: failed (OperationalError)")


def test_plain_http_is_not_redirected(client, healthy, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/about-us/").status_code == 301
