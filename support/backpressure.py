"""Whether a reader keeps up. ASGI has no word for it, so this asks the server's own transport."""

from typing import Any


def is_backed_up(send: Any) -> bool:
    """Whether more is waiting for this client than its connection takes (64 KB in Daphne).

    `send` is what the server gave the application: Daphne binds its protocol to it. Any other server: False.
    """
    protocol = next(iter(getattr(send, "args", ())), None)
    transport = getattr(protocol, "transport", None)
    return bool(getattr(transport, "producerPaused", False))
