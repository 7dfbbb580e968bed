"""What ASGI has no word for, and so is asked of the server's own protocol: `send` is what it gave the application.

Daphne binds its protocol to it; with any other server the answer is False.
"""

from typing import Any

from autobahn.websocket.types import ConnectionDeny


def is_backed_up(send: Any) -> bool:
    """Whether more is waiting for this client than its connection takes (64 KB)."""
    transport = getattr(protocol_of(send), "transport", None)
    return bool(getattr(transport, "producerPaused", False))


def has_left(send: Any) -> bool:
    """Whether the client's connection is closed or about to be: what it is sent then goes nowhere."""
    protocol = protocol_of(send)
    return protocol is not None and protocol.state in (protocol.STATE_CLOSING, protocol.STATE_CLOSED)


def refuse_for_now(send: Any) -> bool:
    """Answer a handshake with 503, which says that trying again helps: ASGI's own refusal is 403. Whether it did."""
    protocol = protocol_of(send)
    handshake = getattr(protocol, "handshake_deferred", None)
    if protocol is None or handshake is None:
        return False
    # As Daphne's serverReject().
    handshake.errback(ConnectionDeny(503, "Try again in a moment"))
    del protocol.handshake_deferred
    protocol.server.protocol_disconnected(protocol)
    return True


def protocol_of(send: Any) -> Any:
    return next(iter(getattr(send, "args", ())), None)
