"""The pages alone, for a WSGI server such as gunicorn behind a proxy; sockets and events need `booktime.asgi`."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booktime.settings")

pages = get_wsgi_application()

from booktime.resilience import database_watchdog  # noqa: E402  # the settings are loaded now
from shop.people import password_hashing  # noqa: E402

database_watchdog.watch_connections()
password_hashing.keep_threads_for_pages()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The visitor's address, by which failed logins are counted, is what the proxy says, as in daphne."""
    if forwarded := environ.get("HTTP_X_FORWARDED_FOR"):
        # A client may claim addresses of its own; the last one is by the proxy in front.
        environ["REMOTE_ADDR"] = forwarded.rpartition(",")[2].strip()
    return pages(environ, start_response)
