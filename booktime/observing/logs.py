"""Log lines that machines read and that hold no secrets.

A line is JSON on a server and `key=value` in the demo. What a request is known by (id, method, path, status,
milliseconds, user) is logged once, at its end, without the query string: tokens travel in it.
"""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

logger = logging.getLogger("booktime.request")

# Answers of a view that knows what is wrong, elsewhere and for now: no error of this site, to be mailed to its admins.
AWAY = frozenset({502, 503, 504})

request_id: ContextVar[str] = ContextVar("request_id", default="")
GIVEN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

# How much a line holds of a path, of any other value, and of a traceback: what strangers send would else fill the logs.
LONGEST_PATH = 500
LONGEST = 2_000
LONGEST_TRACEBACK = 20_000
# A secret that reaches over the end is taken out before the rest is cut off, if it is no longer than this.
LONGEST_SECRET = 500

# Strangers choose what is searched by these, so each must take time in proportion to its length: no two parts that can
# match the same characters, and nothing after a repetition that may still fail (tests/booktime/test_patterns.py).
SECRETS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    # ?token=…, password=…, "password": "…", Key (token)=(…) and the like
    (
        re.compile(
            r"""(?i)((?:token|password\d?|passwd|secret|api_?key|sessionid|csrftoken)["')]?\s*[=:]\s*["'(]?)[^\s&"',;]+"""
        ),
        r"\1***",
    ),
    # Authorization: Token …
    (re.compile(r"(?i)\b((?:token|bearer|basic)\s+)[A-Za-z0-9+/_.=-]{8,}"), r"\1***"),
    # postgres://user:password@host, also where somebody wrote a slash into the password. Without an @ it matches as
    # well, and stays as it is: it would else be looked for again from each place in between.
    (re.compile(r"(://[^/\s:@]*:)[^@\s]+(@?)"), lambda url: f"{url[1]}***@" if url[2] else url[0]),
    # The links in mails that open an account or prove an address (deploy/nginx/booktime.conf does the same).
    (re.compile(r"(\breset/[^/\s]+/)[^/\s]+"), r"\1***"),
)


def scrub(text: str, longest: int = LONGEST) -> str:
    """The text with every token, password and key in it replaced by ***, and what is above `longest` characters cut."""
    cut = len(text) > longest
    text = text[: longest + LONGEST_SECRET]
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return f"{text[:longest]}…" if cut else text


class RequestLog:
    """Middleware that gives each request an id and logs a line at its end.

    The id is the proxy's `X-Request-ID` or a new one; it stands in every line logged meanwhile, and in the response.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.id = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
        mark = request_id.set(request.id)  # type: ignore[attr-defined]
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request.id  # type: ignore[attr-defined]
            away = response.status_code in AWAY
            logger.log(
                logging.WARNING if away else logging.INFO,
                "request",
                extra={"fields": fields_of(request, response, began)},
            )
            if away:
                # Django would log it as an error. An exception that nobody caught is a 500, which it does log.
                response._has_been_logged = True  # type: ignore[attr-defined]
            return response
        finally:
            request_id.reset(mark)


def fields_of(request: HttpRequest, response: HttpResponse, began: float) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "method": request.method,
        "path": scrub(request.path, LONGEST_PATH),
        "status": response.status_code,
        "ms": round((time.perf_counter() - began) * 1000, 1),
    }
    # Only a user whom the page asked for: logging must not cost a query.
    user = getattr(request, "_cached_user", None)
    return {**fields, "user": user.pk} if user is not None and user.is_authenticated else fields


class Formatter(logging.Formatter):
    """A record as one scrubbed line, JSON or `key=value`."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **({"request_id": request_id.get()} if request_id.get() else {}),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = end_of(self.formatException(record.exc_info))
        line = {
            key: scrub(value, LONGEST_TRACEBACK if key == "exception" else LONGEST) if isinstance(value, str) else value
            for key, value in line.items()
        }
        if self.as_json:
            return json.dumps(line, ensure_ascii=False, default=str)
        exception = line.pop("exception", "")
        pairs = " ".join(f"{key}={quoted(str(value))}" for key, value in line.items())
        return f"{pairs}\n{exception}" if exception else pairs


def end_of(traceback: str) -> str:
    """Its last lines, which tell most; whole ones, so that no secret is cut in two."""
    if len(traceback) <= LONGEST_TRACEBACK:
        return traceback
    return traceback[-LONGEST_TRACEBACK:].partition("\n")[2] or traceback


def quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if not value or re.search(r'[\s"=]', value) else value


def take_over_access_log() -> None:
    """Make daphne's access log, which prints query strings and so tokens, one of ours: sockets only, by their path.

    Pages have a line of their own already.
    """
    from daphne.access import AccessLogGenerator

    AccessLogGenerator.__call__ = log_socket


def log_socket(self: object, protocol: str, action: str, details: dict[str, Any]) -> None:
    if protocol == "websocket":
        path = scrub(details["path"].split("?", 1)[0], LONGEST_PATH)
        logger.info("socket", extra={"fields": {"action": action, "path": path, "client": details["client"]}})


def configuration(*, as_json: bool) -> dict[str, Any]:
    """What `settings.LOGGING` is: all to stderr, one line a record, errors by mail to `ADMINS` on a server."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": Formatter, "as_json": as_json},
            "mail": {"()": Formatter, "as_json": False},
        },
        "filters": {"debug_is_off": {"()": "django.utils.log.RequireDebugFalse"}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
            "admins": {
                "class": "booktime.observing.error_mail.ErrorMail",
                "level": "ERROR",
                "filters": ["debug_is_off"],
                "formatter": "mail",
            },
        },
        "root": {"handlers": ["stderr", "admins"], "level": "INFO"},
        "loggers": {
            # Not what Django would add: a console of its own, and a mail of each error.
            "django": {"handlers": [], "level": "INFO"},
            # Whoever asks for a site that is not here made no error of ours; the request's own line says 400.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # The request's own line says as much.
            "django.server": {"level": "ERROR"},
            "daphne": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            # It tells of every stream that opens.
            "django_eventstream": {"level": "WARNING"},
            # It tells of every step of every invoice.
            "weasyprint": {"level": "WARNING"},
        },
    }
