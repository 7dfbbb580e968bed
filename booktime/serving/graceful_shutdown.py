"""A daphne that ends without losing what it was given, so that a restart behind a proxy is not noticed.

Asked to stop (SIGTERM), daphne cuts every connection. This one takes in nobody new, finishes the pages under way, tells
sockets to come back elsewhere (1012) and ends event streams, whose browsers come back by themselves. Then it ends; what
takes longer than `PATIENCE` is cut.
"""

import asyncio
import ctypes
import logging
import select
import socket
import struct
import time
from contextlib import suppress
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor, tcp
from twisted.internet.defer import Deferred

logger = logging.getLogger(__name__)

PATIENCE = 20  # seconds; platforms kill after 30
# A connection without a request may be about to bring one, an event stream about to send its first event.
FRESH = 0.5
SERVICE_RESTART = 1012
LOOK_EVERY = 0.02

# What Twisted calls its event loop; its stubs do not know all that the running one offers.
loop: Any = reactor

SO_ATTACH_FILTER = 26
# A program of the kernel's packet filter, as (code, if true, if false, value): drop what has the SYN flag.
LOAD_FLAGS, IS_SYN, DROP, KEEP = (0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF)
NOBODY_NEW = b"".join(struct.pack("HBBI", *step) for step in (LOAD_FLAGS, IS_SYN, DROP, KEEP))


def install() -> None:
    """Let `daphne` run this server; called while it loads the application."""
    CommandLineInterface.server_class = DrainingServer


class DrainingServer(Server):
    def kill_all_applications(self) -> Deferred[None]:
        """What daphne calls before it ends; it ends once the Deferred has fired."""
        return Deferred.fromFuture(asyncio.ensure_future(self.drain()))

    async def drain(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await turn_newcomers_away()
                await self.finish_what_is_here()
        except TimeoutError:
            logger.warning("Stopping: some requests were not finished within %s s", PATIENCE)
        except Exception:
            logger.exception("Stopping: requests under way are lost")
        await self.cut_the_rest()

    async def finish_what_is_here(self) -> None:
        idle_since: dict[Any, float] = {}
        while True:
            under_way = [protocol for protocol, state in self.connections.items() if "disconnected" not in state]
            for protocol in under_way:
                send_away(protocol)
            idle = accepted_connections() - {protocol.transport for protocol in under_way}
            if not under_way and not idle and not self.unfinished():
                return
            now = time.monotonic()
            idle_since = {connection: idle_since.get(connection, now) for connection in idle}
            for connection, since in idle_since.items():
                if now - since >= FRESH:
                    connection.loseConnection()
            await asyncio.sleep(LOOK_EVERY)

    def unfinished(self) -> list[asyncio.Future[None]]:
        """Applications that still run, be it after their client has left."""
        running = (state.get("application_instance") for state in self.connections.values())
        return [application for application in running if application and not application.done()]

    async def cut_the_rest(self) -> None:
        if rest := self.unfinished():
            for application in rest:
                application.cancel()
            await asyncio.wait(rest, timeout=5)


async def turn_newcomers_away() -> None:
    """Stop listening, after all who got a connection were taken in.

    Whoever stands in the kernel's queue when the port is closed has perhaps sent the request already, and is cut; a
    proxy must not send a POST a second time. So first the queue is closed: new attempts go unanswered, and are refused
    when they are repeated a second later, by when the port is closed. Then it is emptied.
    """
    ports = [known for known in loop.getReaders() if isinstance(known, tcp.Port)]
    for port in ports:
        program = ctypes.create_string_buffer(NOBODY_NEW)
        with suppress(OSError):  # another kind of socket, another system
            attached = struct.pack("HL", len(NOBODY_NEW) // 8, ctypes.addressof(program))
            port.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, attached)
    # For those in the middle of shaking hands.
    await asyncio.sleep(0.1)
    for port in ports:
        while select.select([port.socket], [], [], 0)[0]:
            await asyncio.sleep(LOOK_EVERY)
        port.stopListening()


def accepted_connections() -> set[Any]:
    """Connections from which something may come or to which something is still sent; listening ports are none."""
    # Those that are neither are paused while their request is served.
    return {known for known in [*loop.getReaders(), *loop.getWriters()] if isinstance(known, tcp.Server)}


def send_away(protocol: Any) -> None:
    """End what would not end by itself: a socket, an event stream."""
    if isinstance(protocol, WebSocketProtocol):
        # One that is not open yet would be refused.
        if protocol.state == WebSocketProtocol.STATE_OPEN:
            # Not `serverClose`: of the standard codes that lets no other pass than 1000.
            protocol.sendCloseFrame(SERVICE_RESTART)
    elif is_event_stream(protocol) and protocol.duration() > FRESH:
        protocol.finish()


def is_event_stream(request: Any) -> bool:
    kinds = request.responseHeaders.getRawHeaders(b"content-type", [])
    return any(kind.startswith(b"text/event-stream") for kind in kinds)
