"""What is taken in from the network: bodies up to a limit, and no header that only a proxy of ours may send.

daphne has the whole body of a request, however large, in its memory or on the disk before the site is asked. So the
limit is kept where bodies arrive; `BodyLimit` then answers. Under another server it answers by the announced length.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from daphne import http_protocol
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from shop.views.errors import too_large

# So much more than it may send, a client sends before it is cut off; until then it gets to read the answer.
PATIENCE = 20


def limit_of(path: str) -> int:
    """How many bytes the body of a request to `path` may have."""
    uploads = path.startswith(settings.UPLOAD_PATHS)
    return settings.UPLOAD_MAX_BYTES if uploads else settings.REQUEST_MAX_BYTES


class BodyLimit:
    """Middleware that answers 413 to what is too large, before anything of it is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if announced.isdecimal() and int(announced[:18]) > limit_of(request.path):
            return too_large(request)
        return self.get_response(request)


class CarefulRequest(http_protocol.WebRequest):
    """daphne's request, as this site takes it."""

    content: Any
    received = 0
    limit = 0

    def gotLength(self, length: int | None) -> None:
        self.limit = limit_of(self.channel._path.decode("latin-1"))
        super().gotLength(min(length, self.limit) if length is not None else None)

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.received <= self.limit:
            super().handleContentChunk(data)
        elif self.received > PATIENCE * self.limit:
            self.channel.forceAbortClient()

    def process(self) -> Any:
        if self.received > self.limit:
            self.content.close()
            self.content = BytesIO()
            # One sent in chunks announced nothing.
            self.requestHeaders.setRawHeaders(b"content-length", [b"%d" % self.received])
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


def take_over_requests() -> None:
    """Make daphne's requests `CarefulRequest`s."""
    http_protocol.WebRequest = CarefulRequest
