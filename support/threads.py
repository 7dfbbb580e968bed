"""Where the asynchronous side does what blocks: the database and Redis."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.db import connection

P = ParamSpec("P")
T = TypeVar("T")

# Each thread keeps one database connection, whatever the number of sockets and streams.
THREADS = 4
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="chat")


def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Run a function that blocks; SQLite, which has one writer at a time, gets one thread."""
    if connection.vendor == "sqlite":
        return database_sync_to_async(function)(*args, **kwargs)
    return database_sync_to_async(function, thread_sensitive=False, executor=_pool)(*args, **kwargs)
