"""One person's sockets, in all processes together, and a long conversation over a slow line."""

import asyncio
import json
import time
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.services.conftest import WITHOUT_COLLECTED_FILES, migrated
from tests.services.test_chat_survives import Site

MOST = 20
PATIENCE = 60

FILL = """
from shop.models import Order
from support.models import ChatMessage
order = Order.objects.get(pk={order})
text = "x" * 4000
said = [ChatMessage(order=order, sender=order.user, message=text) for _ in range({number})]
ChatMessage.objects.bulk_create(said, batch_size=1000)
"""


@pytest.fixture
def site(daphne, postgres_server, redis_server):
    """Two processes of the site and the people who use it."""
    variables = migrated(postgres_server, redis_server, **WITHOUT_COLLECTED_FILES)
    return Site([daphne(**variables), daphne(**variables)])


def address(site, person, server=0, since=None):
    query = f"?token={person['token']}" + ("" if since is None else f"&since={since}")
    return f"{site.urls[server]}/ws/customer-service/{person['order']}/{query}"


async def knock(site, person, server=0):
    """A socket that was let in, or None for one that was closed with 4429."""
    socket = await connect(address(site, person, server), ping_interval=None, open_timeout=PATIENCE)
    try:
        await socket.send('{"type": "state"}')
        async with asyncio.timeout(PATIENCE):
            while json.loads(await socket.recv())["type"] != "chat_state":
                pass
    except ConnectionClosed:
        assert socket.close_code == 4429
        return None
    return socket


async def leave(*sockets):
    await asyncio.gather(*(socket.close() for socket in sockets))


async def knocks(*waiting):
    return [socket for socket in await asyncio.gather(*waiting) if socket]


def test_thirty_sockets_at_once_at_one_process_are_twenty(site):
    (alice,), _ = site.people(1, 0)

    async def crowd():
        inside = await knocks(*(knock(site, alice) for _ in range(30)))
        assert len(inside) == MOST
        await leave(inside.pop())
        again = await knock(site, alice)
        assert again
        await leave(again, *inside)

    asyncio.run(crowd())


def test_sockets_of_one_person_count_in_all_processes_together(site):
    (alice, bob), _ = site.people(2, 0)

    async def crowd():
        inside = await knocks(*(knock(site, alice, number % 2) for number in range(40)))
        assert len(inside) == MOST
        other = await knock(site, bob, 1)
        assert other
        await leave(other, *inside)

    asyncio.run(crowd())


def test_places_that_a_killed_process_held_are_free_again(site):
    (alice,), _ = site.people(1, 0)

    async def crowd():
        lost = [await knock(site, alice) for _ in range(MOST)]
        assert all(lost)
        assert not await knock(site, alice, 1)
        site.servers[0].kill()
        until = time.monotonic() + PATIENCE
        while not (inside := await knock(site, alice, 1)):
            assert time.monotonic() < until
            await asyncio.sleep(0.2)
        others = [await knock(site, alice, 1) for _ in range(MOST - 1)]
        assert all(others)
        assert not await knock(site, alice, 1)
        await leave(inside, *others)
        for socket in lost:
            with suppress(ConnectionClosed, OSError):
                await socket.close()

    asyncio.run(crowd())


def test_long_conversation_is_replayed_whole_without_filling_the_memory(site):
    """What is said meanwhile comes at its end."""
    (alice,), _ = site.people(1, 0)
    server, number = site.servers[0], 12_000
    server.manage("shell", "-c", FILL.format(order=alice["order"], number=number))

    def memory():
        """In megabytes, at most so far."""
        with open(f"/proc/{server.process.pid}/status") as status:
            return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))

    async def read():
        before = memory()
        sizes = {
            "ping_interval": None,
            "max_size": 2**20,
            "max_queue": 4,
            "compression": None,
            "open_timeout": PATIENCE,
        }
        async with connect(address(site, alice, since=0), **sizes) as reader:
            await reader.send('{"type": "message", "message": "and this"}')
            ids, text = [], ""
            async with asyncio.timeout(10 * PATIENCE):
                while text != "and this":
                    frame = json.loads(await reader.recv())
                    if frame["type"] == "chat_message":
                        ids.append(frame["id"])
                        text = frame["message"]
        assert ids == sorted(set(ids))
        assert len(ids) == number + 1
        assert memory() - before < 4 * number // 1000 // 2, "half of what was said"

    asyncio.run(read())
