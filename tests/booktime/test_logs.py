import json
import logging
import sys

import pytest

from booktime.observing.logs import Formatter, log_socket, scrub

SECRET = "s3cr3t-Value-0123456789"


@pytest.mark.parametrize(
    "text",
    [
        f"GET /mobile-api/my-orders/1/tracker/?token={SECRET}&x=1",
        f"Authorization: Token {SECRET}",
        f"{{'Authorization': 'Basic {SECRET}'}}",
        f'{{"password": "{SECRET}"}}',
        f"password1={SECRET}&password2={SECRET}",
        f"Cookie: sessionid={SECRET}; csrftoken={SECRET}",
        f"could not connect to postgres://shop:{SECRET}@db/shop",
        f"postgres://shop:pass/{SECRET}@db/shop and postgres://shop@db/shop",
        f"http://localhost:8000/ was asked by redis://:{SECRET}@cache:6379/0",
        f"/password-reset/MQ/{SECRET}/",
        f"DETAIL: Key (token)=({SECRET}) already exists",
    ],
)
def test_secrets_are_taken_out_of_a_line(text):
    assert SECRET not in scrub(text)


def test_ordinary_lines_stay_as_they_are():
    line = 'Imported "The Secret Garden", 2 tokens of gratitude: http://shop.example:8000/product/emma/'
    assert scrub(line) == line


def record(message="It failed", exc_info=None, **extra):
    made = logging.LogRecord("booktime", logging.ERROR, "file", 1, message, (), exc_info)
    made.__dict__.update(extra)
    return made


def test_line_of_a_server_is_json():
    line = Formatter(as_json=True).format(record(fields={"status": 200, "path": "/é"}))
    assert json.loads(line) | {"time": ""} == {
        "time": "",
        "level": "error",
        "logger": "booktime",
        "message": "It failed",
        "status": 200,
        "path": "/é",
    }
    assert "\n" not in line


def test_traceback_is_kept_and_scrubbed():
    try:
        raise ValueError(f"token={SECRET}")
    except ValueError:
        line = Formatter(as_json=True).format(record(exc_info=sys.exc_info()))
    assert "Traceback" in json.loads(line)["exception"]
    assert SECRET not in line


def test_request_is_logged_once_without_its_query(client, alice, caplog):
    client.force_login(alice)
    with caplog.at_level(logging.INFO, "booktime.request"):
        response = client.get(f"/basket/?token={SECRET}", headers={"X-Request-ID": "from-the-proxy-1"})
    (line,) = [r for r in caplog.records if r.name == "booktime.request"]
    assert line.fields["path"] == "/basket/"
    assert line.fields["method"] == "GET"
    assert line.fields["status"] == response.status_code
    assert response["X-Request-ID"] == "from-the-proxy-1"
    assert SECRET not in caplog.text


def test_id_that_could_forge_a_line_is_replaced(client, db):
    assert client.get("/about-us/", headers={"X-Request-ID": "x y"})["X-Request-ID"] != "x y"


def test_socket_is_logged_without_its_token(caplog):
    details = {"path": f"/ws/customer-service/1/?token={SECRET}", "client": "127.0.0.1:5"}
    with caplog.at_level(logging.INFO, "booktime.request"):
        log_socket(None, "websocket", "connected", details)
    assert caplog.records[0].fields["path"] == "/ws/customer-service/1/"


def test_what_a_stranger_sends_does_not_fill_the_logs(client, db, caplog):
    with caplog.at_level(logging.INFO):
        client.get("/" + "nothing-here/" * 1000)
    lines = [Formatter(as_json=True).format(r) for r in caplog.records]
    assert lines
    assert max(map(len, lines)) < 4000
    (line,) = [json.loads(line) for line in lines if '"booktime.request"' in line]
    assert len(line["path"]) <= 501


def test_secret_at_the_end_of_what_is_kept_is_not_cut_in_two():
    line = Formatter(as_json=True).format(record("x" * 1980 + f" postgres://shop:{SECRET}{SECRET}@db/shop"))
    assert SECRET[:6] not in line


def test_end_of_a_long_traceback_is_kept():
    def fail(depth):
        if not depth:
            raise ValueError("y" * 100)
        try:
            fail(depth - 1)
        except ValueError as error:
            raise ValueError("x" * 1000) from error

    try:
        fail(30)
    except ValueError:
        kept = json.loads(Formatter(as_json=True).format(record(exc_info=sys.exc_info())))["exception"]
    assert len(kept) <= 20_001
    assert kept.endswith("x" * 100)
