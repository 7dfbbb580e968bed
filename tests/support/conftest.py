from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from django.utils import timezone

from shop.models import Order, User
from support.models import ChatMessage
from tests.factories import OrderFactory


@pytest.fixture
def order(alice: User) -> Order:
    return OrderFactory(user=alice)


@pytest.fixture
def hundred_said(order: Order, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that Alice may say for now, however long the test takes: its clock stands still."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    said = [ChatMessage(order=order, sender=alice, message=str(number), sent_at=now) for number in range(100)]
    ChatMessage.objects.bulk_create(said)


def run(test: Callable[[], Any]) -> None:
    """Run an asynchronous test to its end."""
    async_to_sync(test)()


def cookie(client: Client) -> list[tuple[bytes, bytes]]:
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return [(b"host", b"testserver"), (b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode())]


class PatientCommunicator(WebsocketCommunicator):
    """Waits as long as a busy machine takes, where Channels' own gives up after a second."""

    PATIENCE = 20

    async def connect(self, timeout: float = PATIENCE) -> tuple[bool, Any]:
        return await super().connect(timeout)

    async def receive_from(self, timeout: float = PATIENCE) -> Any:
        return await super().receive_from(max(timeout, self.PATIENCE))

    async def receive_json_from(self, timeout: float = PATIENCE) -> Any:
        return await super().receive_json_from(max(timeout, self.PATIENCE))

    async def disconnect(self, code: int = 1000, timeout: float = PATIENCE) -> None:
        await super().disconnect(code, timeout)


def socket(order: Order, client: Client | None = None, query: str = "", headers: Any = ()) -> WebsocketCommunicator:
    from booktime.asgi import application

    path = f"/ws/customer-service/{order.pk}/{query}"
    return PatientCommunicator(application, path, headers=[*(cookie(client) if client else ()), *headers])


@asynccontextmanager
async def connected(*args: Any, **kwargs: Any) -> AsyncIterator[WebsocketCommunicator]:
    communicator = socket(*args, **kwargs)
    accepted, _ = await communicator.connect()
    assert accepted
    try:
        yield communicator
    finally:
        await communicator.disconnect()


async def next_of(communicator: WebsocketCommunicator, kind: str) -> dict[str, Any]:
    """The next frame of a type; others before it are passed over."""
    while True:
        frame = await communicator.receive_json_from()
        if frame["type"] == kind:
            return frame
