"""Pages for what went wrong. 403, 404 and 503 need a template alone; these must stand where a site's frame cannot."""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static


def standalone(template: str, status: int) -> HttpResponse:
    """A page that asks neither the database nor the session, nor relies on collected static files."""
    try:
        stylesheet = static("css/booktime.css")
    except ValueError:  # the manifest does not know it
        stylesheet = "/static/css/booktime.css"
    context = {"stylesheet": stylesheet, "GIT_REV": settings.GIT_REV, "GA_TRACKER_ID": settings.GA_TRACKER_ID}
    return HttpResponse(render_to_string(template, context), status=status)


def is_program(request: HttpRequest) -> bool:
    """Whether who asks reads JSON rather than a page."""
    return request.path.startswith(("/api/", "/mobile-api/")) or "json" in request.headers.get("Accept", "")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return too_large(request) if isinstance(exception, RequestDataTooBig) else standalone("400.html", 400)


def too_large(request: HttpRequest) -> HttpResponse:
    if is_program(request):
        return JsonResponse({"detail": "That is more than is taken here."}, status=413)
    return standalone("413.html", 413)


def server_error(request: HttpRequest) -> HttpResponse:
    return standalone("500.html", 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the visitor's token: most often one that was left open while they logged in elsewhere."""
    return render(request, "403_csrf.html", {"form_url": request.path}, status=403)
