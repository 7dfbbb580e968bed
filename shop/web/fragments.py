from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page; a boosted link and a restored history want the whole of it."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def wants_live_error(request: HttpRequest) -> bool:
    """Whether htmx asks what one field, the one that `validate` names, has to say (see `shop.forms.live_error`)."""
    return "validate" in request.POST and wants_fragment(request)


class LiveError(HttpResponse):
    """What a field says about itself while one types; nothing was done."""


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks, which a page in answer would not help."""
    return request.path.startswith(("/api/", "/mobile-api/")) or "json" in request.headers.get("Accept", "")


def render_page(
    request: HttpRequest, template: str, context: dict[str, Any], *, partial: str, status: int = 200
) -> HttpResponse:
    """The page `template`, or its `partial` (by its name, which is its DOM id) alone where htmx asked for it.

    The template knows by `is_fragment` whether it has to bring along what it changes elsewhere on the page.
    """
    is_fragment = wants_fragment(request)
    name = f"{template}#{partial}" if is_fragment else template
    response = render(request, name, {**context, "is_fragment": is_fragment}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response
