"""How long a process that answers people waits for PostgreSQL.

libpq waits for ever for a server that took a query and hangs. Here a thread looks now and then which connections wait.
Once one was seen waiting for `SILENCE`, it asks whether the server answers anybody at all. If so it is busy with the
query, or the query waits for a lock, and everybody waits on. If not, those connections are cut, which fails their
queries, and nobody connects anew until the server answers again (`shop.circuit_breaker`).

psycopg2's wait callback could do the same, but costs each query several times as much as sending it.
"""

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import cache
from typing import Any
from weakref import WeakSet

import psycopg2
from django.db import connections
from psycopg2 import extensions

from shop.circuit_breaker import CircuitBreaker

logger = logging.getLogger(__name__)

# Seconds without a word from the server. A request fails after twice as many.
SILENCE = 1.5
LOOK_EVERY = 0.25

_is_watching = False
_watched: WeakSet[Any] = WeakSet()
# Whoever holds it may look at connections, and knows that none is closed meanwhile.
_looking = threading.Lock()
_watcher: threading.Thread | None = None


def watch_connections() -> None:
    """From now on this process waits for PostgreSQL as said above."""
    global _is_watching
    _is_watching = True


@cache
def database_circuit_breaker() -> CircuitBreaker:
    return CircuitBreaker("PostgreSQL", ask_anything)


@contextmanager
def connecting() -> Iterator[None]:
    """Connect within this. Raises psycopg2.OperationalError at once where the server is known to be away."""
    if _is_watching and database_circuit_breaker().is_open:
        raise psycopg2.OperationalError("The database does not answer.")
    began = time.monotonic()
    try:
        yield
    except psycopg2.OperationalError as error:
        if _is_watching and time.monotonic() - began > SILENCE:
            database_circuit_breaker().open(error)
        raise


def watch(connection: Any) -> None:
    """Keep an eye on an open connection, for as long as it exists."""
    global _watcher
    if not _is_watching:
        return
    with _looking:
        _watched.add(connection)
        # In a process that was forked there is none yet.
        if _watcher is None or not _watcher.is_alive():
            _watcher = threading.Thread(target=look_on, name="patience", daemon=True)
            _watcher.start()


def no_look() -> AbstractContextManager[Any]:
    """Close a connection within this."""
    return _looking


def look_on() -> None:
    waiting_since: dict[Any, float] = {}
    while True:
        time.sleep(LOOK_EVERY)
        try:
            waiting_since = look(waiting_since)
        except Exception:  # whatever it was, the next look may do better
            logger.exception("Could not look at the database's connections")


def look(waiting_since: dict[Any, float]) -> dict[Any, float]:
    """Which connections wait for the server, and since when they were seen to."""
    now = time.monotonic()
    with _looking:
        waiting = {connection: waiting_since.get(connection, now) for connection in _watched if is_waiting(connection)}
    if (
        any(now - since >= SILENCE for since in waiting.values())
        and not database_circuit_breaker().is_open
        and is_alive()
    ):
        return {}
    if database_circuit_breaker().is_open:
        cut(waiting)
    return waiting


def is_waiting(connection: Any) -> bool:
    return not connection.closed and connection.get_transaction_status() == extensions.TRANSACTION_STATUS_ACTIVE


def is_alive() -> bool:
    """Whether a server that is silent answers others; where not, the outage begins."""
    try:
        ask_anything()
    except psycopg2.Error as error:
        # "FATAL: too many connections" is an answer.
        if "FATAL" in str(error):
            return True
        database_circuit_breaker().open(error)
        return False
    return True


def cut(waiting: dict[Any, float]) -> None:
    """End what those who wait are waiting for."""
    with _looking:
        for connection in waiting:
            if is_waiting(connection):
                with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
                    line.shutdown(socket.SHUT_RDWR)


def ask_anything() -> None:
    """Raises psycopg2.Error where the server does not answer a new connection within SILENCE."""
    deadline = time.monotonic() + SILENCE
    with closing(psycopg2.connect(**connections["default"].get_connection_params(), async_=True)) as connection:
        wait(connection, deadline)
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        wait(connection, deadline)


def wait(connection: Any, deadline: float) -> None:
    """Until the server has answered. Raises psycopg2.OperationalError after the `deadline` (time.monotonic())."""
    while (state := connection.poll()) != extensions.POLL_OK:
        # Not select(), which takes no file numbers above 1023: sockets and streams have those.
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise psycopg2.OperationalError("The database does not answer.")
