"""The pages alone, for a WSGI server such as gunicorn behind a proxy; sockets and events need `booktime.asgi`."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booktime.settings")

pages = get_wsgi_application()

from booktime import patience  # noqa: E402  # the settings are loaded now

patience.be_impatient()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The visitor's address, by which failed logins are counted, is what the proxy in front says, as in daphne."""
    if forwarded := environ.get("HTTP_X_FORWARDED_FOR"):
        environ["REMOTE_ADDR"] = forwarded.rpartition(",")[2].strip()
    return pages(environ, start_response)
