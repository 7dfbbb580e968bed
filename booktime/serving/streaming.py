"""Responses that are sent piece by piece: files and exports, to readers of whatever pace.

daphne takes what it is given at once, and keeps in memory what a client has not read. So nothing more is handed on here
until its buffer was emptied, and a reader who takes too little is cut off. No thread for pages waits for one: files are
read a piece at a time, by threads of their own, and so is made what is made while it is sent (exports).
"""

import asyncio
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from django.db import connections

Message = Mapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

logger = logging.getLogger(__name__)

# What is read of a file at once; daphne's buffer counts as full from as much on. A smaller file is sent like a page.
PIECE = 65_536
# Seconds in which a reader has to take something, and the pace on the whole, after as long, in bytes a second: of the
# time that we waited for the reader, as what is sent may also take long to make.
PATIENCE = 60
SLOWEST = 4_096
# How many may be under way in a process and for one address, each with an open file, and how many exports are made at
# once.
MOST_STREAMS = 500
MOST_OF_AN_ADDRESS = 100
EXPORTS = 3

_files = ThreadPoolExecutor(2, thread_name_prefix="file")
_exports = ThreadPoolExecutor(EXPORTS, thread_name_prefix="export")
_under_way: Counter[str] = Counter()


class ReaderTooSlow(Exception):
    """The client takes nothing, or next to nothing."""


class Outflow:
    """Whether a client reads on. To Twisted a "push producer", paused while the buffer is full."""

    def __init__(self, send: Send, departed: threading.Event) -> None:
        self.send, self.departed = send, departed
        self.flows = asyncio.Event()
        self.waited, self.sent = 0.0, 0
        # ASGI has no word for it, so this asks daphne's own request; under another server it always flows.
        self.request = getattr(send, "args", (None,))[0]
        channel = getattr(self.request, "channel", None)
        if channel is None:
            self.request = None
        # What is left of the answer before may still fill it.
        if not getattr(channel, "_waitingForTransport", False):
            self.flows.set()
        if self.request is not None:
            self.request.registerProducer(self, True)

    def pauseProducing(self) -> None:
        self.flows.clear()

    def resumeProducing(self) -> None:
        self.flows.set()

    def stopProducing(self) -> None:
        self.departed.set()
        self.flows.set()

    async def put(self, piece: bytes) -> bool:
        """Send a piece, and wait until there is room for another; whether the client is still there.

        Raises ReaderTooSlow.
        """
        if self.departed.is_set():
            return False
        await self.send({"type": "http.response.body", "body": piece, "more_body": True})
        self.sent += len(piece)
        began = time.monotonic()
        try:
            async with asyncio.timeout(max(0, min(PATIENCE, PATIENCE + self.sent / SLOWEST - self.waited))):
                await self.flows.wait()
        except TimeoutError as error:
            raise ReaderTooSlow from error
        finally:
            self.waited += time.monotonic() - began
        return not self.departed.is_set()

    def end(self) -> None:
        """Pause and resume nobody any more."""
        if self.request is not None and self.request.producer is self and self.request.channel is not None:
            self.request.unregisterProducer()

    def cut(self) -> None:
        """Close the connection, with all that waits for the reader."""
        if self.request is not None and self.request.channel is not None:
            self.request.channel.forceAbortClient()


def is_whole(response: Any) -> bool:
    """Whether a response is sent like a page, at once: it is one, or a small file."""
    if not getattr(response, "streaming", True):
        return True
    length = str(response.headers.get("Content-Length", "")) if hasattr(response, "headers") else ""
    return bool(getattr(response, "file_to_stream", None)) and length.isdecimal() and int(length) <= PIECE


async def send_stream(
    response: Any, start: Message, send: Send, departed: threading.Event, *, address: str, head: bool
) -> None:
    """Send a streaming response, which begins with `start`, to `address`, and close it; for a `head` the beginning."""
    if _under_way.total() >= MOST_STREAMS or _under_way[address] >= MOST_OF_AN_ADDRESS:
        await refuse(send, "Too many files are being sent. Try again in a few seconds.", seconds=10)
        await in_background(close, response)
        return
    _under_way[address] += 1
    outflow = Outflow(send, departed)
    try:
        await send(start)
        if head:
            await in_background(close, response)
        elif getattr(response, "file_to_stream", None):
            await send_file(response, outflow)
        else:
            await send_export(response, outflow)
        outflow.end()
        if not departed.is_set():
            await send({"type": "http.response.body", "body": b""})
    except ReaderTooSlow:
        logger.warning("Cut off a reader who took %s bytes in %d s", outflow.sent, outflow.waited)
        outflow.cut()
    finally:
        _under_way[address] -= 1
        if not _under_way[address]:
            del _under_way[address]
        # Whoever makes the rest stops.
        departed.set()
        outflow.end()


async def in_background(work: Callable[..., Any], *arguments: Any) -> Any:
    # Shielded: a thread cannot be cancelled.
    return await asyncio.shield(asyncio.get_running_loop().run_in_executor(_files, work, *arguments))


async def send_file(response: Any, outflow: Outflow) -> None:
    try:
        while piece := await in_background(response.file_to_stream.read, PIECE):
            if not await outflow.put(piece):
                return
    finally:
        await in_background(close, response)


async def send_export(response: Any, outflow: Outflow) -> None:
    loop = asyncio.get_running_loop()

    def make() -> None:
        try:
            if outflow.departed.is_set():
                return
            for piece in response:
                sent = asyncio.run_coroutine_threadsafe(outflow.put(piece), loop)
                if not wait_for(sent, outflow.departed):
                    return
        finally:
            close(response)

    # Shielded: a thread cannot be cancelled, only told that the client is gone.
    await asyncio.shield(loop.run_in_executor(_exports, make))


def wait_for(sent: Any, departed: threading.Event) -> bool:
    while True:
        try:
            return bool(sent.result(timeout=1))
        except TimeoutError:
            # A loop that was stopped meanwhile never sends it.
            if departed.is_set() and not sent.done():
                return False


def close(response: Any) -> None:
    """Close it, and the database connection that this thread may have got for it: the next one has its own."""
    try:
        with suppress(AttributeError):
            response.close()
    finally:
        connections.close_all()


async def refuse(send: Send, sentence: str, *, seconds: int, as_json: bool = False) -> None:
    """503 in a sentence, to be asked again after so many `seconds`; by hand, as a page costs what is to be saved."""
    headers = [
        (b"content-type", b"application/json" if as_json else b"text/plain; charset=utf-8"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'"),
        (b"cache-control", b"no-store"),
        (b"retry-after", b"%d" % seconds),
    ]
    body = json.dumps({"detail": sentence}) if as_json else f"{sentence}\n"
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
