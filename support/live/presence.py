"""Who is in which chat, by connection.

Each open connection is one member of one sorted set, scored by when it was last heard from. In Redis all processes
share the set, and each shows there that it lives: what a dead process left behind is swept up by the others.
Without Redis there is one process, and the set is its own. Every call may take a while: call it in a thread.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import redis
from django.conf import settings

from shop.circuit_breaker import REDIS_OPTIONS, RedisCircuitBreaker, redis_circuit_breaker

# Who was not heard from for so many seconds is not present.
SILENCE = 10
# A process that did not show for so many seconds that it lives holds no sockets: it shows so each second.
SHOWN_WITHIN = 3


class TooManySockets(Exception):
    """A person has as many sockets open as anybody may."""


class Connection(NamedTuple):
    order_id: int
    user_id: int
    server: str  # the process that holds it
    name: str

    @classmethod
    def parse(cls, member: bytes) -> "Connection":
        order_id, user_id, server, name = member.decode().split()
        return cls(int(order_id), int(user_id), server, name)

    def __str__(self) -> str:
        return f"{self.order_id} {self.user_id} {self.server} {self.name}"

    @property
    def person(self) -> str:
        """What all connections of this person to this chat begin with."""
        return f"{self.order_id} {self.user_id} "


def people(connections: Iterable[Connection]) -> dict[int, set[int]]:
    """Order id -> ids of the users in its chat."""
    present: dict[int, set[int]] = defaultdict(set)
    for connection in connections:
        present[connection.order_id].add(connection.user_id)
    return dict(present)


class MemoryPresence:
    def __init__(self) -> None:
        self.heard_at: dict[Connection, float] = {}

    def _has_another(self, connection: Connection) -> bool:
        return any(c.person == connection.person and c != connection for c in list(self.heard_at))

    def enter(self, connection: Connection, most_elsewhere: int) -> bool:
        """Count a connection in; whether it is the person's first to this chat.

        Raises TooManySockets where other processes hold more than `most_elsewhere` of this person's.
        """
        self.heard_at[connection] = time.time()
        return not self._has_another(connection)

    def leave(self, connection: Connection) -> bool:
        """Count a connection out; whether it was the person's last to this chat."""
        self.heard_at.pop(connection, None)
        return not self._has_another(connection)

    def beat(self, server: str, heard: dict[Connection, float]) -> list[Connection]:
        """Say that a process lives and when its connections were last heard; the last ones of people now lost."""
        self.heard_at.update(heard)
        return []

    def present(self) -> dict[int, set[int]]:
        """Who is in which chat now: order id -> user ids."""
        since = time.time() - SILENCE
        return people(c for c, heard_at in list(self.heard_at.items()) if heard_at > since)


HAS_ANOTHER = """
local function has_another()
  for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if member ~= ARGV[1] and string.sub(member, 1, #ARGV[2]) == ARGV[2] then return 1 end
  end
  return 0
end
"""
ENTER = f"""
{HAS_ANOTHER}
local elsewhere = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local user, server = string.match(member, '^%d+ (%d+) (%S+)')
  if user == ARGV[4] and server ~= ARGV[5] then
    local shown = tonumber(redis.call('ZSCORE', KEYS[2], server) or 0)
    if ARGV[3] - shown < {SHOWN_WITHIN} then elsewhere = elsewhere + 1 end
  end
end
if elsewhere > tonumber(ARGV[6]) then return -1 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[5])
return has_another()
"""
LEAVE = f"{HAS_ANOTHER} redis.call('ZREM', KEYS[1], ARGV[1]) return has_another()"


class RedisPresence:
    """The same, shared by all processes. Every call may raise redis.RedisError."""

    CONNECTIONS, SERVERS = "booktime:chat:connections", "booktime:chat:servers"

    def __init__(self, url: str, breaker: RedisCircuitBreaker) -> None:
        self.redis: Any = redis.Redis.from_url(url, **REDIS_OPTIONS)
        self.breaker = breaker
        # What this process knows by itself, for when Redis is away.
        self.own = MemoryPresence()
        self._enter = self.redis.register_script(ENTER)
        self._leave = self.redis.register_script(LEAVE)

    def enter(self, connection: Connection, most_elsewhere: int) -> bool:
        self.own.enter(connection, most_elsewhere)
        person = [connection.person, str(time.time()), str(connection.user_id)]
        arguments = [str(connection), *person, connection.server, str(most_elsewhere)]
        with self.breaker.asking():
            others = self._enter([self.CONNECTIONS, self.SERVERS], arguments)
        if others < 0:
            raise TooManySockets
        return not others

    def leave(self, connection: Connection) -> bool:
        self.own.leave(connection)
        with self.breaker.asking():
            return not self._leave([self.CONNECTIONS], [str(connection), connection.person])

    def beat(self, server: str, heard: dict[Connection, float]) -> list[Connection]:
        self.own.beat(server, heard)
        with self.breaker.asking():
            return self._beat(server, heard, time.time())

    def _beat(self, server: str, heard: dict[Connection, float], now: float) -> list[Connection]:
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.zadd(self.SERVERS, {server: now})
        if heard:
            pipeline.zadd(self.CONNECTIONS, {str(connection): at for connection, at in heard.items()})
        pipeline.zremrangebyscore(self.SERVERS, "-inf", now - SILENCE)
        pipeline.zrange(self.SERVERS, 0, -1)
        pipeline.zrangebyscore(self.CONNECTIONS, "-inf", now - SILENCE)
        *_, alive, silent = pipeline.execute()
        servers = {name.decode() for name in alive}
        left = [c for c in map(Connection.parse, silent) if c.server not in servers or self._is_stray(c, server, heard)]
        return [c for c in left if self.redis.zrem(self.CONNECTIONS, str(c)) and self.leave(c)]

    @staticmethod
    def _is_stray(connection: Connection, server: str, heard: dict[Connection, float]) -> bool:
        return connection.server == server and connection not in heard

    def present(self) -> dict[int, set[int]]:
        with self.breaker.asking():
            heard = self.redis.zrangebyscore(self.CONNECTIONS, f"({time.time() - SILENCE}", "+inf")
        return people(map(Connection.parse, heard))


@cache
def presence() -> MemoryPresence | RedisPresence:
    """Where this site keeps who is present."""
    return RedisPresence(settings.REDIS_URL, redis_circuit_breaker()) if settings.REDIS_URL else MemoryPresence()


def present_now() -> dict[int, set[int]]:
    """Who is in which chat now: order id -> user ids; those in this process alone while Redis does not answer."""
    store = presence()
    try:
        return store.present()
    except redis.RedisError:
        return store.own.present() if isinstance(store, RedisPresence) else {}


def present_in(order_id: int) -> set[int]:
    """Ids of the users in a chat now, as far as `present_now` knows."""
    return present_now().get(order_id, set())
