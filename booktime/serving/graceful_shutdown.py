"""A daphne that ends without losing what it was given, so that a restart behind a proxy is not noticed.

Asked to stop (SIGTERM), daphne cuts every connection. This one takes in nobody new, finishes the pages under way, tells
sockets to come back elsewhere (1012) and ends event streams, whose browsers come back by themselves. Then it ends; what
takes longer than `PATIENCE` is cut.
"""

import asyncio
import logging
import time
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
# More than wait in one.
QUEUE = 4096

# What Twisted calls its event loop; its stubs do not know all that the running one offers.
loop: Any = reactor


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
                take_in_nobody_new()
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


def take_in_nobody_new() -> None:
    """Stop listening, once all who stand in the queue were taken in.

    A socket that systemd holds stays open: who comes now is taken in by the process beside this one, or waits for the
    next. A port of the process's own is closed, and who comes in the few milliseconds before that is cut.
    """
    for port in [known for known in loop.getReaders() if isinstance(known, tcp.Port)]:
        port.numberAccepts = QUEUE
        port.doRead()
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
