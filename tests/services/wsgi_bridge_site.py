"""A small site with what the bridge must carry, served in two ways: `django_way` is the measure, `our_way` is ours."""

import threading
import time
from io import BytesIO
from pathlib import Path

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.cache import caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from twisted.internet import reactor, tcp

from booktime.serving import streaming
from booktime.serving.wsgi_bridge import CutOnFailure, Receive, Scope, Send, WSGIBridge
from shop.web.redirects import RedirectThenDo

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        SECRET_KEY="bridge",
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
        DATA_UPLOAD_MAX_MEMORY_SIZE=100_000,
        LOGGING_CONFIG=None,
    )
    django.setup()

THREADS = 2
closed: list[str] = []
# Held on to, so that no two have the same id.
caches_met: dict[int, object] = {}
# A list, which any thread may add to.
started: list[object] = []
finished: list[object] = []


def note_start(**_: object) -> None:
    started.append(None)


def note_finish(**_: object) -> None:
    finished.append(None)


request_started.connect(note_start)
request_finished.connect(note_finish)


def echo(request: HttpRequest, rest: str = "") -> HttpResponse:
    named = (
        "QUERY_STRING",
        "REQUEST_METHOD",
        "HTTP_X_TWICE",
        "CONTENT_TYPE",
        "SCRIPT_NAME",
        "REMOTE_ADDR",
        "HTTP_COOKIE",
    )
    return JsonResponse(
        {
            "path": request.path,
            "path_info": request.path_info,
            "scheme": request.scheme,
            "uri": request.build_absolute_uri(),
            "query": dict(request.GET.lists()),
            "meta": {name: request.META.get(name, "") for name in named},
            "cookies": request.COOKIES,
        }
    )


@csrf_exempt
def receive(request: HttpRequest) -> HttpResponse:
    files = {name: [upload.size, sum(upload.read())] for name, upload in request.FILES.items()}
    return JsonResponse({"post": dict(request.POST.lists()), "files": files})


@csrf_exempt
def raw_body(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body[::-1])


def cookies(request: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect("/echo/ü")
    # `expires` would else follow from the second in which this is asked.
    expires = "Wed, 01 Jan 2031 00:00:00 GMT"
    response.set_cookie("first", "1", max_age=60, expires=expires, httponly=True, samesite="Lax")
    response.set_cookie("second", "a b;c")
    return response


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse((f"part {n}\n" * 1000).encode() for n in range(50))


def download(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"), as_attachment=True, filename="bücher.py")


class Large(BytesIO):
    """A file that tells when it was closed."""

    def close(self) -> None:
        if not self.closed:
            closed.append("large")
        super().close()


def large(request: HttpRequest) -> FileResponse:
    return FileResponse(Large(bytes(range(256)) * 30_000), content_type="image/jpeg")


LETTERS = str.maketrans("0123456789", "abcdefghij")


def large_export(request: HttpRequest) -> StreamingHttpResponse:
    def parts():
        try:
            for number in range(8_000):
                # Letters alone, which are in no port's number.
                yield f"{number:06d}".translate(LETTERS).encode() * 160
        finally:
            closed.append("export")

    return StreamingHttpResponse(parts())


def failing_stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts():
        yield b"begun"
        raise ValueError("in the middle")

    return StreamingHttpResponse(parts())


def endless(request: HttpRequest) -> StreamingHttpResponse:
    def parts():
        try:
            while True:
                yield b"x" * 1000
                time.sleep(0.01)
        finally:
            closed.append("endless")

    return StreamingHttpResponse(parts())


def wait_a_little(request: HttpRequest) -> HttpResponse:
    time.sleep(0.3)
    return HttpResponse("waited")


def failing(request: HttpRequest) -> HttpResponse:
    raise ValueError("no page")


def cache_used(request: HttpRequest) -> HttpResponse:
    """Which of the process's cache clients this request was given."""
    caches_met.setdefault(id(caches["default"]), caches["default"])
    return JsonResponse({"clients": len(caches_met)})


may_work = threading.Event()
worked: list[object] = []


def work_later(request: HttpRequest) -> HttpResponse:
    """A redirect whose work waits until `let_work` is asked for."""
    may_work.clear()
    return RedirectThenDo("/echo/", lambda: worked.append(may_work.wait(120)))


held = threading.Semaphore(0)


def hold(request: HttpRequest) -> HttpResponse:
    """Holds its thread until `let_go` is asked for, which lets one go."""
    held.acquire(timeout=120)
    return HttpResponse("held")


def let_go(request: HttpRequest) -> HttpResponse:
    held.release()
    return HttpResponse()


def let_work(request: HttpRequest) -> HttpResponse:
    may_work.set()
    return HttpResponse()


def state(request: HttpRequest) -> HttpResponse:
    """`under_way` counts this request, too; `unsent` is what waits in memory for clients to read it, in bytes."""
    connections = [each for each in reactor.getWriters() if isinstance(each, tcp.Server)]
    return JsonResponse(
        {
            "closed": closed,
            "worked": len(worked),
            "started": len(started),
            "under_way": len(started) - len(finished),
            "streams": streaming._under_way.total(),
            "unsent": sum(len(each.dataBuffer) - each.offset + each._tempDataLen for each in connections),
        }
    )


urlpatterns = [
    path("echo/", echo),
    path("echo/<path:rest>", echo),
    path("receive/", receive),
    path("raw/", raw_body),
    path("cookies/", cookies),
    path("stream/", stream),
    path("download/", download),
    path("large/", large),
    path("large-export/", large_export),
    path("failing-stream/", failing_stream),
    path("endless/", endless),
    path("wait/", wait_a_little),
    path("failing/", failing),
    path("empty/", lambda request: HttpResponse(status=204)),
    path("not-modified/", lambda request: HttpResponse(status=304)),
    path("cache/", cache_used),
    path("hold/", hold),
    path("let-go/", let_go),
    path("work-later/", work_later),
    path("let-work/", let_work),
    path("state/", state),
]

django_way = get_asgi_application()
our_way = CutOnFailure(WSGIBridge(get_wsgi_application(), threads=THREADS))


async def impatient_way(scope: Scope, receive: Receive, send: Send) -> None:
    """Ours, where a reader has to take something each second."""
    streaming.PATIENCE = 1
    await our_way(scope, receive, send)


async def crowded_way(scope: Scope, receive: Receive, send: Send) -> None:
    """Ours, where there is room for two streams."""
    streaming.MOST_STREAMS = 2
    await our_way(scope, receive, send)
