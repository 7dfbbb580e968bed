"""Everything in one process, for daphne: each kind of request where it is served best (docs/architecture.md)."""

import gc
import os
import re
import sys

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booktime.settings")

# Before anything that imports models: this loads the apps.
asynchronous = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from booktime.observing import logs, metrics  # noqa: E402
from booktime.resilience import database_watchdog  # noqa: E402
from booktime.serving import graceful_shutdown, request_limits  # noqa: E402
from booktime.serving.wsgi_bridge import CutOnFailure, Receive, Scope, Send, WSGIBridge  # noqa: E402
from shop.people import password_hashing  # noqa: E402
from support.routing import websocket_urlpatterns  # noqa: E402

# Threads that have much to compute give way to those that answer small pages; by default ten times as seldom.
sys.setswitchinterval(0.0005)
logs.take_over_access_log()
request_limits.limit_requests()
database_watchdog.watch_connections()
password_hashing.keep_threads_for_pages()
graceful_shutdown.install()
pages = WSGIBridge(get_wsgi_application(), threads=settings.PAGE_THREADS)
metrics.watch_process(pages)

# What waits long for others, and must neither hold a page's thread nor wait for one.
ASYNCHRONOUS_PATHS = re.compile(r"/healthz|/customer-service/notify/|/mobile-api/my-orders/[0-9]+/tracker/")


async def http(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == metrics.PATH:
        await metrics.metrics(scope, receive, send)
    elif ASYNCHRONOUS_PATHS.fullmatch(scope["path"]):
        await asynchronous(scope, receive, send)
    else:
        await pages(scope, receive, send)


# What is here by now stays: who cleans up needs not look at it again, while everybody waits.
gc.freeze()

application = ProtocolTypeRouter({"http": CutOnFailure(http), "websocket": URLRouter(websocket_urlpatterns)})
