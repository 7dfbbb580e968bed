"""The cache in Redis: while Redis is away, an empty one."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, TypeVar

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from shop.circuit_breaker import REDIS_OPTIONS, redis_circuit_breaker

T = TypeVar("T")


def asked(ask: Callable[..., T], *arguments: Any, otherwise: T, writes: Iterable[str] = ()) -> T:
    """What Redis says, or `otherwise` while it is away; what `writes` names is forgotten when it is back."""
    try:
        with redis_circuit_breaker().asking(*writes):
            return ask(*arguments)
    except redis.RedisError:
        return otherwise


class Client(RedisCacheClient):
    """As Django's, over each method that the cache calls."""

    @cached_property
    def client(self) -> redis.Redis:
        return super().get_client()

    def get_client(self, key: Any = None, *, write: bool = False) -> redis.Redis:
        # Django makes one for each call, which takes as long as asking Redis. Nothing changes in it, and there is one
        # server to reach.
        return self.client

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        return asked(super().add, key, value, timeout, otherwise=True)

    def get(self, key: Any, default: Any) -> Any:
        return asked(super().get, key, default, otherwise=default)

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        asked(super().set, key, value, timeout, otherwise=None, writes=[key])

    def touch(self, key: Any, timeout: Any) -> bool:
        return asked(super().touch, key, timeout, otherwise=False)

    def delete(self, key: Any) -> bool:
        return asked(super().delete, key, otherwise=False, writes=[key])

    def get_many(self, keys: Any) -> Any:
        return asked(super().get_many, keys, otherwise=dict[Any, Any]())

    def has_key(self, key: Any) -> bool:
        return asked(super().has_key, key, otherwise=False)

    def incr(self, key: Any, delta: int) -> int:
        """Raises ValueError for a key that is not there."""
        value = asked(super().incr, key, delta, otherwise=None)
        if value is None:
            raise ValueError(f"Key {key!r} not found.")
        return int(value)

    def set_many(self, data: Any, timeout: Any) -> None:
        asked(super().set_many, data, timeout, otherwise=None, writes=data)

    def delete_many(self, keys: Any) -> None:
        asked(super().delete_many, keys, otherwise=None, writes=keys)

    def clear(self) -> bool:
        return asked(super().clear, otherwise=False)


class Cache(RedisCache):
    """`CACHES`' backend; its LOCATION is the site's `REDIS_URL`."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": {**REDIS_OPTIONS, **params.get("OPTIONS", {})}})
        self._class = Client
