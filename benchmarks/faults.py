"""What people notice while Redis and PostgreSQL break, on private ones and two daphne processes.

    python -m benchmarks.faults [redis] [postgres] [hang]

Without a name all three run, which takes about ten minutes. Meanwhile visitors ask for 20 pages a second and 50 sockets
stand in 25 chats. Live again is when every chat has brought a new message to the other process within a second (or
what a busy machine takes for it while all is well), and /healthz says ok. Ends with status 1 where a target is missed.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from benchmarks.measuring import TwoProcesses
from tests.crowd import Crowd, Talk, eventually, fill_shelves, people
from tests.services.test_health import health_of

RATE, CHATS = 20, 25
# Seconds between two messages of a shopper.
PAUSE = 5
# Seconds that Redis is away, 20 times in all.
REDIS_AWAY = [1] * 12 + [12] * 6 + [60] * 2
POSTGRES_RESTARTS = 10
SHARE_WITHOUT_5XX, LIVE_AFTER, LONGEST = 0.999, 5.0, 5.0


class Site(TwoProcesses):
    """With books, and with people who talk."""

    def __init__(self, stack: ExitStack) -> None:
        super().__init__(stack)
        fill_shelves(self.servers[0], self.servers[0].directory)
        self.people = people(self.servers[0], CHATS, CHATS)

    def is_healthy(self) -> bool:
        return all(health_of(server) == (200, "ok") for server in self.servers)


class Figures:
    """What a crowd saw of one kind of fault, held against its targets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.live_after: list[float] = []
        self.missed: list[str] = []

    def say(self, text: str, holds: bool = True) -> None:
        print(f"{self.name}: {text}{'' if holds else '   MISSED'}", flush=True)
        if not holds:
            self.missed.append(text)

    def tell(self, crowd: Crowd, talk: Talk) -> None:
        answers, failed = len(crowd.answers), sum(answer.failed for answer in crowd.answers)
        self.say(f"{answers} answers {crowd.statuses()}, {failed} failed: {crowd.share_without_5xx():.2%} without 5xx")
        self.say(f"no status 500, none missing: {crowd.statuses()}", not {0, 500} & set(crowd.statuses()))
        self.say(f"baskets that were lost: {crowd.baskets_lost}", crowd.baskets_lost == 0)
        self.say(f"longest answer {crowd.longest():.2f} s", crowd.longest() < LONGEST)
        worst, mean = max(self.live_after), sum(self.live_after) / len(self.live_after)
        self.say(f"live {worst:.2f} s after the return at most, {mean:.2f} s on average", worst < LIVE_AFTER)
        said = sum(len(client.acknowledged) for client in talk.clients)
        self.say(f"{said} messages said, each in both views once and in order")


async def until_live(site: Site, talk: Talk, figures: Figures) -> None:
    began = time.monotonic()
    await asyncio.gather(eventually(site.is_healthy, 60), talk.until_live(60))
    figures.live_after.append(time.monotonic() - began)


async def redis(site: Site, crowd: Crowd, talk: Talk, figures: Figures) -> None:
    for seconds in REDIS_AWAY:
        await asyncio.to_thread(site.redis.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(site.redis.start)
        await until_live(site, talk, figures)
        figures.say(f"killed for {seconds} s, live again after {figures.live_after[-1]:.2f} s")
        await asyncio.sleep(2)
    figures.say(f"{crowd.share_without_5xx():.3%} without 5xx", crowd.share_without_5xx() >= SHARE_WITHOUT_5XX)


async def postgres(site: Site, crowd: Crowd, talk: Talk, figures: Figures) -> None:
    for _ in range(POSTGRES_RESTARTS):
        await asyncio.to_thread(site.postgres.restart_immediately)
        returned = time.monotonic()
        await until_live(site, talk, figures)
        await asyncio.sleep(3)
        healed = crowd.healed_after(returned)
        figures.say(f"restarted, live again after {figures.live_after[-1]:.2f} s, last 503 after {healed:.2f} s")
        figures.live_after[-1] = max(figures.live_after[-1], healed)


async def hang(site: Site, crowd: Crowd, talk: Talk, figures: Figures) -> None:
    for server in (site.redis, site.postgres, site.redis, site.postgres):
        await asyncio.to_thread(server.hang)
        await asyncio.sleep(12)
        await asyncio.to_thread(server.go_on)
        returned = time.monotonic()
        await until_live(site, talk, figures)
        await asyncio.sleep(3)
        healed = crowd.healed_after(returned)
        figures.live_after[-1] = max(figures.live_after[-1], healed)
        figures.say(f"{server} hung for 12 s, live again after {figures.live_after[-1]:.2f} s")


async def run(part: Callable[[Site, Crowd, Talk, Figures], Awaitable[None]], site: Site) -> Figures:
    figures = Figures(part.__name__)
    async with Crowd(site.urls, RATE) as crowd, Talk(site.urls, *site.people, PAUSE) as talk:
        await talk.until_live(120)
        figures.say(f"on this machine now, a message is late after {await talk.learn_pace():.1f} s")
        await part(site, crowd, talk, figures)
        await talk.until_whole()
    figures.tell(crowd, talk)
    return figures


PARTS = {part.__name__: part for part in (redis, postgres, hang)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[], metavar="part")
    missed = []
    for name in parser.parse_args().parts or PARTS:
        with ExitStack() as stack:
            missed += asyncio.run(run(PARTS[name], Site(stack))).missed
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
