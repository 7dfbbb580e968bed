"""The socket at which nginx finds the site outlives each process that takes in who comes there."""

import http.client
import socket

import pytest

from tests.servers import wait_until
from tests.services.test_graceful_shutdown import DRAINED, ENDS_WITHIN, ask_to_stop, half_sent_form, received, refuses
from tests.systemd import port_of

CLOSES_QUEUE = "tests.services.closes_queue:application"


def come(listener: socket.socket) -> http.client.HTTPConnection:
    """A visitor who connected and sent the request."""
    visitor = http.client.HTTPConnection("127.0.0.1", port_of(listener), timeout=60)
    visitor.request("GET", "/about-us/", headers={"Host": "localhost", "Connection": "close"})
    return visitor


def is_served(visitor: http.client.HTTPConnection) -> bool:
    response = visitor.getresponse()
    response.read()
    return response.status == 200


def test_who_comes_while_none_runs_is_served_by_the_next(daphne, listener):
    site = daphne(listener=listener)
    assert is_served(come(listener))
    site.stop()
    visitors = [come(listener) for _ in range(10)]
    site.start()
    assert all(is_served(visitor) for visitor in visitors)


@pytest.mark.parametrize("application", [DRAINED, CLOSES_QUEUE], ids=["drained", "negative control"])
def test_process_that_ends_leaves_the_queue_to_the_other(daphne, listener, application):
    site = daphne(application, listener)
    with half_sent_form(port_of(listener)) as client:
        # Who came first was taken in first.
        assert is_served(come(listener))
        daphne(application, listener)
        ask_to_stop(site)
        wait_until(lambda: refuses(site), "refusal of newcomers")
        if application == CLOSES_QUEUE:
            with pytest.raises(ConnectionRefusedError):
                come(listener)
            return
        assert is_served(come(listener))
        client.sendall(b"def")
        assert received(client).startswith(b"HTTP/1.1 403")
    assert site.process.wait(ENDS_WITHIN) == 0
    assert is_served(come(listener))


def test_process_that_cannot_start_does_no_harm(daphne, listener):
    """Its start alone changes how all others take in who comes, unless systemd is told otherwise."""
    daphne(listener=listener)
    with pytest.raises(RuntimeError):
        daphne("tests.services.nowhere:application", listener)
    assert is_served(come(listener))


def test_single_process_can_be_asked(daphne, listener):
    """At its own port: by who waits for it to be back, and by Prometheus."""
    one, other = (daphne(listener=listener) for _ in range(2))
    one.stop()
    assert refuses(one)
    assert not refuses(other)
