"""Guessing passwords is throttled, wherever they are asked for, and so are the forms that anybody may send.

Whoever calls `django.contrib.auth.authenticate(request, email=..., password=...)`, with Django's request or with REST
framework's, is covered: the pages, the back offices, basic authentication and the mobile app's token. Ten wrong
passwords for an account from one address, or fifty from everywhere, and for a quarter of an hour `authenticate` says
None without looking, and the answer becomes 429 with `Retry-After` (`AxesMiddleware`). An account that does not exist
is throttled alike. A log-in that succeeds, and a password that was reset by mail, begin anew; so the owner of an
account under attack has a way in. A thousand wrong passwords for whatever accounts, and their address rests as long.
"""

import ipaddress
import math
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from shop.rendering import wants_json, wants_live_error

# For one failure from a single address that an account bears, it bears this many from all of them.
ADDRESSES = 5
# And an address bears this many for all the accounts that are tried from there.
ACCOUNTS = 100
NOWHERE = "0.0.0.0"  # noqa: S104

View = Callable[..., HttpResponseBase]


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
        return NOWHERE


def plain(request: Any) -> HttpRequest:
    """Django's request inside of REST framework's: the middleware sees only that one."""
    return getattr(request, "_request", request)


class Stretch:
    """How often something happened in the current stretch of so many seconds, in the cache that all processes share."""

    def __init__(self, occasion: str, seconds: int) -> None:
        self.now, self.seconds = time.time(), seconds
        self.key = f"{occasion}:{int(self.now // seconds)}"

    def count(self) -> int:
        """Count one more; how many it has been. While the cache is away nothing was ever too often."""
        try:
            return 1 if cache.add(self.key, 1, self.seconds) else cache.incr(self.key)
        except ValueError:  # it ran out between the two, or the cache is away
            return 1

    def seconds_left(self) -> int:
        return math.ceil(self.seconds - self.now % self.seconds)


def throttled(form: str) -> Callable[[View], View]:
    """Let a form's view take `settings.POSTS_AN_HOUR[form]` posts an hour from one address, and refuse further ones.

    What a field says about itself while one types is not counted: nothing is done then.
    """

    def of(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST" or wants_live_error(request):
                return view(request, *args, **kwargs)
            hour = Stretch(f"posts:{form}:{client_address(request)}", 3600)
            if hour.count() <= settings.POSTS_AN_HOUR[form]:
                return view(request, *args, **kwargs)
            minutes = math.ceil(hour.seconds_left() / 60)
            detail = f"This was sent too often. Try again in {minutes} minutes."
            return refusal(request, "429_posts.html", detail, minutes, hour.seconds_left())

        return limited

    return of


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
        """Failures that count: all for this account from this address, a part of all for it, or of all from here."""
        # In the order of AXES_LOCKOUT_PARAMETERS.
        from_here, from_everywhere = (
            attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        return max(from_here, from_everywhere // ADDRESSES, self.failures_of_address(request) // ACCOUNTS)

    def failures_of_address(self, request: Any) -> int:
        if request.axes_ip_address == NOWHERE:
            return 0
        lately = {"attempt_time__gte": get_cool_off_threshold(request)}
        attempts = AccessAttempt.objects.filter(ip_address=request.axes_ip_address, **lately)
        return attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
        """Count a wrong password."""
        if request is None:
            return
        request = plain(request)
        AxesProxyHandler.update_request(request)
        for name in ("axes_user_agent", "axes_http_accept", "axes_path_info"):
            setattr(request, name, getattr(request, name).replace("\0", ""))  # PostgreSQL stores none
        super().user_login_failed(sender, credentials, request, **kwargs)


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """The answer to one who guesses on."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    minutes = seconds // 60
    detail = f"Too many wrong passwords. Try again in {minutes} minutes."
    return refusal(request, "429.html", detail, minutes, seconds)


def refusal(request: HttpRequest, template: str, detail: str, minutes: int, seconds: int) -> HttpResponse:
    """429 with `Retry-After`: a page, or JSON for a program."""
    refused: HttpResponse
    if wants_json(request):
        refused = JsonResponse({"detail": detail}, status=429)
    else:
        refused = render(request, template, {"minutes": minutes}, status=429)
    refused["Retry-After"] = str(seconds)
    return refused
