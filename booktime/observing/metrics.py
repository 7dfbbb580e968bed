"""What Prometheus asks this process for: /metrics.

Each process counts for itself and is asked by itself, at its own port: never through the proxy, where each time
another one would answer. The answer is given outside Django, by plain HTTP and under any host's name, so that neither
the redirect to HTTPS nor pages that hang stand in its way. What the database knows (tasks, mail, webhooks) is looked
up when asked for, and left out where it takes longer than `WITHIN` seconds.
"""

import asyncio
import ipaddress
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connection
from django.db.models import Case, Count, Min, When
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult, get_date_max
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from booktime.serving.wsgi_bridge import Receive, Scope, Send, WSGIBridge
from shop.models import OutgoingMail
from staff.models import WebhookDelivery
from support.live.event_stream import open_streams
from support.live.hub import open_sockets

PATH = "/metrics"
WITHIN = 2.0
# A proxy names itself or its client in one of these, and a client cannot take them away again.
FORWARDED = {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

REQUESTS = Histogram(
    "booktime_request_seconds",
    "Time until a response begins, by the name of the route.",
    ["view", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SOCKETS = Gauge("booktime_sockets", "Open sockets (chats).")
STREAMS = Gauge("booktime_event_streams", "Open event streams (agents' lists of chats).")
THREADS = Gauge("booktime_page_threads", "Threads for pages, each with its database connection.", ["state"])
WAITING = Gauge("booktime_pages_waiting", "Requests that wait for a thread.")

disable_created_metrics()
# A thread of its own, as the pages' may all hang in the database.
_pool = ThreadPoolExecutor(1, thread_name_prefix="metrics")


class RequestMetrics:
    """Middleware that counts and times requests, by the route's name: paths are as many as visitors make up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        view = request.resolver_match.view_name if request.resolver_match else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(view, method, response.status_code).observe(time.perf_counter() - began)
        return response


def watch_process(pages: WSGIBridge) -> None:
    """Tell of what this process has open, and of the threads of its pages."""
    SOCKETS.set_function(open_sockets)
    STREAMS.set_function(open_streams)
    THREADS.labels("all").set(pages.threads)
    THREADS.labels("busy").set_function(lambda: pages.turns.places - pages.turns.free)
    WAITING.set_function(lambda: pages.turns.waiting)


def is_allowed(scope: Scope) -> bool:
    """Whether who asks sits at an address of `METRICS_ALLOWED`, and does so directly.

    A proxy on this machine has a local address whoever asks it, and daphne's --proxy-headers believes what a client
    claims to be.
    """
    if FORWARDED & {name.lower() for name, _ in scope["headers"]}:
        return False
    try:
        address = ipaddress.ip_address((scope.get("client") or [""])[0])
    except ValueError:  # a Unix socket has no address
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in settings.METRICS_ALLOWED)


async def metrics(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application behind `PATH`; for strangers there is none."""
    if scope["method"] != "GET" or not is_allowed(scope):
        return await answer(send, 404, "text/plain", b"Not found.")
    asked = asyncio.get_running_loop().run_in_executor(_pool, ask_database)
    try:
        stored = await asyncio.wait_for(asked, WITHIN)
    except Exception:  # away or hanging, which /healthz explains
        stored = CollectorRegistry()
        up(stored, 0)
    await answer(send, 200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY) + generate_latest(stored))


async def answer(send: Send, status: int, content_type: str, body: bytes) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def up(registry: CollectorRegistry, value: int) -> None:
    Gauge("booktime_database_up", "Whether the database answered.", registry=registry).set(value)


def ask_database() -> CollectorRegistry:
    """What only the database knows, which is the same whichever process is asked."""
    registry = CollectorRegistry()
    try:
        count_tasks(registry)
        count_outgoing(registry)
        count_connections(registry)
    finally:
        connection.close()
    up(registry, 1)
    return registry


def count_tasks(registry: CollectorRegistry) -> None:
    waiting_since = Case(When(run_after=get_date_max(), then="enqueued_at"), default="run_after")
    due = DBTaskResult.objects.order_by().ready().aggregate(number=Count("pk"), since=Min(waiting_since))
    unfinished = DBTaskResult.objects.order_by().exclude(status=TaskResultStatus.SUCCESSFUL)
    found = dict(unfinished.values_list("status").annotate(Count("pk")))
    tasks = Gauge("booktime_tasks", "Tasks of the worker.", ["state"], registry=registry)
    tasks.labels("queued").set(due["number"])
    tasks.labels("planned").set(found.get(TaskResultStatus.READY, 0) - due["number"])
    tasks.labels("running").set(found.get(TaskResultStatus.RUNNING, 0))
    tasks.labels("failed").set(found.get(TaskResultStatus.FAILED, 0))
    age = Gauge("booktime_oldest_task_seconds", "How long the first task in the queue waits.", registry=registry)
    age.set((timezone.now() - due["since"]).total_seconds() if due["since"] else 0)


def count_outgoing(registry: CollectorRegistry) -> None:
    Gauge("booktime_mails_pending", "Mails to be sent.", registry=registry).set(OutgoingMail.objects.pending().count())
    webhooks = Gauge("booktime_webhooks_pending", "Webhook deliveries to be posted.", registry=registry)
    webhooks.set(WebhookDelivery.objects.pending().count())


def count_connections(registry: CollectorRegistry) -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity")
        open_now, most = cursor.fetchone()
    connections = Gauge("booktime_database_connections", "Connections of PostgreSQL.", ["state"], registry=registry)
    connections.labels("open").set(open_now)
    connections.labels("most").set(most)
