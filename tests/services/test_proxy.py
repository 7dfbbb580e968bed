"""The site through nginx by the files in `deploy/nginx`, with pages by daphne and by gunicorn."""

import asyncio
import gzip
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import psycopg2
import pytest
from websockets.asyncio.client import connect

from tests.load_client import LoadClient
from tests.proxy import Gunicorn, Nginx
from tests.servers import ROOT, Daphne, Postgres, Redis, wait_until
from tests.services.conftest import migrated
from tests.systemd import ActivatedDaphne, listen

FORGETFUL = "forgetful@example.com"
SPOOFED = {
    "X-Forwarded-Proto": "http",
    "X-Forwarded-For": "203.0.113.9",
    "Daphne-Root-Path": "/elsewhere",
    "X-Request-ID": "chosen-by-the-client",
}


class Site:
    def __init__(self, nginx, people, database):
        self.nginx, self.people, self.database = nginx, people, database
        self.context = nginx.client_context()

    def ask(self, method, path, body=None, **headers):
        """The response, read, as (response, body)."""
        connection = LoadClient(self.nginx.url, [], context=self.context).connect()
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response, text


@pytest.fixture(scope="module")
def services(collected_static):
    """A migrated server's directory and variables, and the people in it."""
    directory = Path(tempfile.mkdtemp(prefix="booktime-"))
    with Postgres(directory) as postgres, Redis(directory) as redis:
        variables = migrated(postgres, redis, collected_static)
        prepared = Daphne(directory, variables)
        command = [sys.executable, "-m", "benchmarks.chat_people", "1", "1"]
        done = subprocess.run(command, env=prepared.environment(), cwd=ROOT, capture_output=True, check=True)
        more = f"Order.objects.update(status=20); User.objects.create_user({FORGETFUL!r}, 'a-password')"
        prepared.manage("shell", "--command", f"from shop.models import Order, User; {more}")
        yield directory, variables, json.loads(done.stdout)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module", params=["pages by daphne", "pages by gunicorn"])
def site(request, services):
    """Two daphne processes behind nginx, the one time with gunicorn for the pages."""
    directory, variables, people = services
    with ExitStack() as stack:
        listener = stack.enter_context(listen())
        servers = [stack.enter_context(ActivatedDaphne(directory, listener, variables)) for _ in range(2)]
        gunicorn = None
        if request.param == "pages by gunicorn":
            gunicorn = stack.enter_context(Gunicorn(directory, servers[0]))
        # As many connections as Debian gives a worker.
        nginx = stack.enter_context(Nginx(directory, listener, gunicorn, connections=768))
        yield Site(nginx, people, variables["DATABASE_URL"])


def test_pages_get_through(site):
    response, text = site.ask("GET", "/about-us/")
    assert (response.status, b"</html>" in text) == (200, True)
    assert site.ask("GET", "/missing/")[0].status == 404
    assert site.ask("GET", "/healthz")[1] == b"ok"


def test_headers_of_a_client_are_not_believed(site):
    response, text = site.ask("GET", "/about-us/", **SPOOFED)
    # Neither sent to https once more nor moved below /elsewhere, and under an id of nginx's own.
    assert response.status == 200
    assert b"/elsewhere" not in text
    # nginx writes it down after it has answered.
    wait_until(lambda: response.headers["X-Request-ID"] in site.nginx.access_log(), "the request's line in the log")
    assert response.headers["X-Request-ID"] != SPOOFED["X-Request-ID"]
    assert response.headers["Strict-Transport-Security"]
    known = site.ask("GET", "/about-us/?token=secret-of-alice")[0].headers["X-Request-ID"]
    wait_until(lambda: known in site.nginx.access_log(), "the request's line in the log")
    assert "secret-of-alice" not in site.nginx.access_log()


def test_pages_are_compressed(site):
    plain = site.ask("GET", "/about-us/")[1]
    response, packed = site.ask("GET", "/about-us/", Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(packed) < len(plain) / 2
    assert len(gzip.decompress(packed)) == pytest.approx(len(plain), rel=0.02)


def test_dispatcher_can_use_the_etag_of_an_order(site):
    """A compressed answer would come with a weak one, with which If-Match fails."""
    (agent,), (order,) = site.people["agents"], site.people["orders"]
    path, known = f"/api/orders/{order['order']}/", {"Authorization": f"Token {agent['token']}"}
    response, _ = site.ask("GET", path, **known, Accept_Encoding="gzip")
    assert response.status == 200
    changed = {**known, "If_Match": response.headers["ETag"], "Content_Type": "application/json"}
    statuses = [
        site.ask("PATCH", path, json.dumps({"shipping_city": uuid4().hex}), **changed)[0].status for _ in range(2)
    ]
    assert statuses == [200, 412]


def test_static_files_are_nginx_own(site):
    page = site.ask("GET", "/about-us/")[1].decode()
    script = next(part.split('"')[0] for part in page.split('src="')[1:] if part.startswith("/static/js/"))
    response, packed = site.ask("GET", script, Accept_Encoding="gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Type"] == "application/javascript; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert gzip.decompress(packed)
    assert "immutable" not in site.ask("GET", "/static/js/chat.js")[0].headers["Cache-Control"]


def test_plain_http_leads_to_https_but_for_health(site):
    connection = http.client.HTTPConnection("localhost", site.nginx.plain_port, timeout=60)
    connection.request("GET", "/products/all/?q=emma")
    response = connection.getresponse()
    response.read()
    assert (response.status, response.headers["Location"]) == (308, "https://localhost/products/all/?q=emma")
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok"
    connection.close()


def test_bodies_are_limited(site):
    assert site.ask("POST", "/contact-us/", b"x" * 4_000_000)[0].status == 413
    assert site.ask("POST", "/contact-us/", b"x" * 2_000_000)[0].status == 403
    # Pictures are larger, where there are forms for them and of those who work here.
    (agent,) = site.people["agents"]
    known = {"Cookie": f"sessionid={agent['session']}", "Content_Type": "multipart/form-data; boundary=x"}
    form = "/office-admin/shop/product/add/"
    assert site.ask("POST", form, b"x" * 20_000_000, **known)[0].status == 403  # no token in it: it was read
    assert site.ask("POST", form, b"x" * 4_000_000)[0].status == 413
    assert site.ask("POST", "/office-admin/login/", b"x" * 4_000_000, **known)[0].status == 413


def bytes_kept(site):
    """How much nginx and the processes behind it hold of bodies in temporary files."""
    kept = sum(file.stat().st_size for file in (site.nginx.own.parent).rglob("body/*") if file.is_file())
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (
                str(site.nginx.own.parent).encode()
                not in (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            ):
                continue
            for file in (process / "fd").iterdir():
                with suppress(OSError):
                    kept += file.stat().st_size if "(deleted)" in os.readlink(file) else 0
    return kept


def test_stranger_cannot_fill_the_disk_with_pictures(site):
    with ExitStack() as stack:
        before = bytes_kept(site)
        for _ in range(6):
            raw = stack.enter_context(socket.create_connection(("localhost", site.nginx.port), timeout=60))
            stream = stack.enter_context(site.context.wrap_socket(raw, server_hostname="localhost"))
            stream.sendall(
                b"POST /admin/shop/product/add/ HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid=made-up\r\n"
                b"Content-Length: 95000000\r\n\r\n"
            )
            with suppress(OSError):
                for _ in range(30):
                    stream.sendall(b"x" * 1_000_000)
        assert site.ask("GET", "/about-us/")[0].status == 200
        assert bytes_kept(site) - before < 20_000_000


@pytest.mark.parametrize("path", ["/password-reset/MTM1/{}/", "/password-reset/MTM1/{}"])
def test_links_of_mails_are_not_written_down(site, path):
    secret = f"secret{uuid4().hex}"
    known = site.ask("GET", path.format(secret))[0].headers["X-Request-ID"]
    wait_until(lambda: known in site.nginx.access_log(), "the request's line in the log")
    (line,) = [line for line in site.nginx.access_log().splitlines() if known in line]
    assert path.partition("{")[0].split("MTM1")[0] in line
    assert "***" in line
    for log in site.nginx.own.glob("*.log"):
        assert secret not in log.read_text()


def test_port_that_a_visitor_names_stands_in_no_mail(site):
    def mails():
        with closing(psycopg2.connect(site.database)) as database, database.cursor() as cursor:
            cursor.execute("SELECT text FROM shop_outgoingmail WHERE key LIKE 'password-reset-%' ORDER BY id DESC")
            return [text for (text,) in cursor.fetchall()]

    before = mails()
    form, _ = site.ask("GET", "/password-reset/")
    page = site.ask("GET", "/password-reset/", Cookie=form.headers["Set-Cookie"].partition(";")[0])[1].decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].partition('"')[0]
    answer, _ = site.ask(
        "POST",
        "/password-reset/",
        urlencode({"email": FORGETFUL, "csrfmiddlewaretoken": token}),
        Host="localhost:1337",
        Origin=f"https://localhost:{site.nginx.port}",
        Cookie=form.headers["Set-Cookie"].partition(";")[0],
        Content_Type="application/x-www-form-urlencoded",
    )
    assert answer.status == 302
    wait_until(lambda: len(mails()) > len(before), "the mail")
    assert f"https://localhost:{site.nginx.port}/password-reset/" in mails()[0]
    assert "localhost:1337" not in mails()[0]


def test_sockets_of_one_address_leave_room_for_others(site):
    (order,) = site.people["orders"]
    ask = (
        f"GET /ws/customer-service/{order['order']}/?token={order['token']} HTTP/1.1\r\nHost: localhost\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()
    with ExitStack() as stack:
        statuses = Counter()
        for _ in range(763):
            raw = stack.enter_context(socket.create_connection(("localhost", site.nginx.port), timeout=120))
            stream = stack.enter_context(site.context.wrap_socket(raw, server_hostname="localhost"))
            stream.sendall(ask)
            status = int(stream.recv(4096).split()[1])
            statuses[status] += 1
            if status != 101:
                stream.close()
        # More than a person may have are opened and closed again (4429), more than an address may are refused.
        assert set(statuses) <= {101, 403, 429}
        for _ in range(20):
            connection = LoadClient(site.nginx.url, [], context=site.context).connect()
            connection.source_address = ("127.0.0.2", 0)
            connection.request("GET", "/about-us/")
            assert connection.getresponse().status == 200
            connection.close()


def test_who_asks_far_too_often_is_told_when_to_come_back(site):
    connection = LoadClient(site.nginx.url, [], context=site.context).connect()
    connection.source_address = ("127.0.0.3", 0)

    def asked():
        connection.request("GET", "/static/no-such-file.css")
        response = connection.getresponse()
        response.read()
        return response

    answers = [asked() for _ in range(100)]
    assert {answer.status for answer in answers} == {404}
    refused = next(answer for _ in range(20_000) if (answer := asked()).status != 404)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "10")
    connection.close()
    # Nobody else notices.
    assert site.ask("GET", "/about-us/")[0].status == 200


def test_sockets_get_through(site):
    (order,) = site.people["orders"]

    async def talk():
        url = f"wss://localhost:{site.nginx.port}/ws/customer-service/{order['order']}/?token={order['token']}"
        async with connect(url, ssl=site.context, open_timeout=60) as opened:
            await opened.send('{"type": "message", "message": "through nginx"}')
            while (frame := json.loads(await asyncio.wait_for(opened.recv(), 60)))["type"] != "chat_message":
                pass
            return frame["message"]

    assert asyncio.run(talk()) == "through nginx"


def test_events_come_at_once(site):
    """The first event is there at once, and uncompressed."""
    (agent,) = site.people["agents"]
    with socket.create_connection(("localhost", site.nginx.port), timeout=60) as raw:
        stream = site.context.wrap_socket(raw, server_hostname="localhost")
        stream.sendall(
            f"GET /customer-service/notify/ HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
            f"Cookie: sessionid={agent['session']}\r\n\r\n".encode()
        )
        got = b""
        while b"event: presence" not in got:
            chunk = stream.recv(65536)
            assert chunk, got
            got += chunk
    assert b"text/event-stream" in got


def test_failed_logins_are_counted_by_the_visitors_own_address(site):
    wrong = json.dumps({"username": "nobody@example.com", "password": "wrong"})
    headers = {**SPOOFED, "Content-Type": "application/json"}
    connection = LoadClient(site.nginx.url, [], context=site.context).connect()
    connection.source_address = ("127.0.0.2", 0)
    connection.request("POST", "/mobile-api/auth/", wrong, headers)
    assert connection.getresponse().status == 400
    connection.close()
    with closing(psycopg2.connect(site.database)) as database, database.cursor() as cursor:
        cursor.execute("DELETE FROM axes_accessattempt RETURNING host(ip_address)")
        assert cursor.fetchall() == [("127.0.0.2",)]
        database.commit()
