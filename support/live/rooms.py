"""The sockets of one process in one chat."""

import asyncio
import json
import logging
import time
from typing import Any, Protocol

from support.live.presence import Connection
from support.live.socket_admission import Admission, Credential
from support.live.thread_pool import in_thread
from support.models import ChatMessage

logger = logging.getLogger(__name__)

Frame = dict[str, Any]

# As many messages of a chat are in memory at once, whoever reads how much of it.
PAGE = ChatMessage.A_PAGE
# A reader that takes nothing for so many seconds is dropped; it is sent nothing more meanwhile.
PATIENCE = 5
# What a socket is closed with, in the range that the protocol leaves to applications.
SIGNED_OUT, TOO_SLOW, TOO_MANY = 4401, 4408, 4429
# The protocol's own word for a server in trouble.
TRY_AGAIN = 1013


def messages_after(order_id: int, message_id: int) -> list[tuple[int, str]]:
    """At most a page of what was said after a message: its id, and the frame as it is sent."""
    messages = ChatMessage.objects.filter(order_id=order_id).after(message_id)[:PAGE]
    return [(message.pk, json.dumps({"type": "chat_message", **message.as_json()})) for message in messages]


class Member(Protocol):
    """A socket in a chat."""

    admission: Admission
    connection: Connection
    username: str
    heard_at: float
    last_id: int
    is_live: bool
    stalled_since: float

    def is_stalled(self) -> bool: ...
    def takes_more(self) -> bool: ...
    async def push(self, text: str) -> None: ...
    async def dismiss(self, code: int) -> None: ...


class Room:
    def __init__(self, order_id: int) -> None:
        self.order_id = order_id
        self.members: set[Member] = set()
        # The newest message that a member was sent.
        self.last_id = 0
        self.frames: list[tuple[Frame, int | None]] = []
        self.woken = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def enter(self, member: Member) -> None:
        self.members.add(member)
        self.last_id = max(self.last_id, member.last_id)
        if self.task is None:
            self.task = asyncio.get_running_loop().create_task(self.work())

    def leave(self, member: Member) -> None:
        self.members.discard(member)

    def close(self) -> None:
        if self.task is not None:
            self.task.cancel()
            self.task = None

    def wake(self, frame: Frame | None = None, besides: int | None = None) -> None:
        """There may be new messages; a frame is shown after those that are there already."""
        if frame is not None:
            self.frames.append((frame, besides))
        self.woken.set()

    async def work(self) -> None:
        while True:
            await self.woken.wait()
            self.woken.clear()
            frames, self.frames = self.frames, []
            try:
                await self.show_messages()
            except Exception as error:  # the database is away: the pulse wakes this room again
                logger.warning("Chat about order %s not read, trying again: %r", self.order_id, error)
            for frame, besides in frames:
                await self.show(json.dumps(frame), besides)

    async def show_messages(self) -> None:
        """Send each member what came after the last message it was sent, in order."""
        while readers := [member for member in self.members if member.takes_more()]:
            start = min(member.last_id for member in readers)
            page = await in_thread(messages_after, self.order_id, start)
            for message_id, text in page:
                for member in readers:
                    if message_id > member.last_id and member.takes_more():
                        member.last_id = message_id
                        await member.push(text)
            if page:
                self.last_id = max(self.last_id, page[-1][0])
            if len(page) < PAGE:
                return

    async def show(self, text: str, besides: int | None) -> None:
        for member in list(self.members):
            if member.connection.user_id != besides and member.takes_more():
                await member.push(text)

    async def drop_stalled(self) -> None:
        """Close sockets whose reader takes nothing; wake up for those that take again."""
        now = time.monotonic()
        for member in list(self.members):
            if member.is_live and member.is_stalled():
                member.stalled_since = member.stalled_since or now
                if now - member.stalled_since > PATIENCE:
                    await member.dismiss(TOO_SLOW)
            elif member.stalled_since:
                member.stalled_since = 0.0
                self.wake()

    async def dismiss(self, gone: set[Credential]) -> None:
        for member in list(self.members):
            if member.admission.credential in gone:
                await member.dismiss(SIGNED_OUT)
