"""Guessing passwords is throttled, wherever they are asked for.

Whoever calls `django.contrib.auth.authenticate(request, email=..., password=...)`, with Django's request or with REST
framework's, is covered: the pages, the back offices, basic authentication and the mobile app's token. Ten wrong
passwords for an account from one address, or fifty from everywhere, and for a quarter of an hour `authenticate` says
None without looking, and the answer becomes 429 with `Retry-After` (`AxesMiddleware`). An account that does not exist
is throttled alike. A log-in that succeeds, and a password that was reset by mail, begin anew; so the owner of an
account under attack has a way in.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from shop.rendering import wants_json

# For one failure from a single address that an account bears, it bears this many from all of them.
ADDRESSES = 5


def account_name(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """The account that someone tries to log in to, as failures are counted: regardless of case."""
    given: Mapping[str, Any] = credentials or request.POST
    name = str(given.get("email") or given.get("username") or "")
    return name.replace("\0", "").strip().lower()[:255]


def client_address(request: HttpRequest) -> str:
    """The visitor's IP address; one and the same where the server does not know it."""
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return "0.0.0.0"  # noqa: S104


def plain(request: Any) -> HttpRequest:
    """Django's request inside of REST framework's: the middleware sees only that one."""
    return getattr(request, "_request", request)


def too_often(occasion: str, limit: int, seconds: int) -> bool:
    """Count this occasion; whether there were more than `limit` of it within `seconds`."""
    key = f"too-often:{occasion}"
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key) > limit
    except ValueError:  # it expired between the two
        return False


class LoginThrottle(AxesStandaloneBackend):
    """The first authentication backend: refuses those who guessed too often, and leaves the others to the next."""

    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **fields: Any
    ) -> None:
        """None lets the next backend decide. Raises PermissionDenied where guessing is throttled."""
        name = username or fields.get("email") or ""
        if "\0" in name or "\0" in (password or ""):
            raise PermissionDenied("No account is named like that.")
        # Code of the site's own, such as a test client's log-in, has no request and does not guess.
        if request is not None:
            super().authenticate(plain(request), username=username, password=password, **fields)


class FailedLogins(AxesDatabaseHandler):
    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures that count: all from this address, or a part of those from everywhere."""
        # In the order of AXES_LOCKOUT_PARAMETERS.
        from_here, from_everywhere = (
            attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        return max(from_here, from_everywhere // ADDRESSES)

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
        """Count a wrong password."""
        if request is None:
            return
        request = plain(request)
        AxesProxyHandler.update_request(request)
        super().user_login_failed(sender, credentials, request, **kwargs)


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """The answer to one who guesses on: a page, or JSON for a program."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    minutes = seconds // 60
    refusal: HttpResponse
    if wants_json(request):
        refusal = JsonResponse({"detail": f"Too many wrong passwords. Try again in {minutes} minutes."}, status=429)
    else:
        refusal = render(request, "429.html", {"minutes": minutes}, status=429)
    refusal["Retry-After"] = str(seconds)
    return refusal
