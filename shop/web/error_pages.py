"""Pages for what went wrong. 403 and 404 need a template alone; these must stand where a site's frame cannot."""

import logging
import sys

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme

from shop.values.picture_files import PicturesUnavailable
from shop.web.fragments import wants_json

logger = logging.getLogger(__name__)

# Seconds after which a visitor may ask again.
BACK_IN = 5
# PostgreSQL's classes of errors that say nothing about the query: connection lost, no resources, server shut down.
NOT_THE_QUERY = ("08", "53", "57P")


def standalone(template: str, status: int, request: HttpRequest | None = None, **context: str) -> HttpResponse:
    """A page that asks neither the database nor the session, nor relies on collected static files.

    With a `request` it shows its id, by which its lines are found in the logs.
    """
    try:
        stylesheet = static("css/booktime.css")
    except ValueError:  # the manifest does not know it
        stylesheet = "/static/css/booktime.css"
    site = {"stylesheet": stylesheet, "GIT_REV": settings.GIT_REV, "GA_TRACKER_ID": settings.GA_TRACKER_ID}
    context["request_id"] = getattr(request, "id", "")
    return HttpResponse(render_to_string(template, site | context), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    # Django calls a session that the database did not take a bad request.
    if is_outage(exception):
        return unavailable(request, exception)
    return too_large(request) if isinstance(exception, RequestDataTooBig) else standalone("400.html", 400)


def too_large(request: HttpRequest, of_pictures: bool = False) -> HttpResponse:
    """413; `of_pictures` where those who work here may send more, and others not."""
    if wants_json(request):
        return JsonResponse({"detail": "That is more than is taken here."}, status=413)
    return standalone("413.html", 413, form=request.path if of_pictures else "")


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exc_info()[1]
    return unavailable(request, error) if is_outage(error) else standalone("500.html", 500, request)


def is_outage(error: BaseException | None) -> bool:
    """Whether an exception comes from a database, or a store of pictures, that does not answer."""
    while error is not None:
        if isinstance(error, PicturesUnavailable):
            return True
        if isinstance(error, OperationalError | InterfaceError):
            # SQLite's general error is one in the query.
            in_query = getattr(error.__cause__, "sqlite_errorname", "") == "SQLITE_ERROR"
            code = getattr(error.__cause__, "pgcode", None) or NOT_THE_QUERY[0]
            return not in_query and code.startswith(NOT_THE_QUERY)
        error = error.__cause__ or error.__context__
    return False


def unavailable(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    """503, in words that fit who asks: a program, a page that updates itself, or a person."""
    again = request.get_full_path() if request.method == "GET" else "/"
    sentence = "The shop is out for a moment. Try again in a few seconds."
    logger.warning("Not served for now: %s, %s", request.path, type(error).__name__)
    return come_back(request, sentence, "503.html", BACK_IN, again=again)


def come_back(
    request: HttpRequest, sentence: str, template: str, seconds: int, status: int = 503, **context: str
) -> HttpResponse:
    """What may be asked for again after so many seconds, and why: JSON, the `sentence`, or a page of its own."""
    response: HttpResponse
    if wants_json(request):
        response = JsonResponse({"detail": sentence}, status=status)
    elif "HX-Request" in request.headers:
        response = HttpResponse(sentence, status=status, content_type="text/plain")
    else:
        response = standalone(template, status, request, sentence=sentence, **context)
    response["Retry-After"] = str(seconds)
    response["Cache-Control"] = "no-store"
    # Not an error of each request, with a traceback and a mail to the admins: whoever watches /healthz knows.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def too_many_hashes(request: HttpRequest) -> HttpResponse:
    """503 where more people send passwords at once than are looked at (`shop.people.password_hashing`)."""
    sentence = "Many people are logging in just now. Try again in a moment."
    response: HttpResponse
    if wants_json(request):
        response = JsonResponse({"detail": sentence}, status=503)
    elif "HX-Request" in request.headers:
        response = HttpResponse(sentence, status=503, content_type="text/plain")
    else:
        response = standalone("503_hashes.html", 503, request, again=request.get_full_path())
    response["Retry-After"] = "1"
    response["Cache-Control"] = "no-store"
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the visitor's token: most often one that was left open while they logged in in another tab.

    A page that updates itself gets a fresh token by header, which no other site's page can read, and sends once more
    (`site.js`). A person presses "Send it again"; but only what a page of ours sent, as the browser itself says, stands
    in there, and no passwords.
    """
    user = getattr(request, "user", None)
    match = request.resolver_match
    user_is_in = user is not None and user.is_authenticated
    if user_is_in and match and match.url_name in {"login", "signup"} and is_from_here(request):
        # They logged in in the other tab: the page by itself leads on.
        return redirect(request.get_full_path())
    form_url = request.path
    if url_has_allowed_host_and_scheme(request.headers.get("Referer", ""), {request.get_host()}):
        form_url = request.headers["Referer"]
    context = {"form_url": form_url, "send_url": request.get_full_path(), "fields": fields_to_send_again(request)}
    response = render(request, "403_csrf.html", context, status=403)
    response["X-CSRFToken"] = get_token(request)
    return response


def fields_to_send_again(request: HttpRequest) -> list[tuple[str, str]] | None:
    """What one of our own forms was sent with; None where it is not known to be ours, or is not to be repeated."""
    if not is_from_here(request) or request.FILES or any("password" in name for name in request.POST):
        return None
    sent = [(name, value) for name, values in request.POST.lists() for value in values]
    return [(name, str(value)) for name, value in sent if name != "csrfmiddlewaretoken"]


def is_from_here(request: HttpRequest) -> bool:
    """Whether a page of this site sent the request, as the browser itself says."""
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
