"""What one process knows of the chats: its open sockets, and what it hears from the other processes.

The database holds the truth. The channel layer only wakes: "something happened in the chat of order 7". Each room then
reads what came after the last message its sockets were sent, once for all of them. A wake-up that got lost costs a
second, since every room is also looked at each time the pulse beats.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, ClassVar, Protocol
from uuid import uuid4

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db.models import OuterRef, Subquery

from shop.models import Order, User
from support.live.presence import SILENCE, TooManySockets, presence
from support.live.rooms import Frame, Member, Room
from support.live.socket_admission import Credential, revoked
from support.live.thread_pool import in_presence_thread, in_thread
from support.models import ChatMessage

logger = logging.getLogger(__name__)

GROUP = "booktime.chats"
PULSE = 1.0
# Seconds: a Redis that hangs must not let all that it was to be told pile up here.
REDIS_PATIENCE = 2.0
# Under this name others know this process, and it knows its own words when it hears them.
PROCESS = uuid4().hex[:12]
# One person's, in all processes together.
MOST_SOCKETS = 20
# How many beats of the pulse lie between two looks at everybody's credentials.
AUDIT_EVERY = 2


class Watcher(Protocol):
    """Something beside the rooms that wants to know when a chat changes, such as the agents' list of chats."""

    def wake(self) -> None: ...
    def credentials(self) -> set[Credential]: ...
    def dismiss(self, credentials: set[Credential]) -> None: ...


class Hub:
    """One for each event loop, which is one for each process; it works while somebody is connected."""

    _hubs: ClassVar[dict[asyncio.AbstractEventLoop, "Hub"]] = {}

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.server = PROCESS
        self.rooms: dict[int, Room] = {}
        self.watchers: set[Watcher] = set()
        self.workers: list[asyncio.Task[None]] = []
        # The loop itself keeps no strong reference to a task.
        self.tasks: set[asyncio.Task[None]] = set()
        self.beating = asyncio.Lock()
        self.entering = asyncio.Lock()
        self.at_the_door = 0
        self.beat_now = asyncio.Event()
        self.tried_to_listen = asyncio.Event()

    @classmethod
    def here(cls) -> "Hub":
        loop = asyncio.get_running_loop()
        if loop not in cls._hubs:
            cls._hubs[loop] = cls(loop)
        return cls._hubs[loop]

    @classmethod
    def running(cls) -> list["Hub"]:
        return [hub for hub in list(cls._hubs.values()) if hub.loop.is_running()]

    # --- Working while somebody is connected

    def wake_up(self) -> None:
        if not self.workers:
            self.workers = [self.loop.create_task(self.supervise(work)) for work in (self.listen, self.pulse)]

    def rest(self) -> None:
        if not self.rooms and not self.watchers and not self.at_the_door:
            for worker in self.workers:
                worker.cancel()
            self.workers = []
            self._hubs.pop(self.loop, None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def supervise(self, work: Any) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # a service that is away comes back: try again until it does
                logger.warning("Chat: %s failed, trying again: %r", work.__name__, error)
            await asyncio.sleep(PULSE)

    # --- Hearing and telling

    async def listen(self) -> None:
        layer = get_channel_layer()
        try:
            async with asyncio.timeout(REDIS_PATIENCE):
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
        finally:
            self.tried_to_listen.set()
        self.wake_all()
        try:
            while True:
                event = await layer.receive(channel)
                if event["server"] != self.server:
                    self.take(event)
        finally:
            with suppress(Exception):
                await layer.group_discard(GROUP, channel)

    def tell(self, order_id: int, frame: Frame | None = None, besides: int | None = None) -> None:
        """Wake this process and all others: see `tell` below."""
        event = {"type": "chat.told", "server": self.server, "order": order_id, "frame": frame, "besides": besides}
        self.take(event)
        self.spawn(self.publish(event))

    async def publish(self, event: dict[str, Any]) -> None:
        for _ in range(2):  # the first try after Redis was restarted fails on the old connection
            try:
                await tell_all(event)
            except TimeoutError:
                return  # what hangs is not asked twice, and what it was to be told is old news
            except Exception as error:
                logger.debug("Chat: nobody else was told: %r", error)
            else:
                return

    def take(self, event: dict[str, Any]) -> None:
        if room := self.rooms.get(event["order"]):
            room.wake(event["frame"], event["besides"])
        for watcher in self.watchers:
            watcher.wake()

    def wake_all(self) -> None:
        for room in self.rooms.values():
            room.wake()
        for watcher in self.watchers:
            watcher.wake()

    # --- People coming and going

    async def enter(self, member: Member) -> bool:
        """Count a socket in; whether it is the person's first to this chat. Raises TooManySockets."""
        self.at_the_door += 1
        try:
            # One after the other, so that this process's own are known when it asks for those of the others.
            async with self.entering:
                return await self.let_in(member)
        finally:
            self.at_the_door -= 1
            self.rest()

    async def let_in(self, member: Member) -> bool:
        order_id = member.connection.order_id
        most_elsewhere = MOST_SOCKETS - 1 - self.sockets_of(member.connection.user_id)
        if most_elsewhere < 0:
            raise TooManySockets
        self.wake_up()
        self.rooms.setdefault(order_id, Room(order_id)).enter(member)
        # Who is told to be connected hears from then on what the other processes say.
        await self.tried_to_listen.wait()
        alone = not self.others_here(member)
        try:
            with suppress(redis.RedisError):  # without Redis, what this process knows has to do
                alone = await in_presence_thread(presence().enter, member.connection, most_elsewhere)
        except TooManySockets:
            await self.forget(member)
            raise
        return alone

    async def leave(self, member: Member) -> None:
        room = self.rooms.get(member.connection.order_id)
        if room is None or member not in room.members:  # it was cut off at the door
            return
        alone = await self.forget(member)
        # Not to the same person, who may be back by another process before this is heard there.
        frame = {"type": "chat_leave", "username": member.username} if alone else None
        self.tell(member.connection.order_id, frame, member.connection.user_id)

    async def forget(self, member: Member) -> bool:
        """Count a socket out; whether it was the person's last in this chat."""
        order_id = member.connection.order_id
        room = self.rooms[order_id]
        room.leave(member)
        alone = not self.others_here(member)
        async with self.beating:  # a beat under way could count the connection in again
            with suppress(redis.RedisError):
                alone = await in_presence_thread(presence().leave, member.connection)
        if not room.members and self.rooms.get(order_id) is room:
            room.close()
            del self.rooms[order_id]
        self.rest()
        return alone

    def sockets_of(self, user_id: int) -> int:
        return sum(m.connection.user_id == user_id for room in self.rooms.values() for m in room.members)

    def others_here(self, member: Member) -> bool:
        members = self.rooms[member.connection.order_id].members
        return any(m is not member and m.connection.person == member.connection.person for m in members)

    # --- The pulse

    async def pulse(self) -> None:
        beats = 0
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.beat_now.wait(), PULSE)
            self.beat_now.clear()
            beats += 1
            await self.beat()
            if beats % AUDIT_EVERY == 0:
                await self.audit()
                await self.look_for_missed()

    async def beat(self) -> None:
        heard = {m.connection: m.heard_at for room in self.rooms.values() for m in room.members}
        async with self.beating:
            with suppress(redis.RedisError):
                for lost in await in_presence_thread(presence().beat, self.server, heard):
                    # Their server died: nobody else will say that they are gone.
                    username = await in_thread(username_of, lost.user_id)
                    self.tell(lost.order_id, {"type": "chat_leave", "username": username}, lost.user_id)
        for room in self.rooms.values():
            await room.drop_stalled()

    async def audit(self) -> None:
        held = {m.admission.credential for room in self.rooms.values() for m in room.members}
        held = held.union(*(watcher.credentials() for watcher in self.watchers))
        if gone := await in_thread(revoked, held):
            for room in self.rooms.values():
                await room.dismiss(gone)
            for watcher in list(self.watchers):
                watcher.dismiss(gone)

    async def look_for_missed(self) -> None:
        newest = await in_thread(newest_messages, list(self.rooms))
        for order_id, message_id in newest.items():
            room = self.rooms.get(order_id)
            if room and message_id > room.last_id:
                room.wake()


def tell(order_id: int, frame: Frame | None = None, besides: int | None = None) -> None:
    """Say that something happened in the chat of an order, from a view or a task.

    Without a `frame` there may be new messages. A frame is shown to everybody in the chat but the user `besides`.
    """
    hubs = Hub.running()
    for hub in hubs:
        hub.loop.call_soon_threadsafe(hub.tell, order_id, frame, besides)
    if not hubs:
        event = {"type": "chat.told", "server": "", "order": order_id, "frame": frame, "besides": besides}
        try:
            async_to_sync(tell_all)(event)
        except Exception as error:  # what was said is stored; whoever listens finds it at the next beat
            logger.debug("Chat: nobody was told: %r", error)


async def tell_all(event: dict[str, Any]) -> None:
    async with asyncio.timeout(REDIS_PATIENCE):
        await get_channel_layer().group_send(GROUP, event)


def open_sockets() -> int:
    """How many sockets this process has open."""
    return sum(len(room.members) for hub in Hub.running() for room in hub.rooms.values())


def newest_messages(order_ids: list[int]) -> dict[int, int]:
    """Order id -> id of the newest message; one look into an index for each, however long its chat is."""
    newest = ChatMessage.objects.filter(order=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    orders = Order.objects.filter(pk__in=order_ids).annotate(newest=Subquery(newest))
    return dict(orders.filter(newest__isnull=False).order_by().values_list("pk", "newest"))


def username_of(user_id: int) -> str:
    return str(User.objects.get(pk=user_id))


def heard_lately(heard_at: float) -> bool:
    return time.time() - heard_at < SILENCE - 2 * PULSE
