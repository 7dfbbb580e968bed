"""What the chat holds under load and faults, on a private PostgreSQL and Redis and two daphne processes.

    python -m benchmarks.chat [faults] [delivery] [memory] [dashboard] [--messages 10000]

Without a name all four run. Absolute times say what the machine is worth; the ratios, and the counts of what was lost,
say what the chat is worth.
"""

import argparse
import asyncio
import json
import math
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from benchmarks.measuring import TwoProcesses, percentile
from tests.chat_client import ChatClient
from tests.crowd import people
from tests.servers import Daphne


class Site(TwoProcesses):
    """With a bare consumer beside it; `urls` are those of sockets."""

    def __init__(self, stack: ExitStack) -> None:
        super().__init__(stack)
        server = self.servers[0]
        self.bare = stack.enter_context(Daphne(server.directory, server.variables, "benchmarks.chat_bare:application"))
        self.urls = [url.replace("http", "ws") for url in self.urls]


async def faults(site: Site, messages: int) -> None:
    """200 people in 100 chats write while Redis is killed 20 times and a process 3 times."""
    pairs = list(zip(*people(site.servers[0], 100, 100), strict=True))
    for replays in (True, False):
        await write_through_faults(site, pairs, messages if replays else messages // 4, replays)


async def write_through_faults(
    site: Site, pairs: list[tuple[dict[str, Any], dict[str, Any]]], messages: int, replays: bool
) -> None:
    newest = {order["order"]: await last_id(site, order) for order, _ in pairs}
    done = asyncio.Event()

    async def break_things() -> None:
        for number in range(20):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(site.redis.kill)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(site.redis.start)
            if number in (4, 10, 16):
                await asyncio.to_thread(site.servers[1].kill)
                await asyncio.to_thread(site.servers[1].start)
        done.set()

    async with AsyncExitStack() as stack:
        clients: list[ChatClient] = []
        for order, agent in pairs:
            for token in (order["token"], agent["token"]):
                client = ChatClient(random.sample(site.urls, 2), order["order"], token, replays=replays)
                client.seen += [newest[order["order"]]] if newest[order["order"]] else []
                clients.append(await stack.enter_async_context(client))
        await asyncio.gather(*(client.until(lambda c: c.connections > 0, 120) for client in clients))
        began = time.monotonic()
        breaking = asyncio.create_task(break_things())
        share = messages // len(clients)

        async def write(client: ChatClient) -> None:
            for number in range(share):
                await client.say(f"{number}")
                await client.until(lambda c: len(c.pending) < 5, 300)

        await asyncio.gather(*(write(client) for client in clients), breaking)
        await asyncio.gather(*(client.until(lambda c: not c.pending, 300) for client in clients))
        if replays:
            whole = 2 * share
            await asyncio.gather(*(c.until(lambda c: len(since(c, newest)) >= whole, 60) for c in clients))
        else:
            await asyncio.sleep(5)
        took = time.monotonic() - began
        lost = doubled = disordered = 0
        for index in range(0, len(clients), 2):
            pair = clients[index : index + 2]
            said = {message_id for client in pair for message_id in client.acknowledged.values()}
            for client in pair:
                shown = since(client, newest)
                lost += len(said - set(shown))
                doubled += len(shown) - len(set(shown))
                disordered += shown != sorted(shown)
        acknowledged = sum(len(client.acknowledged) for client in clients)
        reconnects = sum(client.connections - 1 for client in clients)
        print(
            f"faults, {'with' if replays else 'without'} since: {acknowledged} messages acknowledged in {took:.0f} s,"
            f" Redis killed 20 times, a process 3 times, {reconnects} reconnects:"
            f" {lost} not shown, {doubled} shown twice, {disordered} views out of order"
        )


def since(client: ChatClient, newest: dict[int, int]) -> list[int]:
    return [message_id for message_id in client.seen if message_id > newest[client.order_id]]


async def last_id(site: Site, order: dict[str, Any]) -> int:
    from urllib.request import urlopen

    url = f"{site.servers[0].url}/mobile-api/my-orders/{order['order']}/messages/?token={order['token']}"
    history = json.loads(await asyncio.to_thread(lambda: urlopen(url).read()))
    return int(history[-1]["id"]) if history else 0


async def delivery(site: Site, messages: int) -> None:
    """200 sockets in one chat, 2 messages a second, beside a bare group echo on the same Redis, in turns."""
    chat = chat_urls(site, 0, 200)
    bare = [site.bare.url.replace("http", "ws") + "/"] * 200
    times: dict[str, list[float]] = {"chat": [], "bare": []}
    for _ in range(3):
        for name, urls in (("bare", bare), ("chat", chat)):
            times[name] += await delays(urls, messages=20)
    p95 = {name: percentile(values, 0.95) * 1000 for name, values in times.items()}
    p50 = {name: statistics.median(values) * 1000 for name, values in times.items()}
    print(
        f"delivery to 200 sockets: chat p50 {p50['chat']:.1f} ms, p95 {p95['chat']:.1f} ms;"
        f" bare p50 {p50['bare']:.1f} ms, p95 {p95['bare']:.1f} ms; ratio of p95 {p95['chat'] / p95['bare']:.2f}"
    )


def chat_urls(site: Site, server: int, sockets: int) -> list[str]:
    """Of so many sockets in one chat: a person may have 20."""
    [order], agents = people(site.servers[0], 1, math.ceil(sockets / 20))
    chat = f"{site.urls[server]}/ws/customer-service/{order['order']}/"
    return [f"{chat}?token={agents[number // 20]['token']}" for number in range(sockets)]


async def delays(urls: list[str], messages: int) -> list[float]:
    """From sending a message to its arrival at each of the sockets."""
    sent: dict[str, float] = {}
    delays: list[float] = []

    async def listen(socket: Any) -> None:
        async for text in socket:
            now, frame = time.monotonic(), json.loads(text)
            if frame.get("message") in sent:
                delays.append(now - sent[frame["message"]])

    async with AsyncExitStack() as stack:
        options: dict[str, Any] = {"ping_interval": None, "compression": None, "open_timeout": 30}
        opened = [await stack.enter_async_context(connect(url, **options)) for url in urls]
        tasks = [asyncio.create_task(listen(socket)) for socket in opened]
        await asyncio.sleep(1)
        for number in range(messages):
            text = f"{time.time()} {number}"
            sent[text] = time.monotonic()
            await opened[number].send(json.dumps({"type": "message", "message": text}))
            await asyncio.sleep(0.5)
        await asyncio.sleep(2)
        for task in tasks:
            task.cancel()
    assert len(delays) == len(urls) * messages, f"{len(delays)} of {len(urls) * messages} arrived"
    return delays


async def memory(site: Site, messages: int) -> None:
    """What an idle socket costs a process, beside one of the bare consumer."""
    servers = {
        "bare": (site.bare, [site.bare.url.replace("http", "ws") + "/"] * 600),
        "chat": (site.servers[1], chat_urls(site, 1, 600)),
    }
    cost = {}
    for name, (server, urls) in servers.items():
        async with AsyncExitStack() as stack:
            options: dict[str, Any] = {"ping_interval": None, "compression": None, "open_timeout": 30}
            for url in urls[:100]:  # what the first ones load is loaded then
                await stack.enter_async_context(connect(url, **options))
            await asyncio.sleep(1)
            before = resident(server)
            for url in urls[100:]:
                await stack.enter_async_context(connect(url, **options))
            await asyncio.sleep(3)
            cost[name] = (resident(server) - before) / 500
    print(
        f"memory for each idle socket: chat {cost['chat'] / 1024:.1f} kB, bare {cost['bare'] / 1024:.1f} kB,"
        f" ratio {cost['chat'] / cost['bare']:.2f}"
    )


def resident(server: Daphne) -> int:
    assert server.process
    fields = Path(f"/proc/{server.process.pid}/smaps_rollup").read_text().split("\n")
    return next(int(line.split()[1]) * 1024 for line in fields if line.startswith("Private_Dirty"))


async def dashboard(site: Site, messages: int) -> None:
    """From a shopper's join on one process to 100 agents' lists on the other."""
    orders, agents = people(site.servers[0], 40, 100)
    shown: dict[str, list[float]] = {}

    async def watch(session: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.servers[0].port, limit=2**22)
        request = f"GET /customer-service/notify/ HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={session}\r\n\r\n"
        writer.write(request.encode())
        seen: set[str] = set()
        async for line in reader:
            text = line.decode()
            if "Order " in text and "customer-service/" in text:
                order = text.split("customer-service/")[1].split("/")[0]
                if order not in seen:
                    seen.add(order)
                    shown.setdefault(order, []).append(time.monotonic())

    streams = [asyncio.create_task(watch(agent["session"])) for agent in agents]
    await asyncio.sleep(5)
    delays: list[float] = []
    for order in orders:
        url = f"{site.urls[1]}/ws/customer-service/{order['order']}/?token={order['token']}"
        began = time.monotonic()
        async with connect(url, ping_interval=None, open_timeout=30):
            await asyncio.sleep(1.5)
        arrivals = shown.get(str(order["order"]), [])
        assert len(arrivals) == len(streams), f"{len(arrivals)} of {len(streams)} agents saw order {order['order']}"
        delays += [arrival - began for arrival in arrivals]
    for stream in streams:
        stream.cancel()
    print(
        f"from join to 100 agents' lists: p50 {statistics.median(delays) * 1000:.0f} ms,"
        f" p99 {percentile(delays, 0.99) * 1000:.0f} ms"
    )


PARTS: dict[str, Callable[[Site, int], Awaitable[None]]] = {
    "delivery": delivery,
    "memory": memory,
    "dashboard": dashboard,
    "faults": faults,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[], metavar="part")
    parser.add_argument("--messages", type=int, default=10_000)
    arguments = parser.parse_args()
    for name in arguments.parts or PARTS:
        with ExitStack() as stack:
            asyncio.run(PARTS[name](Site(stack), arguments.messages))


if __name__ == "__main__":
    main()
