"""The site through nginx by the files in `deploy/nginx`, with pages by daphne and by gunicorn."""

import asyncio
import gzip
import http.client
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest
from websockets.asyncio.client import connect

from tests.load_client import LoadClient
from tests.proxy import Gunicorn, Nginx
from tests.servers import ROOT, Daphne, Postgres, Redis, wait_until
from tests.services.conftest import migrated

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
        prepared.manage("shell", "--command", "from shop.models import Order; Order.objects.update(status=20)")
        yield directory, variables, json.loads(done.stdout)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module", params=["pages by daphne", "pages by gunicorn"])
def site(request, services):
    """Two daphne processes behind nginx, the one time with gunicorn for the pages."""
    directory, variables, people = services
    with ExitStack() as stack:
        servers = [stack.enter_context(Daphne(directory, variables, options=("--proxy-headers",))) for _ in range(2)]
        gunicorn = None
        if request.param == "pages by gunicorn":
            gunicorn = stack.enter_context(Gunicorn(directory, servers[0]))
        nginx = stack.enter_context(Nginx(directory, servers, gunicorn))
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
    # Pictures are larger: this one gets as far as the login.
    assert site.ask("POST", "/admin/shop/product/add/", b"x" * 4_000_000)[0].status in {302, 403}


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
