"""Behind nginx, processes are restarted one after the other under load, and nobody notices.

`RESTARTS=10 pytest -m services tests/services/test_rolling_restarts.py` is the long form; the short one restarts both
processes twice. It prints what it measured with `-s`.
"""

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.chat_client import ChatClient
from tests.load_client import LoadClient, Request
from tests.proxy import Gunicorn, Nginx
from tests.servers import ROOT, Daphne
from tests.systemd import port_of

RESTARTS = int(os.environ.get("RESTARTS", "2"))
SOCKETS = 50 if RESTARTS >= 10 else 10
# Seconds, for 95 of 100 sockets: three where the machine has nothing else to do.
BACK_WITHIN = 3 if RESTARTS >= 10 else 8
# By all together, a third of what two processes store that share two cores with the clients, nginx and PostgreSQL: past
# that each restart waits for all that was said before it, and the clock measures the queue.
SAID_A_SECOND = 25
ORDER_MESSAGES = "/mobile-api/my-orders/{order}/messages/"


@pytest.fixture
def people(server_variables, directory):
    """Shoppers with an order and agents, as JSON of `benchmarks.chat_people`."""
    command = [sys.executable, "-m", "benchmarks.chat_people", str(SOCKETS // 2 + 1), str(SOCKETS // 2)]
    environment = Daphne(directory, server_variables).environment()
    return json.loads(subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True).stdout)


class Systemctl:
    """What `deploy/rolling-restart` calls as systemctl: it restarts the processes of a test."""

    def __init__(self, directory, servers):
        units = {f"booktime-web@{server.port}": server for server in servers}
        self.restarted = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler):
                unit = handler.path.removeprefix("/")
                if unit in units:
                    units[unit].restart()
                self.restarted.append(unit)
                handler.send_response(204)
                handler.end_headers()

            def log_message(self, *arguments):
                pass

        self.control = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.control.serve_forever, daemon=True).start()
        programs = directory / "programs"
        programs.mkdir()
        script = f'#!/bin/sh\n[ "$1" = restart ] && exec curl -fsS http://127.0.0.1:{self.control.server_port}/"$2"\n'
        (programs / "systemctl").write_text(script)
        (programs / "systemctl").chmod(0o755)
        (directory / "booktime.env").write_text("ALLOWED_HOSTS='localhost,127.0.0.1'\n")
        self.environment = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "BOOKTIME_ENV": str(directory / "booktime.env"),
            "BOOKTIME_PORTS": " ".join(str(server.port) for server in servers),
        }

    def rolling_restart(self):
        done = subprocess.run(
            [ROOT / "deploy" / "rolling-restart"], env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


class Site:
    """Two processes that share a socket, behind nginx, and gunicorn where it is asked for."""

    def __init__(self, daphne, listener, variables, application="booktime.asgi:application", with_gunicorn=False):
        variables = {**variables, "ALLOWED_HOSTS": "localhost,127.0.0.1"}
        self.servers = [daphne(application, listener, **variables) for _ in range(2)]
        directory = self.servers[0].directory
        self.gunicorn = Gunicorn(directory, self.servers[0]) if with_gunicorn else None
        self.nginx = Nginx(directory, listener, self.gunicorn)
        self.systemctl = Systemctl(directory, self.servers)


def requests_of(order):
    """Three times GET, then POST: each says something that must stand in the chat once."""
    headers = {"Authorization": f"Token {order['token']}", "Content-Type": "application/json"}
    path = ORDER_MESSAGES.format(order=order["order"])
    for number in itertools.count():
        yield from (Request("/"), Request("/products/all/"), Request("/login/"))
        yield Request(path, "POST", json.dumps({"message": f"said {number}"}).encode(), headers)


def reconnections(client):
    """For each time that this client lost its socket, the seconds until it had one again."""
    return [back - lost for lost, back in zip(client.lost_at, client.connected_at[1:], strict=False)]


async def chat_through(site, people, restart):
    """Everybody talks while `restart` runs in a thread; the clients, once all have seen all."""
    url = site.nginx.url.replace("https", "wss")
    clients = []
    async with AsyncExitStack() as stack:
        for order, agent in zip(people["orders"], people["agents"], strict=False):
            for token in (order["token"], agent["token"]):
                client = ChatClient([url], order["order"], token)
                clients.append(await stack.enter_async_context(client))
        for client in clients:
            await client.until(lambda c: c.connections > 0)
        restarting = asyncio.create_task(asyncio.to_thread(restart))
        said = 0
        while not restarting.done():
            for client in clients:
                await client.say(str(said))
            said += 1
            await asyncio.sleep(len(clients) / SAID_A_SECOND)
        await restarting
        for client in clients:
            await client.until(lambda c: not c.pending and len(set(c.seen)) == 2 * said, 120)
    return clients


def test_rolling_restarts_lose_nothing(daphne, listener, server_variables, people, monkeypatch):
    site = Site(daphne, listener, server_variables)
    monkeypatch.setenv("SSL_CERT_FILE", str(site.nginx.certificate))
    order = people["orders"].pop()

    def restart():
        for _ in range(RESTARTS):
            site.systemctl.rolling_restart()

    with site.nginx:
        load = LoadClient(site.nginx.url, requests_of(order), context=site.nginx.client_context())
        with load:
            clients = asyncio.run(chat_through(site, people, restart))
        assert not load.failures()
        posts = [answer for answer in load.answers if answer.request.method == "POST"]
        assert said_once(site.nginx, order) == len(posts)
    assert site.systemctl.restarted.count("booktime-worker") == RESTARTS
    for client in clients:
        assert client.seen == sorted(set(client.seen))
        assert len(client.connected_at) > 1
    times = [seconds for client in clients for seconds in reconnections(client)]
    p95 = statistics.quantiles(times, n=20)[-1]
    slowest = max(answer.seconds for answer in load.answers)
    print(
        f"\n{RESTARTS} rolling restarts: {len(load.answers)} requests, slowest {slowest:.2f} s, "
        f"{len(times)} reconnections, p95 {p95:.2f} s, slowest {max(times):.2f} s"
    )
    assert p95 <= BACK_WITHIN


def said_once(nginx, order):
    """How many messages the load's order holds; each of them once."""
    connection = LoadClient(nginx.url, [], context=nginx.client_context()).connect()
    said, since = [], 0
    while True:
        path = f"{ORDER_MESSAGES.format(order=order['order'])}?since={since}"
        connection.request("GET", path, headers={"Authorization": f"Token {order['token']}"})
        page = json.load(connection.getresponse())
        if not page:
            assert len(said) == len(set(said))
            return len(said)
        said += [message["message"] for message in page]
        since = page[-1]["id"]


def test_restarts_of_gunicorn_lose_nothing(daphne, listener, server_variables, people):
    site = Site(daphne, listener, server_variables, with_gunicorn=True)
    order = people["orders"].pop()
    with (
        site.gunicorn,
        site.nginx,
        LoadClient(site.nginx.url, requests_of(order), context=site.nginx.client_context()) as load,
    ):
        for _ in range(2 * RESTARTS):
            site.gunicorn.restart()
    assert not load.failures()
    assert any(answer.request.method == "POST" for answer in load.answers)


@pytest.mark.parametrize("application", ["undrained", "closes_queue"])
def test_other_ways_to_end_lose_requests(daphne, listener, server_variables, application):
    """The negative control: daphne as it comes, and a process that takes the queue along."""
    site = Site(daphne, listener, server_variables, f"tests.services.{application}:application")
    # Refused for want of a CSRF token, which takes the whole way through the site.
    requests = itertools.repeat(Request("/contact-us/", "POST", b""))
    with site.nginx, steady(site, requests) as load:
        for _ in range(40):
            for server in site.servers:
                server.restart()
            if load.failures():
                break
    assert load.failures()


def test_process_that_dies_is_not_noticed_by_who_reads(daphne, listener, server_variables):
    site = Site(daphne, listener, server_variables)
    address = f"127.0.0.1:{port_of(listener)}"

    def somebody_was_under_way():
        return f" by {address}, {address} in " in site.nginx.access_log()

    with site.nginx, steady(site, itertools.repeat(Request("/login/"))) as load:
        for server in itertools.islice(itertools.cycle(site.servers), 40):
            server.kill()
            server.start()
            if somebody_was_under_way():
                break
    assert somebody_was_under_way()
    assert not load.failures()


def steady(site, requests):
    """A load under which there is always somebody under way."""
    return LoadClient(
        site.nginx.url,
        requests,
        rate=100,
        context=site.nginx.client_context(),
        fails=lambda answer: answer.status == 0 or answer.status >= 500,
    )
