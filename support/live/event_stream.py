"""The agents' live list of chats: what stands in it, and who watches it."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from weakref import WeakSet

import redis
from django.db.models import F, IntegerField, OuterRef, Subquery
from django.http import HttpRequest
from django.template.loader import render_to_string
from django_eventstream.event import Event
from django_eventstream.utils import sse_encode_event
from django_eventstream.views import events, get_listener_manager

from shop.models import Order, User
from support.live.hub import Hub
from support.live.presence import presence
from support.live.socket_admission import Credential
from support.live.thread_pool import in_thread
from support.models import Chat, ChatMessage

logger = logging.getLogger(__name__)

MOST_ROWS = 200
# More are not counted, each time the list is drawn: "99+ unread".
MOST_UNREAD = 99
# Without a wake-up the list is looked at this often; with many it is drawn no more often than that.
LOOK_EVERY, DRAW_EVERY = 1.0, 0.1
KEEP_ALIVE = 12.0
# What the library calls all streams together.
CHANNEL = "chats"
# One agent's, in one process.
MOST_STREAMS = 20


class CountOf(Subquery):
    """How many rows a subquery gives; it may be a slice."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


@dataclass(slots=True)
class Row:
    order: Order
    chat: Chat | None
    people: list[User]
    unread: int

    @property
    def unread_text(self) -> str:
        return f"{MOST_UNREAD}+" if self.unread > MOST_UNREAD else str(self.unread)

    @property
    def waiting_since(self) -> datetime | None:
        return self.chat.waiting_since if self.chat else None


def chat_rows(present: dict[int, set[int]]) -> list[Row]:
    """A row for each chat with someone in it or with a shopper who waits: the longest wait first, then by order.

    `present` says who is in which chat (`support.live.presence`). Four queries, whatever their number.
    """
    waiting = list(Chat.objects.waiting().values_list("pk", flat=True)[:MOST_ROWS])
    unseen = ChatMessage.objects.filter(
        order=OuterRef("pk"), sender=OuterRef("user"), pk__gt=OuterRef("chat__office_seen")
    )
    orders = (
        Order.objects.filter(pk__in={*waiting, *present})
        .select_related("user", "last_spoken_to", "chat__claimed_by", "chat__last_message__sender")
        .annotate(unread=CountOf(unseen.order_by("pk").values("pk")[: MOST_UNREAD + 1]))
        .order_by(F("chat__waiting_since").asc(nulls_last=True), "pk")
    )
    users = User.objects.in_bulk({user_id for ids in present.values() for user_id in ids})

    def row(order: Any) -> Row:
        people = [users[user_id] for user_id in present.get(order.pk, ()) if user_id in users]
        return Row(order, getattr(order, "chat", None), sorted(people, key=lambda user: user.email), order.unread)

    return [row(order) for order in orders]


def list_context(present: dict[int, set[int]]) -> dict[str, Any]:
    rows = chat_rows(present)
    return {"rows": rows, "waiting": sum(1 for row in rows if row.waiting_since)}


class Stream:
    """One agent's open list."""

    # Those that were promised count, too, for as long as somebody means to read them.
    opened: ClassVar[WeakSet["Stream"]] = WeakSet()

    @classmethod
    def open(cls, credential: Credential) -> "Stream | None":
        """A new one, or None where this agent has as many open in this process as anybody may."""
        own = sum(stream.credential.user_id == credential.user_id for stream in cls.opened)
        return cls(credential) if own < MOST_STREAMS else None

    def __init__(self, credential: Credential) -> None:
        self.opened.add(self)
        self.credential = credential


class Watch:
    """Draws the list once for all streams of this process, whenever something changed in it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.streams: set[Stream] = set()
        self.html: str | None = None
        self.present: dict[int, set[int]] = {}
        self.woken = asyncio.Event()
        self.drawing = asyncio.Lock()
        self.drawn_at = 0.0
        self.tasks: list[asyncio.Task[None]] = []

    @classmethod
    def here(cls) -> "Watch":
        hub = Hub.here()
        return next((watcher for watcher in hub.watchers if isinstance(watcher, cls)), None) or cls(hub)

    # --- What the hub asks of it

    def wake(self) -> None:
        self.woken.set()

    def credentials(self) -> set[Credential]:
        return {stream.credential for stream in self.streams}

    def dismiss(self, credentials: set[Credential]) -> None:
        self.streams = {stream for stream in self.streams if stream.credential not in credentials}
        # Whatever comes, a stream that is none of them ends by it.
        send("alive", "1")

    # --- Drawing

    def add(self, stream: Stream) -> None:
        self.streams.add(stream)
        self.hub.watchers.add(self)
        self.hub.wake_up()
        if not self.tasks:
            self.tasks = [self.hub.loop.create_task(work()) for work in (self.keep_drawn, self.keep_alive)]

    def remove(self, stream: Stream) -> None:
        self.streams.discard(stream)
        if not self.streams:
            for task in self.tasks:
                task.cancel()
            self.tasks = []
            self.hub.watchers.discard(self)
            self.hub.rest()

    async def keep_drawn(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.woken.wait(), LOOK_EVERY)
            self.woken.clear()
            await self.redraw()
            await asyncio.sleep(DRAW_EVERY)

    async def keep_alive(self) -> None:
        # For pages, which see no comments: they tell by it that their connection still is one.
        while True:
            await asyncio.sleep(KEEP_ALIVE)
            send("alive", "1")

    def draw(self) -> str:
        # Until Redis says who is present now, those are shown who were.
        with suppress(redis.RedisError):
            self.present = presence().present()
        html = render_to_string("support/_notification_area.html", list_context(self.present))
        # In one line: the library writes it anew for each stream, which takes twice as long for many.
        return " ".join(map(str.strip, html.splitlines()))

    async def redraw(self, not_before: float = 0.0) -> None:
        async with self.drawing:
            if not_before and self.drawn_at >= not_before:
                return
            begun = time.monotonic()
            try:
                html = await in_thread(self.draw)
            except Exception as error:  # the database comes back: the next look finds it
                logger.warning("List of chats not drawn, trying again: %r", error)
                return
            self.drawn_at = begun
            # Not in the thread, which draws on when its watch has ended: those of the next would be sent an old list.
            if html != self.html:
                self.html = html
                send("presence", html)

    def first_event(self) -> str:
        """The list as it is now. Should the connection break, the browser asks again a second later."""
        return f"{sse_encode_event('presence', self.html)}retry: 1000\n\n" if self.html is not None else ""


def send(event_type: str, data: str) -> None:
    """To all streams of this process."""
    # `send_event` would write each event once more, for a proxy that is not there.
    get_listener_manager().add_to_queues(CHANNEL, Event(CHANNEL, event_type, data))


def open_streams() -> int:
    """How many agents' lists this process keeps up to date."""
    watchers = (watcher for hub in Hub.running() for watcher in hub.watchers if isinstance(watcher, Watch))
    return sum(len(watch.streams) for watch in watchers)


async def presence_events(stream: Stream) -> AsyncIterator[Any]:
    """An event `presence` with the list at once and whenever it changed, and `alive` every few seconds."""
    watch = Watch.here()
    watch.add(stream)
    try:
        await watch.redraw(not_before=time.monotonic())
        # An empty request: the library would believe what another says of its rights and of the events it has seen.
        async for chunk in events(HttpRequest(), channels=[CHANNEL]):
            if stream not in watch.streams:
                return
            # Other chunks come where the library sends what it has stored, which is nothing: as it begins, and where
            # events were lost, because they came meanwhile or more than ten waited for a slow reader.
            yield chunk if chunk.startswith(b"event: ") else watch.first_event()
    finally:
        Stream.opened.discard(stream)
        watch.remove(stream)
