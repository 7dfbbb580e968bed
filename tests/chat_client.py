"""A chat client that holds on as static/js/chat.js does: it reconnects, says what it has, and sends again."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException


class ChatClient:
    """`urls` are the servers it may connect to, as ws://host:port: the first of them at first, then any.

    `replays` off leaves the `since` away.
    """

    def __init__(self, urls: list[str], order_id: int, token: str, *, replays: bool = True) -> None:
        self.urls, self.order_id, self.token, self.replays = urls, order_id, token, replays
        self.seen: list[int] = []
        self.arrivals: list[tuple[str, float]] = []
        self.frames: list[dict[str, Any]] = []
        self.pending: dict[str, str] = {}
        self.acknowledged: dict[str, int] = {}
        self.changed = asyncio.Event()
        self.connections = 0
        self.connected_at: list[float] = []
        self.lost_at: list[float] = []
        self.socket: Any = None
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "ChatClient":
        self.task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self.task
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def run(self) -> None:
        failures = 0
        while True:
            with suppress(OSError, WebSocketException, TimeoutError, EOFError):
                query = f"token={self.token}" + (f"&since={self.seen[-1] if self.seen else 0}" if self.replays else "")
                server = random.choice(self.urls) if self.connections else self.urls[0]
                url = f"{server}/ws/customer-service/{self.order_id}/?{query}"
                async with connect(
                    url, ping_interval=None, compression=None, open_timeout=30, close_timeout=1
                ) as opened:
                    failures = 0
                    await self.talk(opened)
            self.socket = None
            failures += 1
            await asyncio.sleep(min(2, 0.1 * 2**failures) * random.uniform(0.5, 1))

    async def talk(self, opened: Any) -> None:
        self.socket = opened
        self.connections += 1
        self.connected_at.append(time.monotonic())
        # A copy: more may be said meanwhile.
        for client_id, text in list(self.pending.items()):
            await self.transmit(client_id, text)
        heart = asyncio.create_task(self.beat(opened))
        try:
            async for text in opened:
                self.take(json.loads(text), time.monotonic())
        finally:
            heart.cancel()
            self.lost_at.append(time.monotonic())

    async def beat(self, opened: Any) -> None:
        while True:
            await asyncio.sleep(4)
            await opened.send('{"type": "heartbeat"}')

    def take(self, frame: dict[str, Any], now: float) -> None:
        self.frames.append(frame)
        if frame["type"] == "chat_message":
            self.seen.append(frame["id"])
            self.arrivals.append((frame["message"], now))
            if self.pending.pop(frame["client_id"], None) is not None:
                self.acknowledged[frame["client_id"]] = frame["id"]
        elif frame.get("code") in ("unavailable", "rate_limit") and frame.get("client_id") in self.pending:
            asyncio.get_running_loop().call_later(frame.get("retry_after", 1), self.send_again, frame["client_id"])
        self.changed.set()

    def send_again(self, client_id: str) -> None:
        if client_id in self.pending:
            self.resending = asyncio.create_task(self.transmit(client_id, self.pending[client_id]))

    async def transmit(self, client_id: str, text: str) -> None:
        if self.socket is not None:
            with suppress(WebSocketException, OSError):
                await self.socket.send(json.dumps({"type": "message", "message": text, "client_id": client_id}))

    async def say(self, text: str) -> str:
        client_id = str(uuid4())
        self.pending[client_id] = text
        await self.transmit(client_id, text)
        return client_id

    async def until(self, holds: Callable[["ChatClient"], bool], seconds: float = 60) -> None:
        """Return once something holds for this client; TimeoutError otherwise."""
        async with asyncio.timeout(seconds):
            while not holds(self):
                self.changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), 0.2)

    def has(self, kind: str, **values: Any) -> bool:
        return any(f["type"] == kind and values.items() <= f.items() for f in self.frames)
