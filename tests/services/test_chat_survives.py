"""The chat between two processes, while what it stands on breaks and comes back."""

import asyncio
import json
import socket as sockets
import subprocess
import sys
from contextlib import AsyncExitStack, closing

import psycopg2
import pytest

from tests.chat_client import ChatClient
from tests.servers import ROOT, Daphne, wait_until
from tests.services.conftest import WITHOUT_COLLECTED_FILES, migrated

# Seconds: what is promised, and as much again and more for a machine that is busy with other things.
HEALS_WITHIN = 5 + 15
GONE_WITHIN = 10 + 15


@pytest.fixture
def site(daphne, postgres_server, redis_server):
    """Two processes of the site and the people who use it."""
    variables = migrated(postgres_server, redis_server, **WITHOUT_COLLECTED_FILES)
    return Site([daphne(**variables), daphne(**variables)])


class Site:
    def __init__(self, servers: list[Daphne]) -> None:
        self.servers = servers
        self.urls = [server.url.replace("http", "ws") for server in servers]

    def people(self, shoppers: int, agents: int):
        command = [sys.executable, "-m", "benchmarks.chat_people", str(shoppers), str(agents)]
        done = subprocess.run(command, env=self.servers[0].environment(), cwd=ROOT, capture_output=True, check=True)
        people = json.loads(done.stdout)
        return people["orders"], people["agents"]

    def stream(self, session: str, server: int = 0):
        """An open event stream's socket."""
        stream = sockets.create_connection(("127.0.0.1", self.servers[server].port), timeout=60)
        request = f"GET /customer-service/notify/ HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={session}\r\n\r\n"
        stream.sendall(request.encode())
        return stream


def read_until(stream, text: str, seconds: float = 60) -> str:
    stream.settimeout(seconds)
    got = b""
    while text.encode() not in got:
        chunk = stream.recv(65536)
        assert chunk, f"the stream ended before {text!r} came"
        got += chunk
    return got.decode(errors="replace")  # the last character may be on its way


def history_is_whole(client: ChatClient, messages: int) -> bool:
    return not client.pending and len(client.seen) == messages == len(set(client.seen))


def test_people_on_two_processes_talk_and_see_each_other(site):
    (order,), (agent,) = site.people(1, 1)

    async def talk():
        alice = ChatClient(site.urls[:1], order["order"], order["token"])
        erin = ChatClient(site.urls[1:], order["order"], agent["token"])
        async with alice:
            await alice.until(lambda c: c.has("chat_join", username="shopper0"))
            async with erin:
                await alice.until(lambda c: c.has("chat_join", username="agent0"))
                for number in range(20):
                    await (alice if number % 2 else erin).say(str(number))
                for client in (alice, erin):
                    await client.until(lambda c: history_is_whole(c, 20))
                    assert client.seen == sorted(client.seen)
            await alice.until(lambda c: c.has("chat_leave", username="agent0"))

    asyncio.run(talk())


@pytest.mark.parametrize("replays", [True, False], ids=["with since", "negative control"])
def test_nothing_acknowledged_is_lost_while_redis_and_a_process_are_killed(site, redis_server, replays):
    orders, agents = site.people(5, 5)

    async def talk():
        clients = []
        async with AsyncExitStack() as stack:
            for order, agent in zip(orders, agents, strict=True):
                # Half of them at the process that is killed.
                for urls, token in ((site.urls, order["token"]), (site.urls[::-1], agent["token"])):
                    client = ChatClient(urls, order["order"], token, replays=replays)
                    clients.append(await stack.enter_async_context(client))
            for client in clients:
                await client.until(lambda c: c.connections > 0)
            breaking = asyncio.create_task(asyncio.to_thread(break_things))
            rounds = 0
            while rounds < 30 or not breaking.done():
                for client in clients:
                    await client.say(str(rounds))
                rounds += 1
                # Slower after a while: nobody may say more than 100 things in ten seconds.
                await asyncio.sleep(0.1 if rounds < 60 else 0.5)
            await breaking
            for client in clients:
                await client.until(lambda c: not c.pending)
            if replays:
                for client in clients:
                    await client.until(lambda c: history_is_whole(c, 2 * rounds))
        return clients, 2 * rounds

    def break_things():
        for _ in range(3):
            redis_server.kill()
            redis_server.start()
        site.servers[1].kill()
        site.servers[1].start()

    clients, said = asyncio.run(talk())
    if replays:
        assert all(client.seen == sorted(client.seen) for client in clients)
    else:
        assert any(len(set(client.seen)) < said for client in clients)


def test_chat_goes_on_without_redis_and_after_a_restart_of_postgres(site, redis_server, postgres_server):
    (order,), (agent,) = site.people(1, 1)

    async def talk():
        alice = ChatClient(site.urls[:1], order["order"], order["token"])
        erin = ChatClient(site.urls[1:], order["order"], agent["token"])
        async with alice:
            await alice.until(lambda c: c.has("chat_join", username="shopper0"))
            async with erin:
                await alice.until(lambda c: c.has("chat_join", username="agent0"))
                redis_server.kill()
                await alice.say("Redis is away")
                for client in (alice, erin):
                    await client.until(lambda c: history_is_whole(c, 1))
                redis_server.start()
                await asyncio.to_thread(postgres_server.restart_immediately)
                await alice.say("PostgreSQL is back")
                for client in (alice, erin):
                    await client.until(lambda c: history_is_whole(c, 2))

    asyncio.run(talk())


def test_streams_show_a_join_on_another_process_and_heal_after_restarts(site, redis_server, postgres_server):
    (order, second, third), (agent,) = site.people(3, 1)
    with site.stream(agent["session"]) as stream:
        assert "X-Accel-Buffering: no" in read_until(stream, "All quiet")

        async def join(order, expected):
            async with ChatClient(site.urls[1:], order["order"], order["token"]) as client:
                await client.until(lambda c: c.connections > 0)
                await asyncio.to_thread(read_until, stream, expected, HEALS_WITHIN)

        asyncio.run(join(order, "shopper0@example.com"))
        redis_server.kill()
        redis_server.start()
        asyncio.run(join(second, "shopper1@example.com"))
        postgres_server.restart_immediately()
        asyncio.run(join(third, "shopper2@example.com"))
        with site.stream(agent["session"]) as new:
            read_until(new, "event: presence", HEALS_WITHIN)


def test_people_of_a_killed_process_are_gone_within_ten_seconds(site):
    (order,), (agent,) = site.people(1, 1)

    async def talk():
        alice = ChatClient(site.urls[:1], order["order"], order["token"])
        erin = ChatClient(site.urls[1:], order["order"], agent["token"])
        # One after the other: who comes later is not told who came before.
        async with erin:
            await erin.until(lambda c: c.has("chat_join", username="agent0"))
            async with alice:
                await erin.until(lambda c: c.has("chat_join", username="shopper0"))
                site.servers[0].kill()
                await erin.until(lambda c: c.has("chat_leave", username="shopper0"), GONE_WITHIN)

    asyncio.run(talk())


def test_200_streams_hold_no_more_connections_than_the_pools(site, postgres_server):
    _, agents = site.people(1, 200)
    streams = [site.stream(agent["session"]) for agent in agents]
    try:
        for stream in streams:
            read_until(stream, "event: presence")
        # Two processes with 4 threads for pages and 4 for the chat, one for the rest, and the connection that counts.
        # One that looked whether a silent server is there at all is closed again.
        wait_until(lambda: connections_to(postgres_server) <= 2 * 9 + 1, "few connections")
    finally:
        for stream in streams:
            stream.close()


def connections_to(postgres) -> int:
    with closing(psycopg2.connect(postgres.url)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_stat_activity where backend_type = 'client backend'")
        return cursor.fetchone()[0]


def test_reader_that_does_not_read_is_dropped_and_others_do_not_notice(site):
    (order,), agents = site.people(1, 12)
    lazy = sockets.create_connection(("127.0.0.1", site.servers[0].port), timeout=60)
    lazy.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    path = f"/ws/customer-service/{order['order']}/?token={order['token']}"
    lazy.sendall(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    read_until(lazy, "101 Switching")

    async def fill():
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(ChatClient(site.urls[:1], order["order"], agent["token"]))
                for agent in agents
            ]
            for client in clients:
                for _ in range(95):
                    await client.say("x" * 4000)
            for client in clients:
                await client.until(lambda c: history_is_whole(c, 12 * 95), 240)
            await clients[0].until(lambda c: c.has("chat_leave", username="shopper0"))

    asyncio.run(fill())
    lazy.close()
