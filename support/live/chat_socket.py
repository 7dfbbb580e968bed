"""The chat's socket: transport alone. What may be said, and what is said, stands in the models."""

import asyncio
import json
import logging
import time
from typing import Any
from uuid import uuid4

from channels.generic.websocket import AsyncWebsocketConsumer
from django.core.exceptions import ValidationError
from django.db import Error as DatabaseError

from shop.models import User
from support.live.backpressure import has_left, is_backed_up, refuse_for_now
from support.live.conversation import say, see
from support.live.hub import Hub, heard_lately
from support.live.presence import Connection, TooManySockets, present_in
from support.live.rooms import PAGE, TOO_MANY, TOO_SLOW, TRY_AGAIN, messages_after
from support.live.socket_admission import Admission, admit, note_agent
from support.live.thread_pool import in_thread
from support.models import Chat, ChatMessage, TooManyMessages

logger = logging.getLogger(__name__)

PATIENCE_IN_REPLAY = 10  # seconds


class Refusal(Exception):
    """What a client did wrong, as it is told."""

    def __init__(self, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.frame = {"type": "error", "code": code, "detail": detail, **more}


class ChatConsumer(AsyncWebsocketConsumer):
    # The hub listens for all sockets of the process: none needs a channel of its own.
    channel_layer_alias: Any = None

    hub: Hub | None = None
    admission: Admission
    connection: Connection
    username: str
    heard_at = 0.0
    last_id = 0
    is_live = False
    stalled_since = 0.0

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels does, without its visit to a thread for every frame: `in_thread` minds the connections."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    # --- Coming and going

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:  # however it ended
            if self.hub is not None:
                await self.hub.leave(self)

    async def connect(self) -> None:
        try:
            await self.join()
        except DatabaseError as error:
            logger.warning("Chat at %s not opened: %r", self.scope["path"], error)
            if not refuse_for_now(self.base_send):
                await self.close(code=TRY_AGAIN)

    async def join(self) -> None:
        admission = await in_thread(admit, self.scope)
        if admission is None:
            await self.close()
            return
        self.admission, self.username = admission, str(admission.user)
        self.last_id = admission.newest if admission.since is None else admission.since
        self.heard_at, self.hub = time.time(), Hub.here()
        self.connection = Connection(admission.order.pk, admission.user.pk, self.hub.server, uuid4().hex)
        # Present before the client learns that it is connected, and live at once where it missed less than a page.
        try:
            is_first = await self.hub.enter(self)
        except TooManySockets:
            await self.turn_away()
            return
        if admission.is_new_agent:
            await in_thread(note_agent, admission)
        missed = await self.missed()
        await self.accept()
        if await self.replay(missed):
            self.is_live = True
            self.hub.tell(
                self.connection.order_id, {"type": "chat_join", "username": self.username} if is_first else None
            )

    async def turn_away(self) -> None:
        """Only who was let in sees the code that a socket is closed with."""
        self.hub = None
        await self.accept()
        await self.close(code=TOO_MANY)

    async def missed(self) -> list[tuple[int, str]]:
        return await in_thread(messages_after, self.admission.order.pk, self.last_id)

    async def replay(self, page: list[tuple[int, str]]) -> bool:
        """Send what came after the client's last message, of which this is a page, as fast as the client takes it.

        False where it takes nothing any longer, or has left.
        """
        while True:
            for self.last_id, text in page:
                await self.push(text)
                drained = not self.is_stalled() or await self.drained()
                if has_left(self.base_send):
                    return False
                if not drained:
                    await self.dismiss(TOO_SLOW)
                    return False
            if len(page) < PAGE:
                return True
            # What the client says waits until it has read, and who reads is here.
            self.heard_at = time.time()
            page = await self.missed()

    async def drained(self) -> bool:
        until = time.monotonic() + PATIENCE_IN_REPLAY
        while self.is_stalled() and not has_left(self.base_send) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        return not self.is_stalled()

    # --- What the hub does with a socket

    def is_stalled(self) -> bool:
        return is_backed_up(self.base_send)

    def takes_more(self) -> bool:
        return self.is_live and not self.is_stalled()

    async def push(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})

    async def dismiss(self, code: int) -> None:
        await self.close(code=code)

    # --- What a client says

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.hub is None:  # turned away
            return
        try:
            content = self.parse(text_data)
            handler = self.HANDLERS.get(content["type"]) if isinstance(content.get("type"), str) else None
            if handler is None:
                raise Refusal("unknown_type", f"Known types are {', '.join(self.HANDLERS)}.")
            self.hear()
            await handler(self, content)
        except Refusal as refusal:
            await self.push(json.dumps(refusal.frame))
        except DatabaseError as error:
            logger.warning("Chat about order %s: %r", self.admission.order.pk, error)
            refused = Refusal("unavailable", "Try again in a moment.", client_id=content.get("client_id"))
            await self.push(json.dumps(refused.frame))

    def parse(self, text: str | None) -> dict[str, Any]:
        try:
            content = json.loads(text or "")
        except (ValueError, RecursionError):
            raise Refusal("not_json", "Every frame is a JSON object.") from None
        if not isinstance(content, dict):
            raise Refusal("not_json", "Every frame is a JSON object.")
        return content

    def hear(self) -> None:
        was_present, self.heard_at = heard_lately(self.heard_at), time.time()
        if not was_present and self.hub is not None:
            self.hub.beat_now.set()

    async def on_message(self, content: dict[str, Any]) -> None:
        admission, client_id = self.admission, content.get("client_id")
        try:
            message, created = await in_thread(
                say, admission.order, admission.user, content.get("message"), client_id, site=admission.site
            )
        except TooManyMessages as error:
            code, detail = error.code or "rate_limit", str(error.message)
            raise Refusal(code, detail, client_id=client_id, retry_after=error.retry_after) from None
        except ValidationError as error:
            raise Refusal(error.code or "invalid", str(error.message), client_id=client_id) from None
        if not created:
            await self.show_again(message)

    async def show_again(self, message: ChatMessage) -> None:
        """What is sent again was not acknowledged. It still comes by itself, unless it was said before this socket."""
        if self.admission.since is None and message.pk <= self.admission.newest:
            await self.push(json.dumps({"type": "chat_message", **message.as_json()}))
        self.wake()

    async def on_heartbeat(self, content: dict[str, Any]) -> None:
        self.wake()

    async def on_typing(self, content: dict[str, Any]) -> None:
        if self.hub is not None:
            frame = {"type": "chat_typing", "username": self.username}
            self.hub.tell(self.connection.order_id, frame, self.connection.user_id)

    async def on_seen(self, content: dict[str, Any]) -> None:
        message_id = content.get("id")
        if not isinstance(message_id, int) or isinstance(message_id, bool) or not 0 <= message_id < 2**63:
            raise Refusal("invalid", "The id is that of a message.")
        await in_thread(see, self.admission.order, self.admission.user, message_id)

    async def on_state(self, content: dict[str, Any]) -> None:
        """Who else is there, and what they have seen: asked for after a client was away."""
        await self.push(json.dumps(await in_thread(state_of, self.admission)))

    def wake(self) -> None:
        if self.hub is not None and (room := self.hub.rooms.get(self.connection.order_id)):
            room.wake()

    HANDLERS = {
        "message": on_message,
        "heartbeat": on_heartbeat,
        "typing": on_typing,
        "seen": on_seen,
        "state": on_state,
    }


def state_of(admission: Admission) -> dict[str, Any]:
    """{"type": "chat_state", "present": names of the others, "seen": the newest message that the other side saw}."""
    order, user = admission.order, admission.user
    chat = Chat.objects.of(order)
    seen = chat.office_seen if user.pk == order.user_id else chat.shopper_seen
    others = User.objects.filter(pk__in=present_in(order.pk)).exclude(pk=user.pk)
    return {"type": "chat_state", "present": [str(other) for other in others], "seen": seen}
