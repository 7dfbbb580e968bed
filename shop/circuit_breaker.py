"""Services that the shop can do without for a while, or must: what a process knows of their being away.

The first who gets no answer says so. From then on nobody asks, so that a service that hangs costs its time once and not
each request; a thread of its own asks on until there is an answer, and only then does everybody ask again.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)


class CircuitBreaker:
    """Open while its service is away: nobody is to ask then. It closes by itself."""

    # Seconds between two probes: the first soon, since most outages are a hiccup.
    FIRST_PAUSE, LONGEST_PAUSE = 0.25, 1.0

    def __init__(self, service: str, probe: Callable[[], None]) -> None:
        """`probe` returns where the service works, and raises anything where it does not; it must not hang."""
        self.service, self.probe = service, probe
        self.is_open = False
        self.lock = threading.RLock()

    def open(self, error: BaseException) -> None:
        """Say that the service did not answer."""
        with self.lock:
            if self.is_open:
                return
            self.is_open = True
            logger.warning("%s does not answer, going on without: %s", self.service, type(error).__name__)
            threading.Thread(target=self.probe_until_it_answers, name=f"outage of {self.service}", daemon=True).start()

    def probe_until_it_answers(self) -> None:
        began, pause = time.monotonic(), self.FIRST_PAUSE
        while self.is_open:
            time.sleep(pause)
            pause = min(2 * pause, self.LONGEST_PAUSE)
            try:
                self.probe()
            except Exception as error:
                logger.debug("%s is still away: %s", self.service, type(error).__name__)
            else:
                self.close()
        logger.warning("%s answers again, after %.1f s", self.service, time.monotonic() - began)

    def close(self) -> None:
        self.is_open = False


# How to reach Redis where a request waits for it: it answers within milliseconds, or is away. A connection that a
# restart of Redis cut is replaced at once; silence is not asked for twice.
REDIS_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
    "retry": Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
}


class RedisCircuitBreaker(CircuitBreaker):
    # Seconds after which a write that did not arrive needs no undoing. What must never be out of date (a session) is
    # kept for less.
    DOUBT = 300

    def __init__(self, url: str) -> None:
        super().__init__("Redis", self.try_writing)
        self.redis = redis.Redis.from_url(url, **REDIS_OPTIONS)
        # Keys whose last write did not arrive, and when that was.
        self.unsure: dict[str, float] = {}

    @contextmanager
    def asking(self, *keys: str) -> Iterator[None]:
        """Ask Redis within this. Raises redis.RedisError, at once where Redis is known to be away.

        `keys` are those that are written: should that fail, what they held is forgotten before anybody reads it again.
        """
        try:
            if self.is_open:
                raise redis.ConnectionError("Redis is away.")
            yield
        except redis.RedisError as error:
            with self.lock:
                self.doubt(keys)
                self.open(error)
            raise

    def doubt(self, keys: tuple[str, ...]) -> None:
        now = time.monotonic()
        for key in keys:
            self.unsure.pop(key, None)
            self.unsure[key] = now
        # The oldest stand first.
        for key in [key for key, since in islice(self.unsure.items(), 2 * len(keys)) if now - since > self.DOUBT]:
            del self.unsure[key]

    def try_writing(self) -> None:
        # Not a PING: a Redis that is full, or somebody's replica, answers that as well.
        self.redis.set("booktime:probe", "1", ex=60)
        while keys := list(islice(self.unsure, 1000)):
            forgotten = {key: self.unsure[key] for key in keys}
            self.redis.delete(*forgotten)
            with self.lock:
                for key, since in forgotten.items():
                    if self.unsure.get(key) == since:
                        del self.unsure[key]

    def close(self) -> None:
        with self.lock:
            # Somebody may have failed to write since.
            self.is_open = bool(self.unsure)


@cache
def redis_circuit_breaker() -> RedisCircuitBreaker:
    """What this process knows of the site's Redis; there must be one."""
    return RedisCircuitBreaker(settings.REDIS_URL)
