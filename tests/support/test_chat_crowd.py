"""One person has so many sockets and lists open, and no more: also where they come all at once."""

import asyncio
import threading
from contextlib import AsyncExitStack

import pytest
from django.test import Client

from support.live.chat_socket import ChatConsumer
from support.live.event_stream import MOST_STREAMS, Stream
from support.live.hub import Hub
from support.live.presence import Connection, presence
from support.live.thread_pool import THREADS, in_thread
from tests.factories import OrderFactory
from tests.support.conftest import connected, cookie, next_of, run, socket
from tests.support.test_presence_events import Stream as OpenStream

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 20
TURNED_AWAY = {"type": "websocket.close", "code": 4429}


async def enters(stack, order, client):
    """Whether one more socket is let in: it is told so by its first frame, or by being closed."""
    communicator = socket(order, client)
    accepted, _ = await communicator.connect()
    assert accepted
    stack.push_async_callback(communicator.disconnect)
    await communicator.send_json_to({"type": "state"})
    while (told := await communicator.receive_output(timeout=60)) != TURNED_AWAY:
        if "chat_state" in told["text"]:
            return True
    return False


def test_twenty_sockets_stay_and_one_more_is_closed_with_4429(order, alice, alices, erins):
    async def crowd():
        async with AsyncExitStack() as stack:
            second = await asyncio.to_thread(OrderFactory, user=alice)
            for number in range(MOST):
                assert await enters(stack, (order, second)[number % 2], alices)
            assert not await enters(stack, order, alices)
            assert await enters(stack, order, erins), "others come in as ever"

    run(crowd)


def test_thirty_who_come_at_once_are_twenty_inside(order, alices):
    async def crowd():
        async with AsyncExitStack() as stack:
            inside = await asyncio.gather(*(enters(stack, order, alices) for _ in range(30)))
            assert sum(inside) == MOST

    run(crowd)


def test_a_socket_is_counted_in_while_much_is_being_said(order, alice):
    """Else who comes back after a restart waits for what the others say, and they for who comes back."""

    async def crowd():
        said, hub, member = threading.Event(), Hub.here(), ChatConsumer()
        member.connection = Connection(order.pk, alice.pk, hub.server, "hers")
        member.username = str(alice)
        saying = [asyncio.ensure_future(in_thread(said.wait, 60)) for _ in range(THREADS)]
        try:
            async with asyncio.timeout(20):
                assert await hub.enter(member)
            assert not said.is_set()
        finally:
            said.set()
            await asyncio.gather(*saying)
        await hub.leave(member)
        assert presence().present() == {}

    run(crowd)


def test_place_of_a_closed_socket_is_free_at_once(order, alices):
    async def crowd():
        async with AsyncExitStack() as stack:
            for _ in range(MOST - 1):
                await enters(stack, order, alices)
            for _ in range(3):
                async with connected(order, alices) as last:
                    await last.send_json_to({"type": "state"})
                    await next_of(last, "chat_state")
                    assert not await enters(stack, order, alices)

    run(crowd)


def test_who_was_turned_away_says_nothing_and_was_never_there(order, alice, alices, erins):
    async def crowd():
        second = await asyncio.to_thread(OrderFactory, user=alice)
        async with AsyncExitStack() as stack, connected(second, erins) as erin:
            await next_of(erin, "chat_join")
            for _ in range(MOST):
                await enters(stack, order, alices)
            refused = socket(second, alices)
            await refused.connect()
            await refused.send_json_to({"type": "message", "message": "Let me in"})
            assert await refused.receive_output(timeout=60) == TURNED_AWAY
            await refused.disconnect()
            assert await erin.receive_nothing(0.3)
            assert second.pk not in presence().present() or alice.pk not in presence().present()[second.pk]

    run(crowd)
    assert not alice.chat_messages.exists()


def test_agent_has_at_most_twenty_lists_open(erins, client_of, olga):
    async def crowd():
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(OpenStream(erins)) for _ in range(MOST_STREAMS + 3)]
            assert sorted(stream.start["status"] for stream in streams) == [200] * MOST_STREAMS + [429] * 3
            refused = next(stream for stream in streams if stream.start["status"] == 429)
            assert int(dict(refused.start["headers"])[b"Retry-After"]) > 0
            other = await stack.enter_async_context(OpenStream(olgas))
            assert other.start["status"] == 200
        async with OpenStream(erins) as again:
            assert again.start["status"] == 200

    olgas = client_of(olga)
    run(crowd)
    assert not Stream.opened


def test_lists_that_are_asked_for_at_once_are_no_more(erins: Client):
    from booktime.asgi import application

    async def ask(statuses, over):
        """Until the answer has begun, and then for as long as the others take."""
        asked = asyncio.Queue()
        asked.put_nowait({"type": "http.request", "body": b""})

        async def send(message):
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                if len(statuses) == 30:
                    over.set()

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": "/customer-service/notify/",
            "query_string": b"",
            "headers": cookie(erins),
        }
        task = asyncio.create_task(application(scope, asked.get, send))
        await over.wait()
        asked.put_nowait({"type": "http.disconnect"})
        await task

    async def crowd():
        statuses, over = [], asyncio.Event()
        async with asyncio.timeout(60):
            await asyncio.gather(*(ask(statuses, over) for _ in range(30)))
        assert sorted(statuses) == [200] * MOST_STREAMS + [429] * 10

    run(crowd)


def test_agent_who_is_turned_away_does_not_become_the_one_who_speaks(order, alice, erin, erins):
    async def crowd():
        other = await asyncio.to_thread(OrderFactory, user=alice)
        async with AsyncExitStack() as stack:
            for _ in range(MOST):
                await enters(stack, order, erins)
            assert not await enters(stack, other, erins)

    run(crowd)
    assert [spoken_to.last_spoken_to for spoken_to in alice.orders.order_by("pk")] == [erin, None]
