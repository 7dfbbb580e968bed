"""Pages for what went wrong. 403, 404 and 503 need a template alone; these must stand where a site's frame cannot."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static


def standalone(template: str, status: int, request: HttpRequest | None = None) -> HttpResponse:
    """A page that asks neither the database nor the session, nor relies on collected static files.

    With a `request` it shows its id, by which its lines are found in the logs.
    """
    try:
        stylesheet = static("css/booktime.css")
    except ValueError:  # the manifest does not know it
        stylesheet = "/static/css/booktime.css"
    context = {"stylesheet": stylesheet, "request_id": getattr(request, "id", "")}
    return HttpResponse(render_to_string(template, context), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return standalone("400.html", 400)


def server_error(request: HttpRequest) -> HttpResponse:
    return standalone("500.html", 500, request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the visitor's token: most often one that was left open while they logged in elsewhere."""
    return render(request, "403_csrf.html", {"form_url": request.path}, status=403)
