"""Where the asynchronous side does what blocks: the database and Redis."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.db import connection

P = ParamSpec("P")
T = TypeVar("T")

# Each thread keeps one database connection, whatever the number of sockets and streams.
THREADS = 4
pool = ThreadPoolExecutor(THREADS, thread_name_prefix="chat")
# Sockets are counted in one after the other. Were each to queue behind all that is being said, 50 that come back after
# a restart would wait longer than daphne lets them, and fill the queue anew with what they could not send.
presence_thread = ThreadPoolExecutor(1, thread_name_prefix="presence")


def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Run a function that blocks; SQLite, which has one writer at a time, gets one thread."""
    if connection.vendor == "sqlite":
        return database_sync_to_async(function)(*args, **kwargs)
    return database_sync_to_async(function, thread_sensitive=False, executor=pool)(*args, **kwargs)


def in_presence_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Run what asks Redis alone who is present."""
    return asyncio.get_running_loop().run_in_executor(presence_thread, partial(function, *args, **kwargs))


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def in_request_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that blocks where an asynchronous view's middleware runs: in a thread of this request alone.

    The thread ends with the request, so a database connection is not kept; as many are open at once as `THREADS`.
    """
    async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(THREADS)):
        return await sync_to_async(closing_connection)(function, *args, **kwargs)


def closing_connection(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return function(*args, **kwargs)
    finally:
        if not connection.in_atomic_block:
            connection.close()
