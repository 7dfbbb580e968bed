from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions import middleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.cache import patch_vary_headers

from shop.people.known_browsers import remember
from shop.people.password_hashing import TooManyHashes
from shop.web.error_pages import too_many_hashes


class SessionMiddleware(middleware.SessionMiddleware):
    """Django's, but for a cookie whose session is not there any more, which it has the browser forget.

    Whoever signs up or logs in gets a new session while a field's check, say, is still under way with the old one:
    where that answer came last, they would be out again.
    """

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        session = request.session
        is_unknown = session.accessed and not session.modified and session.is_empty()
        if not is_unknown:
            return super().process_response(request, response)
        patch_vary_headers(response, ("Cookie",))
        return response


class LoginInsteadOfFragment:
    """Where log-in is asked for in answer to htmx, the whole page goes there, and afterwards back to where it was.

    The browser would follow the redirect by itself, and the log-in page would stand within the page that asked.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        htmx = request.htmx  # type: ignore[attr-defined]
        if response.status_code != 302 or not htmx:
            return response
        login_url = resolve_url(settings.LOGIN_URL)
        if response["Location"].partition("?")[0] == login_url:
            back = redirect_to_login(htmx.current_url_abs_path or "/", login_url)
            response = HttpResponse(status=204, headers={"HX-Redirect": back.url})
        return response


class LoginAnswers:
    """What every door where a password is asked for has in common: a browser is known from its first log-in on, and
    whoever finds too many passwords being hashed is asked to come again.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        remember(request, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return too_many_hashes(request) if isinstance(exception, TooManyHashes) else None
