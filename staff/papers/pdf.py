"""Pages as PDFs, and what a browser is answered meanwhile."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from shop.web.error_pages import come_back
from staff.papers.pdf_process import NotYet, TooMany, printed


def asset(name: str) -> Path:
    """Where a static file of the project stands. Raises FileNotFoundError."""
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return Path(found)


def pdf_response(
    request: HttpRequest,
    filename: str,
    template: str,
    context: dict[str, Any],
    *,
    stylesheet: str,
    fonts: Iterable[str],
) -> HttpResponse:
    """The template as a PDF; while it is being made, 503 with `Retry-After`, and in a browser a page that asks again.

    `stylesheet` and `fonts` name the static files that it consists of, `stylesheet` is put into its context.
    """
    html = render_to_string(template, {**context, "stylesheet": asset(stylesheet).as_uri()})
    try:
        content = printed(html, map(asset, (stylesheet, *fonts)), person=request.user.pk or 0)
    except NotYet as error:
        return not_yet(request, error)
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{filename}"'},
    )


def not_yet(request: HttpRequest, error: NotYet) -> HttpResponse:
    if isinstance(error, TooMany):
        sentence = f"You asked for many documents in a short time. Ask for the next one in {error.seconds} seconds."
    else:
        sentence = "The document is being made. Ask for it again in a few seconds."
    again, status = request.get_full_path(), 429 if isinstance(error, TooMany) else 503
    response = come_back(request, sentence, "staff/pdf_wait.html", error.seconds, status, again=again)
    response["Refresh"] = str(error.seconds)
    return response
