"""Browsers in which somebody logged in to an account before, which guessing from elsewhere does not lock out.

A cookie holds, for the last few accounts, a random id and a mark that only this site can make, of that id, the account
and its present password: it says nothing of whose it is, and a new password ends it. Logging out does not. Wrong
passwords from a known browser are counted for that browser (`shop.web.throttle`), wherever it is.
"""

import secrets
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from shop.models import User

COOKIE = "known_browser"
KEPT = timedelta(days=365)
# For so many accounts a browser is known at once.
MOST = 5


def mark_of(browser: str, user: User) -> str:
    return salted_hmac(COOKIE, f"{browser} {user.pk} {user.get_session_auth_hash()}", algorithm="sha256").hexdigest()


def known_browser(request: HttpRequest, email: str) -> str | None:
    """The id of this browser where somebody logged in to this account with it; None where nobody did."""
    entries = list(_entries(request))
    if not entries:
        return None
    # Of an account that does not exist as much is computed, so that no time tells.
    user = User.objects.filter(email=email).first() or User()
    return next((browser for browser, mark in entries if constant_time_compare(mark, mark_of(browser, user))), None)


def _entries(request: HttpRequest) -> Iterator[tuple[str, str]]:
    value = request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=KEPT) or ""
    for entry in filter(None, value.split(".")):
        browser, _, mark = entry.partition("-")
        yield browser, mark


def log_in_noted(request: HttpRequest, user: User | None) -> None:
    """Somebody logged in: the answer to this request is to say so to the browser.

    With None it is told something that looks the same and is worth nothing.
    """
    request.logged_in_now = user  # type: ignore[attr-defined]


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Set the cookie, where somebody logged in (`log_in_noted`)."""
    if not hasattr(request, "logged_in_now"):
        return
    user: User | None = request.logged_in_now
    browser = (known_browser(request, user.email) if user else None) or secrets.token_hex(8)
    mark = mark_of(browser, user) if user else secrets.token_hex(32)
    others = [f"{other}-{theirs}" for other, theirs in _entries(request) if other != browser]
    response.set_signed_cookie(
        COOKIE,
        ".".join([f"{browser}-{mark}", *others[: MOST - 1]]),
        salt=COOKIE,
        max_age=KEPT,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
