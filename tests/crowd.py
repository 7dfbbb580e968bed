"""A crowd for tests and benchmarks of faults: visitors who ask for pages at a steady rate, and people in chats.

async with Crowd(urls, rate=20) as crowd, Talk(urls, orders, agents) as talk:
    …break something…
assert crowd.share_without_5xx() > 0.999
"""

import asyncio
import csv
import itertools
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx

from tests.chat_client import ChatClient
from tests.servers import ROOT, Daphne

BOOKS = 30
# As through the proxy that ends TLS; `tests.settings` lets cookies come back by plain HTTP.
HEADERS = {"Host": "localhost", "X-Forwarded-Proto": "https", "Referer": "https://localhost/"}


def fill_shelves(server: Daphne, directory: Path) -> None:
    """Import the books "Book 0" to "Book 29"."""
    path = directory / "books.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "description", "tags", "image_filename", "price"])
        rows.writerows([f"Book {number}", "A book.", "Fiction", "", "9.99"] for number in range(BOOKS))
    server.manage("import_data", str(path), str(directory))


def people(server: Daphne, shoppers: int, agents: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Shoppers with an order each, and agents: see `benchmarks.chat_people`."""
    command = [sys.executable, "-m", "benchmarks.chat_people", str(shoppers), str(agents)]
    done = subprocess.run(command, env=server.environment(), cwd=ROOT, capture_output=True, check=True)
    people = json.loads(done.stdout)
    return people["orders"], people["agents"]


class Answer(NamedTuple):
    path: str
    began: float
    took: float
    # 0 where none came.
    status: int

    @property
    def failed(self) -> bool:
        return self.status == 0 or self.status >= 500


class Crowd:
    """`rate` requests a second, whether or not those before were answered, by visitors who have a book in a basket.

    On a machine on which so many would pile up while all is well there are fewer.
    """

    VISITORS = 10
    PATHS = ("/", "/products/all/", "/products/all/?q=book", "/product/book-1/", "/basket/", "/add_to_basket/")

    def __init__(self, urls: list[str], rate: float = 20) -> None:
        self.urls, self.rate = urls, rate
        self.answers: list[Answer] = []
        self.baskets_lost = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        limits = httpx.Limits(max_connections=None)
        self.visitors = [
            httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=60, limits=limits)
            for url, _ in zip(itertools.cycle(self.urls), range(self.VISITORS), strict=False)
        ]
        for visitor in self.visitors:
            await visitor.get("/product/book-0/")
            assert (await self.add(visitor, 1)).status_code == 302
        # What is asked for the first time takes longer.
        for visitor, path in itertools.product(self.visitors[: len(self.urls)], self.PATHS):
            await self.ask(visitor, path)
        began = time.monotonic()
        for path in self.PATHS:
            await self.ask(self.visitors[0], path)
        # So that one after the other they would take three quarters of the time.
        self.rate = min(self.rate, 0.75 * len(self.PATHS) / (time.monotonic() - began))
        self.asking = asyncio.create_task(self.ask_on())
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.asking.cancel()
        with suppress(asyncio.CancelledError):
            await self.asking
        await asyncio.gather(*self.tasks)
        for visitor in self.visitors:
            await visitor.aclose()

    async def ask_on(self) -> None:
        began = time.monotonic()
        for number, path in enumerate(itertools.cycle(self.PATHS)):
            await asyncio.sleep(began + number / self.rate - time.monotonic())
            task = asyncio.create_task(self.ask(random.choice(self.visitors), path))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def ask(self, visitor: httpx.AsyncClient, path: str) -> None:
        began, status = time.monotonic(), 0
        with suppress(httpx.HTTPError):
            if path == "/add_to_basket/":
                response = await self.add(visitor, random.randrange(2, BOOKS))
            else:
                response = await visitor.get(path)
            status = response.status_code
            if path == "/basket/" and status == 200 and "Book 0" not in response.text:
                self.baskets_lost += 1
        self.answers.append(Answer(path, began, time.monotonic() - began, status))

    async def add(self, visitor: httpx.AsyncClient, product_id: int) -> httpx.Response:
        data = {"product_id": product_id, "csrfmiddlewaretoken": visitor.cookies.get("csrftoken", "")}
        return await visitor.post("/add_to_basket/", data=data)

    # --- What was seen

    def share_without_5xx(self) -> float:
        return 1 - sum(answer.failed for answer in self.answers) / len(self.answers)

    def longest(self) -> float:
        return max(answer.took for answer in self.answers)

    def typical(self, since: float, until: float) -> float:
        """How long the answer took to one half of what was asked between two moments, at most."""
        return statistics.median(answer.took for answer in self.answers if since <= answer.began < until)

    def statuses(self) -> dict[int, int]:
        return {status: sum(a.status == status for a in self.answers) for status in {a.status for a in self.answers}}

    def healed_after(self, returned: float) -> float:
        """Seconds from a service's return to the last failure of a request that began after it."""
        return max((a.began + a.took - returned for a in self.answers if a.failed and a.began >= returned), default=0.0)


class Talk:
    """A shopper and an agent in each chat, on different processes; shoppers say something every `pause` seconds."""

    def __init__(
        self, urls: list[str], orders: list[dict[str, Any]], agents: list[dict[str, Any]], pause: float = 1.0
    ) -> None:
        sockets = [url.replace("http", "ws") for url in urls]
        self.pairs = [
            (
                ChatClient(sockets[:1], order["order"], order["token"]),
                ChatClient(sockets[-1:], order["order"], agent["token"]),
            )
            for order, agent in zip(orders, agents, strict=True)
        ]
        self.pause = pause
        self.prompt = 1.0
        self.number = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for client in self.clients:
                await stack.enter_async_context(client)
            await asyncio.gather(*(client.until(lambda c: c.connections > 0, 60) for client in self.clients))
            self.stack = stack.pop_all()
        self.talking = asyncio.create_task(self.talk_on())
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.talking.cancel()
        with suppress(asyncio.CancelledError):
            await self.talking
        await self.stack.aclose()

    @property
    def clients(self) -> list[ChatClient]:
        return [client for pair in self.pairs for client in pair]

    async def talk_on(self) -> None:
        while True:
            for shopper, _ in self.pairs:
                self.number += 1
                await shopper.say(f"message {self.number}")
            await asyncio.sleep(self.pause)

    async def hears(self, shopper: ChatClient, agent: ChatClient, within: float) -> bool:
        """Whether what a shopper says now reaches the agent, in so many seconds."""
        self.number += 1
        text = f"live {self.number}"
        await shopper.say(text)
        with suppress(TimeoutError):
            await agent.until(lambda c: any(arrived == text for arrived, _ in c.arrivals[-50:]), within)
            return True
        return False

    async def learn_pace(self) -> float:
        """Seconds that a message may take at most on this machine, while all is well: `until_live` asks no more."""
        began = time.monotonic()
        await asyncio.gather(*(self.hears(*pair, 60) for pair in self.pairs))
        self.prompt = max(self.prompt, 2 * (time.monotonic() - began))
        return self.prompt

    async def until_live(self, seconds: float = 90) -> None:
        """Return once something said now has reached the other side of every chat promptly."""

        async def is_live(shopper: ChatClient, agent: ChatClient) -> None:
            while not await self.hears(shopper, agent, self.prompt):
                pass

        async with asyncio.timeout(seconds):
            await asyncio.gather(*(is_live(*pair) for pair in self.pairs))

    async def until_whole(self, seconds: float = 120) -> None:
        """Stop talking; return once everything said is acknowledged and stands on both sides, once and in order."""
        self.talking.cancel()
        await asyncio.gather(*(client.until(lambda c: not c.pending, seconds) for client in self.clients))
        for shopper, agent in self.pairs:
            said = sorted(shopper.acknowledged.values())
            for client in (shopper, agent):
                await client.until(lambda c, said=said: set(said) <= set(c.seen), seconds)  # type: ignore[misc]
                assert client.seen == sorted(set(client.seen))


async def eventually(holds: Callable[[], bool], seconds: float) -> float:
    """Seconds until `holds()`, asked in a thread; TimeoutError after `seconds`."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.05)
    return time.monotonic() - began
