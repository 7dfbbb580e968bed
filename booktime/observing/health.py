"""Whether what this process needs does answer: /healthz, for whoever watches it or sends it requests."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

WITHIN = 3
# Threads of their own: a database that hangs holds those of the pages.
_pool = ThreadPoolExecutor(4, thread_name_prefix="health")


def check_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def check_redis() -> None:
    with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2) as client:
        client.ping()


def checks() -> dict[str, Callable[[], None]]:
    return {"database": check_database, **({"redis": check_redis} if settings.REDIS_URL else {})}


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 `ok`, or 503 with a line for each part that failed, within a few seconds even where one hangs."""
    running = {name: _pool.submit(check) for name, check in checks().items()}
    wait(running.values(), timeout=WITHIN)
    failures = [f"{name}: {failure}" for name, future in running.items() if (failure := failure_of(future))]
    text = "\n".join(failures) or "ok"
    return HttpResponse(text, status=503 if failures else 200, content_type="text/plain")


def failure_of(check: Future[None]) -> str:
    if not check.done():
        check.cancel()
        return f"no answer within {WITHIN} s"
    error = check.exception()
    # The kind alone: messages hold addresses and names that strangers need not know.
    return f"failed ({type(error).__name__})" if error else ""
