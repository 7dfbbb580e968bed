"""How far the clocks of the site, its database and its Redis are apart."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import redis
from django.conf import settings
from django.db import connection

# By how much clocks may differ: who is present in a chat is judged by seconds.
MOST_APART = timedelta(seconds=2)


def other_clocks() -> Iterator[tuple[str, timedelta]]:
    """Whose there are, and how far each is from ours at least: to be asked takes its time, too."""
    if connection.vendor == "postgresql":
        yield "the database's", distance(time_of_database)
    if settings.REDIS_URL:
        yield "Redis'", distance(time_of_redis)


def distance(ask: Callable[[], float]) -> timedelta:
    before, moment, after = time.time(), ask(), time.time()
    return timedelta(seconds=max(before - moment, moment - after, 0))


def time_of_database() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])


def time_of_redis() -> float:
    with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2) as client:
        seconds, microseconds = client.time()
    return float(seconds + microseconds / 1e6)
