"""Asked to stop, a process finishes what it was given, with a negative control: daphne as it comes."""

import asyncio
import http.client
import json
import signal
import socket
import subprocess
import sys
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.servers import ROOT, Daphne, wait_until
from tests.services.test_health import wait_for_health

DRAINED, AS_IT_COMES = "booktime.asgi:application", "tests.services.undrained:application"
# Seconds. What hangs is cut after `booktime.serving.graceful_shutdown.PATIENCE`, which is told in the log.
ENDS_WITHIN = 60


def ask_to_stop(site: Daphne) -> None:
    site.process.send_signal(signal.SIGTERM)


def half_sent_form(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.sendall(b"POST /contact-us/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc")
    return client


def received(client: socket.socket) -> bytes:
    got = b""
    with suppress(ConnectionError):
        while chunk := client.recv(65536):
            got += chunk
    return got


def refuses(site: Daphne) -> bool:
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex(("127.0.0.1", site.port)) != 0


@pytest.mark.parametrize("application", [DRAINED, AS_IT_COMES], ids=["drained", "negative control"])
def test_request_under_way_is_finished(daphne, application):
    site = daphne(application)
    with half_sent_form(site.port) as client:
        wait_for_health(site)
        ask_to_stop(site)
        if application == DRAINED:
            wait_until(lambda: refuses(site), "refusal of newcomers")
        else:
            wait_until(lambda: site.process.poll() is not None, "the end")
        with suppress(ConnectionError):
            client.sendall(b"def")
        answer = received(client)
    # Refused for want of a token: the answer of the site itself.
    assert answer.startswith(b"HTTP/1.1 403") == (application == DRAINED)
    assert site.process.wait(ENDS_WITHIN) == 0


@pytest.mark.parametrize("application", [DRAINED, AS_IT_COMES], ids=["drained", "negative control"])
def test_who_stands_in_the_queue_is_served(daphne, application):
    """More connections than the process takes in at once, each with its request sent, while it is busy elsewhere."""
    site = daphne(application)
    wait_for_health(site)
    site.process.send_signal(signal.SIGSTOP)
    clients = [socket.create_connection(("127.0.0.1", site.port), timeout=60) for _ in range(40)]
    for client in clients:
        client.sendall(
            b"POST /contact-us/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
    ask_to_stop(site)
    site.process.send_signal(signal.SIGCONT)
    answers = [received(client) for client in clients]
    for client in clients:
        client.close()
    served = sum(answer.startswith(b"HTTP/1.1 403") for answer in answers)
    assert (served == len(clients)) == (application == DRAINED)


def test_connection_without_a_request_does_not_hold_it_up(daphne):
    site = daphne()
    idle = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    idle.request("GET", "/about-us/")
    idle.getresponse().read()
    with socket.create_connection(("127.0.0.1", site.port)):
        ask_to_stop(site)
        assert site.process.wait(ENDS_WITHIN) == 0
    assert "not finished within" not in site.log.read_text()
    idle.close()


@pytest.fixture
def people(server_variables, directory):
    environment = Daphne(directory, server_variables).environment()
    command = [sys.executable, "-m", "benchmarks.chat_people", "1", "1"]
    return json.loads(subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True).stdout)


def test_socket_is_told_to_come_back(daphne, server_variables, people):
    site = daphne(**server_variables)
    (order,) = people["orders"]

    async def be_sent_away():
        url = f"{site.url.replace('http', 'ws')}/ws/customer-service/{order['order']}/?token={order['token']}"
        async with connect(url, open_timeout=60) as opened:
            await opened.send(json.dumps({"type": "message", "message": "a last word"}))
            ask_to_stop(site)
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    await asyncio.wait_for(opened.recv(), ENDS_WITHIN)
            return closed.value.rcvd.code

    assert asyncio.run(be_sent_away()) == 1012
    assert site.process.wait(ENDS_WITHIN) == 0
    history = f"/mobile-api/my-orders/{order['order']}/messages/"
    site.start()
    again = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    headers = {"Authorization": f"Token {order['token']}", "X-Forwarded-Proto": "https", "Host": "localhost"}
    again.request("GET", history, headers=headers)
    assert [message["message"] for message in json.load(again.getresponse())] == ["a last word"]
    again.close()


def test_event_stream_ends_whole(daphne, server_variables, people):
    site = daphne(**server_variables)
    (agent,) = people["agents"]
    stream = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    headers = {"Cookie": f"sessionid={agent['session']}", "X-Forwarded-Proto": "https", "Host": "localhost"}
    stream.request("GET", "/customer-service/notify/", headers=headers)
    response = stream.getresponse()
    assert response.readline().startswith(b"event: presence")
    ask_to_stop(site)
    # http.client raises IncompleteRead where it was cut.
    response.read()
    assert site.process.wait(ENDS_WITHIN) == 0
