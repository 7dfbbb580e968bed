"""Whose request gets a thread next: who asks for much waits behind themselves, and not in front of the others.

Threads are few and a queue that goes by arrival alone belongs to whoever sends most. Here each asker has a queue of
their own, and the next free thread goes to who has the fewest. An asker is an address (of IPv6 the network, as one
person has as many addresses there as they like), the session or credentials that come with the request, and the part
of the site that is asked for: so two people behind one address, and one person's basket and their large report, do not
wait for each other. What it is worth is measured by `python -m benchmarks.neighbours --no-turns`.
"""

import asyncio
import math
import re
import time
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from shop.values.ip_networks import network_of

SESSION = re.compile(rb"(?:^|;\s*)sessionid=([^;\s]+)")
# More of one asker are told to come back; a page sends a handful at once, a shop's API client a dozen.
MOST_WAITING, MOST_WAITING_OF_ADDRESS = 200, 500
# For so many seconds after another one asked nobody is alone.
COMPANY = 1.0


class Asker(NamedTuple):
    address: str
    # The part of the site that they ask for: "products".
    part: str
    # The session or credentials, which anybody may make up.
    person: bytes


def asker_of(scope: Mapping[str, Any]) -> Asker:
    """Who sends the request of an ASGI scope."""
    session = credentials = b""
    for name, value in scope.get("headers", ()):
        if name == b"cookie" and (found := SESSION.search(value)):
            session = found[1]
        elif name == b"authorization":
            credentials = value
    part = scope["path"].split("/", 2)[1:2]
    address = (scope.get("client") or ("",))[0]
    with suppress(ValueError):  # a Unix socket has none
        address = network_of(address)
    return Asker(address, "".join(part), session or credentials)


def levels(asker: Asker) -> tuple[tuple[str | bytes, ...], ...]:
    """Their address, the part of the site there, and themselves: in this sequence turns are shared out."""
    return asker[:1], asker[:2], asker


class FairQueue:
    """Hands out `places`: half of them to one asker at once, three quarters to one address. Used in one event loop.

    Who is not alone has a quarter: threads that compute take turns with each other, so that each one more is a page
    that takes longer.
    """

    def __init__(self, places: int) -> None:
        self.places = self.free = places
        self.most_of_one_alone, self.most_of_one = max(places // 2, 1), max(places // 4, 1)
        self.most_of_address = places - places // 4
        # Who was the last to ask, and when another one did.
        self.last: Asker | None = None
        self.company_at = -math.inf
        # By asker, by part of the site at an address, and by address.
        self.taken: Counter[tuple[str | bytes, ...]] = Counter()
        self.waiting_of: Counter[str] = Counter()
        # Who was served longest ago comes first.
        self.queues: dict[Asker, deque[asyncio.Future[None]]] = {}

    @property
    def waiting(self) -> int:
        """How many requests wait for a place."""
        return self.waiting_of.total()

    def ask(self, asker: Asker) -> "asyncio.Future[None] | None":
        """A future that is done once it is their turn, to be given back by `give_back`; None where too many wait."""
        if self.last not in (None, asker):
            self.company_at = time.monotonic()
        self.last = asker
        if len(self.queues.get(asker, ())) >= MOST_WAITING or self.waiting_of[asker.address] >= MOST_WAITING_OF_ADDRESS:
            return None
        turn = asyncio.get_running_loop().create_future()
        self.queues.setdefault(asker, deque()).append(turn)
        self.waiting_of[asker.address] += 1
        self.hand_out()
        return turn

    def leave(self, asker: Asker, turn: "asyncio.Future[None]") -> None:
        """Wait no longer, or do without the turn that came."""
        if turn.done():
            self.give_back(asker)
            return
        queue = self.queues[asker]
        queue.remove(turn)
        self.waiting_of -= Counter({asker.address: 1})
        if not queue:
            del self.queues[asker]

    def give_back(self, asker: Asker) -> None:
        """The place is free for the next."""
        self.free += 1
        self.taken.subtract(levels(asker))
        self.taken += Counter()
        self.hand_out()

    def hand_out(self) -> None:
        while self.free and (may := [asker for asker in self.queues if self.may_have_another(asker)]):
            asker = min(may, key=lambda one: [self.taken[level] for level in levels(one)])
            queue = self.queues.pop(asker)
            turn = queue.popleft()
            if queue:
                self.queues[asker] = queue
            self.free -= 1
            self.waiting_of -= Counter({asker.address: 1})
            self.taken.update(levels(asker))
            turn.set_result(None)

    def may_have_another(self, asker: Asker) -> bool:
        alone = time.monotonic() - self.company_at > COMPANY
        most = self.most_of_one_alone if alone else self.most_of_one
        return self.taken[asker] < most and self.taken[asker[:1]] < self.most_of_address
