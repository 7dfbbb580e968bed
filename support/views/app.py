"""The mobile app's own files; all that it shows it asks the mobile endpoints for."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from shop.values.money import locale_of

MODULES = ("api", "cover", "format", "login", "order", "orders", "outbox", "store")
# What the app needs to start without a network. Modules import each other by their plain addresses.
STYLES = ("css/booktime.css", "app/app.css")
PLAIN = ("js/chat.js", *(f"app/{name}.mjs" for name in MODULES))
LINKED = (*STYLES, "app/main.mjs", "vendor/fraunces-5.3.0-latin-500.woff2", "img/favicon.svg")
ICONS = (("app/icon-192.png", "192x192", "any"), ("app/icon-512.png", "512x512", "any"))
MASKABLE = ("app/icon-maskable-512.png", "512x512", "maskable")


def plain_address(name: str) -> str:
    """Where a static file stands whatever version of it is current."""
    return f"{settings.STATIC_URL}{name}"


def shell_version(page: bytes) -> str:
    """Changes whenever the app's page or a file of it does."""
    digest = hashlib.sha256(page)
    for name in (*LINKED, *PLAIN):
        found = finders.find(name)
        if isinstance(found, str):
            digest.update(Path(found).read_bytes())
    return digest.hexdigest()[:12]


@require_safe
@cache_control(no_cache=True)
def app_page(request: HttpRequest) -> HttpResponse:
    context = {
        "modules": [plain_address(name) for name in PLAIN],
        "styles": STYLES,
        "currency": settings.CURRENCY,
        "currency_locale": str(locale_of(settings.CURRENCY)).replace("_", "-"),
    }
    return render(request, "support/app.html", context)


@require_safe
@cache_control(no_cache=True)
def app_worker(request: HttpRequest) -> HttpResponse:
    """The service worker: what it keeps for a phone without a network, and from when a new version is."""
    files = [reverse("app_page"), *map(static, LINKED), *map(plain_address, PLAIN)]
    context = {"version": shell_version(app_page(request).content), "files": files}
    return render(request, "support/app_worker.js", context, content_type="text/javascript; charset=utf-8")


@require_safe
@cache_control(max_age=3600)
def app_manifest(request: HttpRequest) -> HttpResponse:
    start = reverse("app_page")
    manifest = {
        "id": start,
        "name": "BookTime",
        "short_name": "BookTime",
        "description": "Your orders, where they are, and someone to ask.",
        "lang": "en",
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "orientation": "any",
        "background_color": "#fbf9f4",
        "theme_color": "#17594a",
        "categories": ["shopping", "books"],
        "icons": [
            {"src": static(name), "sizes": sizes, "purpose": purpose, "type": "image/png"}
            for name, sizes, purpose in (*ICONS, MASKABLE)
        ],
    }
    return JsonResponse(manifest, content_type="application/manifest+json")
