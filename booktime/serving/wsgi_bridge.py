"""A WSGI application behind an ASGI server: pages are served by a bounded pool of threads.

Django's own ASGI handler takes every synchronous middleware through a thread of its own, which costs a page more than
the page itself does. Here a request takes one thread once, and what a thread holds (a database connection) it keeps.

a2wsgi does the same, but a client who leaves in the middle of a download keeps its thread for ever, bodies without a
Content-Length arrive empty, and a stream is not closed when nobody reads it any more.
`tests/services/test_wsgi_bridge.py` holds this module to the behaviour of Django's handler.
"""

import asyncio
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from asgiref.sync import SyncToAsync

from booktime.serving import streaming
from booktime.serving.fair_queue import FairQueue, asker_of

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]
WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

logger = logging.getLogger("django.request")

# A body below this is kept in memory, a larger one in a file.
SPOOL_BYTES = 250_000
TOO_MUCH = "That is more at once than the shop can do for you. Try again in a few seconds."


class WSGIBridge:
    """The ASGI application that answers with the WSGI application `pages`, in at most `threads` threads at once.

    Whose turn it is: `booktime.serving.fair_queue`.
    """

    def __init__(self, pages: WSGIApplication, threads: int) -> None:
        self.pages = pages
        self.threads = threads
        self.pool: ThreadPoolExecutor | None = None
        self.turns = FairQueue(threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            return
        loop = asyncio.get_running_loop()
        if self.pool is None:
            self.pool = ThreadPoolExecutor(self.threads, "page", initializer=work_for, initargs=(loop,))
        asker = asker_of(scope)
        turn = self.turns.ask(asker)
        if turn is None:
            body.close()
            as_json = scope["path"].startswith(("/api/", "/mobile-api/"))
            await streaming.refuse(send, TOO_MUCH, seconds=2, as_json=as_json)
            return
        exchange = Exchange(loop, send)
        watch = asyncio.create_task(exchange.watch_for_departure(receive))
        answer = None
        try:
            await asyncio.wait((turn, watch), return_when=asyncio.FIRST_COMPLETED)
            if not turn.done():
                return
            # In the thread's own context, which stays: Django keeps its cache's connections in there.
            answer = loop.run_in_executor(self.pool, exchange.answer, self.pages, environ_of(scope, body))
            answer.add_done_callback(lambda _: self.turns.give_back(asker))
            # Shielded: a thread cannot be cancelled, only told that the client is gone.
            remaining = await asyncio.shield(answer)
            if exchange.stream is not None:
                head = scope["method"] == "HEAD"
                await streaming.send_stream(
                    exchange.stream, remaining[0], send, exchange.departed, address=asker.address, head=head
                )
                return
        finally:
            exchange.departed.set()
            watch.cancel()
            if answer is None:
                body.close()
                self.turns.leave(asker, turn)
        for message in remaining:
            await send(message)


class Exchange:
    """One request and what is sent back for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        self.loop = loop
        self.send = send
        self.departed = threading.Event()
        self.start: Message | None = None
        # A response that others send, so that a slow reader holds no thread for pages.
        self.stream: Any = None

    async def watch_for_departure(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.departed.set()

    def answer(self, pages: WSGIApplication, environ: dict[str, Any]) -> list[Message]:
        """Run the application in this thread; gives what is still to be sent.

        A whole page is handed back at once, for the loop to send when this thread is free again. One that has work left
        to do when it is closed (`shop.web.redirects.RedirectThenDo`) leaves from here, before that. Of a stream it is
        the beginning, and the rest is `stream` (booktime/serving/streaming.py).
        """
        if self.departed.is_set():
            environ["wsgi.input"].close()
            return []
        response = pages(environ, self.start_response)
        if not streaming.is_whole(response):
            self.stream = response
            environ["wsgi.input"].close()
            return self.begun([])
        try:
            whole = self.begun([{"type": "http.response.body", "body": b"".join(response)}])
            if not getattr(response, "leaves_before_closing", False):
                return whole
            self.send_now(whole)
            return []
        finally:
            close = getattr(response, "close", None)
            if close:
                close()
            environ["wsgi.input"].close()

    def send_now(self, messages: list[Message]) -> None:
        """Send from this thread, and return once that is done or the client is gone."""

        async def send_all() -> None:
            for message in messages:
                await self.send(message)

        streaming.wait_for(asyncio.run_coroutine_threadsafe(send_all(), self.loop), self.departed)

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        self.start = {
            "type": "http.response.start",
            "status": int(status.split(" ", 1)[0]),
            "headers": [(name.encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers],
        }

    def begun(self, messages: list[Message]) -> list[Message]:
        """The messages, after the start of the response where that was not sent yet."""
        start, self.start = self.start, None
        return [start, *messages] if start else messages


def work_for(loop: asyncio.AbstractEventLoop) -> None:
    """Let `async_to_sync` in this thread run on the server's loop, as in threads that asgiref made itself.

    Otherwise a page that wakes sockets of this process would do so from a loop of its own, which they do not notice.
    """
    SyncToAsync.threadlocal.main_event_loop = loop
    SyncToAsync.threadlocal.main_event_loop_pid = os.getpid()


async def read_body(receive: Receive) -> IO[bytes] | None:
    """The whole request body, so that no thread waits for a slow client; None where the client left meanwhile."""
    body = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115  # closed with the response
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            body.close()
            return None
        body.write(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def environ_of(scope: Scope, body: Any) -> dict[str, Any]:
    """What PEP 3333 calls the environment: text that stands for bytes, each character one."""
    root = scope.get("root_path", "")
    server = scope.get("server") or ("localhost", 80)
    length = body.tell()
    body.seek(0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root.encode().decode("latin-1"),
        "PATH_INFO": scope["path"].removeprefix(root).encode().decode("latin-1"),
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.get("client"):
        environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = scope["client"][0]
        environ["REMOTE_PORT"] = str(scope["client"][1])
    for raw_name, raw_value in scope.get("headers", ()):
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        if name not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            name = f"HTTP_{name}"
        if name in environ:
            value = environ[name] + ("; " if name == "HTTP_COOKIE" else ",") + value
        environ[name] = value
    # What was received counts: a body sent in chunks announces no length. A greater one than that is of a body that
    # was too large to be taken in (booktime/serving/request_limits.py).
    announced = environ.get("CONTENT_LENGTH", "")
    environ["CONTENT_LENGTH"] = announced if announced.isdecimal() and int(announced[:18]) > length else str(length)
    return environ


class CutOnFailure:
    """An ASGI application whose failure in the middle of a response cuts the connection, which tells the client so.

    daphne would try to send an error page into the response, fail at that, and never clean up after any connection
    again.
    """

    def __init__(self, application: ASGIApplication) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        # Through which daphne's own request is found (`cut`, booktime/serving/streaming.py).
        noting_send.args = getattr(send, "args", ())  # type: ignore[attr-defined]
        try:
            await self.application(scope, receive, noting_send)
        except Exception:
            if not started:
                raise
            logger.exception("Failed while sending %s", scope["path"])
            cut(send)


def cut(send: Send) -> None:
    """Close the connection behind `send` at once. ASGI has no word for it, so this asks daphne's own request."""
    request = getattr(send, "args", (None,))[0]
    channel = getattr(request, "channel", None)
    if channel is not None:
        channel.forceAbortClient()
