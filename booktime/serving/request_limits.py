"""What is taken in from the network: bodies up to a limit, and no header that only a proxy of ours may send.

daphne has the whole body of a request, however large, in its memory or on the disk before the site is asked. So the
limit is kept where bodies arrive; `BodyLimit` then answers. Under another server it answers by the announced length.

Pictures are larger. Where a form takes them, and more is announced than others may send, the sender has to wait until
a thread has looked whether the session is of somebody who may; until then next to nothing of the body is here.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from daphne import http_protocol
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.http import HttpRequest, HttpResponse

from shop.values.ip_networks import network_of
from shop.web.error_pages import too_large

# So much more than it may send, a client sends before it is cut off; until then it gets to read the answer.
PATIENCE = 20
# Senders who wait for leave at once; beyond that they are treated like everybody else.
MOST_ASKING = 20


def takes_pictures(path: str) -> bool:
    return settings.UPLOAD_PATHS.fullmatch(path) is not None


def may_send_pictures(session_key: str) -> bool:
    """Whether a session is of somebody who works here."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return user.is_active and getattr(user, "is_staff", False)


class BodyLimit:
    """Middleware that answers 413 to what is too large, before anything of it is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        length = int(announced[:18]) if announced.isdecimal() else 0
        if length > settings.REQUEST_MAX_BYTES and length > self.limit_of(request):
            return too_large(request, of_pictures=takes_pictures(request.path))
        return self.get_response(request)

    def limit_of(self, request: HttpRequest) -> int:
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        staff = takes_pictures(request.path) and key and may_send_pictures(key)
        return settings.UPLOAD_MAX_BYTES if staff else settings.REQUEST_MAX_BYTES


class Unfinished:
    """How much this process holds of bodies that have not arrived whole, by the address they come from."""

    def __init__(self) -> None:
        self.total = 0
        self.by_address: Counter[str] = Counter()

    def take(self, address: str, size: int, trusted: bool) -> bool:
        """Count so many bytes more, if there is room for them."""
        own = 0 if trusted else self.by_address[address] + size
        if own > settings.UNFINISHED_MAX_BYTES_OF_AN_ADDRESS or self.total + size > settings.UNFINISHED_MAX_BYTES:
            return False
        self.by_address[address] += size
        self.total += size
        return True

    def release(self, address: str, size: int) -> None:
        self.total -= size
        self.by_address[address] -= size
        if not self.by_address[address]:
            del self.by_address[address]


unfinished = Unfinished()
# Of its own, as the threads for pages may all be busy, and the one that takes bodies in must not wait.
_doorman = ThreadPoolExecutor(1, thread_name_prefix="pictures")
_asking = 0


def ask_doorman(session_key: str) -> bool:
    try:
        return may_send_pictures(session_key)
    finally:
        # It is asked seldom: no connection is kept for that.
        connections.close_all()


class LimitedRequest(http_protocol.WebRequest):
    """daphne's request, as this site takes it."""

    content: Any
    received = 0
    limit = 0
    held = 0
    undecided = False
    trusted = False
    address = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Twisted would read forms too, in the one thread that everybody waits for (2.5 MB of "a&" took 1.7 s), and
        # daphne has no use for what it reads.
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)

    def gotLength(self, length: int | None) -> None:
        self.limit = settings.REQUEST_MAX_BYTES
        self.address = self.sender()
        super().gotLength(min(length, settings.UPLOAD_MAX_BYTES) if length is not None else None)
        large = length is None or length > self.limit
        key = self.received_cookies.get(settings.SESSION_COOKIE_NAME.encode(), b"").decode("latin-1")
        if large and key and takes_pictures(unquote(self.channel._path.partition(b"?")[0].decode("latin-1"))):
            self.ask_for_more(key)

    def ask_for_more(self, session_key: str) -> None:
        global _asking
        if _asking >= MOST_ASKING:
            return
        _asking += 1
        self.undecided = True
        self.channel._networkProducer.pauseProducing()
        asked = asyncio.get_running_loop().run_in_executor(_doorman, ask_doorman, session_key)
        asked.add_done_callback(self.decide)

    def decide(self, asked: asyncio.Future[bool]) -> None:
        global _asking
        _asking -= 1
        self.undecided = False
        if not asked.cancelled() and not asked.exception() and asked.result():
            self.limit, self.trusted = settings.UPLOAD_MAX_BYTES, True
        if self.channel is not None:
            self.channel._networkProducer.resumeProducing()

    def sender(self) -> str:
        """The network that a body comes from, as the proxy in front says if there is one."""
        behind_proxy = self.channel.factory.server.proxy_forwarded_address_header
        if behind_proxy and (forwarded := self.requestHeaders.getRawHeaders(b"x-forwarded-for")):
            address = forwarded[-1].rpartition(b",")[2].strip().decode("latin-1")
        else:
            address = str(getattr(self.channel.getPeer(), "host", ""))
        try:
            return network_of(address)
        except ValueError:  # a Unix socket has none
            return address

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.undecided:
            # Once more: what is left of an answer to the request before may have set it going again.
            self.channel._networkProducer.pauseProducing()
        if self.received > PATIENCE * max(self.limit, settings.REQUEST_MAX_BYTES):
            self.channel.forceAbortClient()
        elif self.received <= self.limit:
            if unfinished.take(self.address, len(data), self.trusted):
                self.held += len(data)
                super().handleContentChunk(data)
            else:
                self.drop()

    def drop(self) -> None:
        """Keep nothing of this body, neither what is here nor what comes."""
        self.limit = -1
        self.content.close()
        self.content = BytesIO()
        self.release()

    def release(self) -> None:
        if self.held:
            unfinished.release(self.address, self.held)
            self.held = 0

    def connectionLost(self, reason: Any) -> None:
        self.release()
        super().connectionLost(reason)

    def process(self) -> Any:
        self.release()
        if self.received > self.limit:
            self.drop()
            # One sent in chunks announced nothing; and none of it is left, whoever sent it.
            self.requestHeaders.setRawHeaders(b"content-length", [b"%d" % (settings.UPLOAD_MAX_BYTES + 1)])
        # The header would move the site to another path, in every link, also in those of mails.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        # A client may claim addresses of its own; the last one is by the proxy in front.
        if forwarded := self.requestHeaders.getRawHeaders(b"x-forwarded-for"):
            self.requestHeaders.setRawHeaders(b"x-forwarded-for", [forwarded[-1].rpartition(b",")[2].strip()])
        return super().process()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """What daphne refuses before the site is asked: in words, without a page and its own style."""
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": f"{body}\n".encode()})


def limit_requests() -> None:
    """Make daphne's requests `LimitedRequest`s."""
    http_protocol.WebRequest = LimitedRequest
