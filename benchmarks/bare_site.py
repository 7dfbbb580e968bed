"""The measure for pages: a view without middleware that renders 24 rows of one indexed query in a plain template.

`django_way` serves the whole site by Django's own ASGI handler instead of `booktime.asgi`'s threads.
"""

import sys
from typing import Any

import benchmarks.django_ready  # isort: skip  # noqa: F401

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test.utils import override_settings
from django.urls import path

from booktime.serving import fair_queue
from booktime.serving.wsgi_bridge import WSGIBridge
from shop.models import Product

TEMPLATE = engines["django"].from_string(
    "<!doctype html><title>Books</title><ul>"
    '{% for book in books %}<li><a href="/product/{{ book.slug }}/">{{ book.name }}</a> {{ book.price }}</li>'
    "{% endfor %}"
    "</ul>"
)


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse(TEMPLATE.render({"books": Product.objects.order_by("pk")[:24]}))


urlpatterns = [path("", bare)]


class BareHandler(WSGIHandler):
    def get_response(self, request: HttpRequest) -> HttpResponse:
        request.urlconf = __name__
        return super().get_response(request)


with override_settings(MIDDLEWARE=[]):
    bare_way = WSGIBridge(BareHandler(), threads=settings.PAGE_THREADS)
django_way = get_asgi_application()


async def site_that_tells(scope: Any, receive: Any, send: Any) -> None:
    """The site, which says at /kept/ how often this process had what it was asked for of the catalogue, and had not."""
    from booktime.asgi import application
    from shop.browsing.catalogue_cache import _found

    if scope.get("path") != "/kept/":
        await application(scope, receive, send)
        return
    kept = _found.cache_info()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{kept.hits} {kept.misses}".encode()})


async def site_without_turns(scope: Any, receive: Any, send: Any) -> None:
    """The site, but a free thread goes to who came first."""
    from booktime import asgi

    limits = ("most_of_one", "most_of_one_alone", "most_of_address")
    vars(asgi.pages.turns).update(dict.fromkeys(limits, asgi.pages.turns.places))
    fair_queue.MOST_WAITING = sys.maxsize
    await asgi.application(scope, receive, send)
