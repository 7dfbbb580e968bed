"""How long a process that answers people waits for PostgreSQL.

libpq waits for ever for a server that took a query and hangs. Here whoever was told nothing for a while looks whether
the server answers anybody at all. If so it is busy with the query, or the query waits for a lock, and we wait on. If
not the query fails, and with it every other one until the server answers again (`shop.outage`).
"""

import select
import threading
from functools import cache
from typing import Any

import psycopg2
from django.db import connections
from psycopg2 import extensions

from shop.outage import Outage

# Seconds without a word from the server. A request fails after twice as many.
SILENCE = 1.5

_probing = threading.local()
_one_at_a_time = threading.Lock()


def be_impatient() -> None:
    """From now on every connection of this process to PostgreSQL waits as said above."""
    if connections.settings["default"]["ENGINE"] == "django.db.backends.postgresql":
        extensions.set_wait_callback(wait)


@cache
def database_outage() -> Outage:
    return Outage("PostgreSQL", ask_anything)


def ask_anything() -> None:
    """Raises psycopg2.Error where the server does not answer a new connection within twice SILENCE."""
    parameters = connections["default"].get_connection_params()
    _probing.now = True
    try:
        connection = psycopg2.connect(**parameters)
        try:
            connection.cursor().execute("SELECT 1")
        finally:
            connection.close()
    finally:
        _probing.now = False


def wait(connection: Any) -> None:
    """psycopg2's wait callback: returns when the server has answered. Raises OperationalError, which closes it."""
    while (state := connection.poll()) != extensions.POLL_OK:
        if not is_awaited():
            raise psycopg2.OperationalError("The database does not answer.")
        while not is_ready(connection, state):
            if not is_alive():
                raise psycopg2.OperationalError("The database does not answer.")


def is_ready(connection: Any, state: int) -> bool:
    """Whether the server had something to say, or takes something, within SILENCE."""
    # Not select(), which takes no file numbers above 1023: sockets and streams have those.
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
    return bool(poll.poll(SILENCE * 1000))


def is_awaited() -> bool:
    return getattr(_probing, "now", False) or not database_outage().is_on


def is_alive() -> bool:
    """Whether a server that is silent answers others."""
    if getattr(_probing, "now", False):
        return False
    outage = database_outage()
    with _one_at_a_time:
        if outage.is_on:
            return False
        try:
            ask_anything()
        except psycopg2.Error as error:
            # "FATAL: too many connections" is an answer.
            if "FATAL" in str(error):
                return True
            outage.begin(error)
            return False
        return True
