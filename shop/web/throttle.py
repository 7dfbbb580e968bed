"""Guessing passwords is throttled, wherever they are asked for, and so are the forms that anybody may send.

Whoever calls `django.contrib.auth.authenticate(request, email=..., password=...)`, with Django's request or with REST
framework's, is covered: the pages, the back offices, basic authentication and the mobile app's token. Ten wrong
passwords for an account from one address, or fifty from everywhere, and for a quarter of an hour `authenticate` says
None without looking, and the answer becomes 429 with `Retry-After` (`AxesMiddleware`). An account that does not exist
is throttled alike. A log-in that succeeds, and a password that was reset by mail, begin anew. A thousand wrong
passwords for whatever accounts, and their address rests as long; three hundred within a minute, and it rests until that
is over.

A browser in which somebody logged in to the account before (`shop.people.known_browsers`) has ten tries of its own,
whatever others do: so the owner of an account under attack has two ways in. Of IPv6 the first half of an address
counts, which is what one customer of a provider is given.
"""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
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
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from shop.people.known_browsers import known_browser
from shop.values.email_addresses import canonical
from shop.values.ip_networks import network_of
from shop.web.fragments import LiveError, wants_json

# For one failure from a single address that an account bears, it bears this many from all of them.
ADDRESSES = 5
# And an address bears this many for all the accounts that are tried from there.
ACCOUNTS = 100
NOWHERE = "0.0.0.0"  # noqa: S104

View = Callable[..., HttpResponseBase]


def account_name(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """The account that someone tries to log in to, as failures are counted: in the one spelling of its address."""
    given: Mapping[str, Any] = credentials or request.POST
    name = str(given.get("email") or given.get("username") or "")
    return canonical(name.replace("\0", ""))[:255]


def client_address(request: HttpRequest) -> str:
    """The visitor's IP address, of IPv6 that of their network; one and the same where the server does not know it."""
    try:
        return network_of(request.META.get("REMOTE_ADDR", ""))
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

    def so_far(self) -> int:
        return int(cache.get(self.key, 0))

    def take_back(self) -> None:
        """Count one less."""
        with suppress(ValueError):
            cache.decr(self.key)

    def seconds_left(self) -> int:
        return math.ceil(self.seconds - self.now % self.seconds)


def throttled(form: str) -> Callable[[View], View]:
    """Let a form's view take `settings.POSTS_AN_HOUR[form]` posts an hour from one address, and refuse further ones.

    What a field says about itself while one types is not counted: nothing is done then.
    """

    def of(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST":
                return view(request, *args, **kwargs)
            hour = Stretch(f"posts:{form}:{client_address(request)}", 3600)
            if hour.count() <= settings.POSTS_AN_HOUR[form]:
                response = view(request, *args, **kwargs)
                # By what was answered: what was asked for, a view may not know.
                if isinstance(response, LiveError):
                    hour.take_back()
                return response
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
        """Failures that count: all for this account from this address, a part of all for it, or of all from here.

        Of a browser that is known, its own alone.
        """
        # In the order of AXES_LOCKOUT_PARAMETERS.
        here, everywhere = self.get_user_attempts(request, credentials)
        if browser := self.browser(request, credentials):
            return number(everywhere.filter(user_agent=browser))
        minute = self.minute(request)
        if minute and minute.so_far() >= settings.WRONG_LOGINS_A_MINUTE:
            request.axes_rests = minute.seconds_left()  # type: ignore[attr-defined]
            return int(settings.AXES_FAILURE_LIMIT)
        return max(number(here), number(everywhere) // ADDRESSES, self.failures_of_address(request) // ACCOUNTS)

    def failures_of_address(self, request: Any) -> int:
        if request.axes_ip_address == NOWHERE:
            return 0
        lately = {"attempt_time__gte": get_cool_off_threshold(request)}
        return number(AccessAttempt.objects.filter(ip_address=request.axes_ip_address, **lately))

    @staticmethod
    def minute(request: Any) -> Stretch | None:
        """The wrong passwords of this minute from this address, where it is known."""
        address = request.axes_ip_address
        return None if address == NOWHERE else Stretch(f"wrong-logins:{address}", 60)

    @staticmethod
    def browser(request: Any, credentials: Mapping[str, Any] | None) -> str | None:
        """What a known browser's failures are kept under, where others have the name of their browser."""
        name = account_name(request, credentials)
        browser = known_browser(request, name) if name else None
        return f"known browser {browser}" if browser else None

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
        """Count a wrong password."""
        if request is None:
            return
        request = plain(request)
        AxesProxyHandler.update_request(request)
        for name in ("axes_user_agent", "axes_http_accept", "axes_path_info"):
            setattr(request, name, getattr(request, name).replace("\0", ""))  # PostgreSQL stores none
        request.axes_user_agent = self.browser(request, credentials) or request.axes_user_agent
        if (minute := self.minute(request)) and not request.axes_locked_out:
            minute.count()
        super().user_login_failed(sender, credentials, request, **kwargs)

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Begin anew; a known browser for itself alone, for who guesses elsewhere is to gain nothing by its log-in."""
        if browser := self.browser(request, credentials):
            own = AccessAttempt.objects.filter(username=account_name(request, credentials), user_agent=browser)
            return own.delete()[0]
        return super().reset_user_attempts(request, credentials)


def number(attempts: QuerySet[AccessAttempt]) -> int:
    return attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """The answer to one who guesses on."""
    seconds = getattr(request, "axes_rests", 0) or int(settings.AXES_COOLOFF_TIME.total_seconds())
    minutes = math.ceil(seconds / 60)
    detail = f"Too many wrong passwords. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
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
