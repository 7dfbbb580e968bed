"""Sessions in the database, each kept for a minute in the cache.

What a process could not write to Redis it forgets there before it reads again (`shop.circuit_breaker`). Should it
die before that, or another process have read meanwhile, a minute ends the old session all the same.
"""

from typing import Any

from django.contrib.sessions.backends import cached_db
from django.core.cache import BaseCache

CACHED_FOR = 60


class BriefCache:
    """A cache that keeps nothing for longer than `CACHED_FOR` seconds."""

    def __init__(self, cache: BaseCache) -> None:
        self.cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cache, name)

    def __contains__(self, key: str) -> bool:
        return key in self.cache

    def set(self, key: str, value: Any, timeout: int) -> None:
        self.cache.set(key, value, min(timeout, CACHED_FOR))

    async def aset(self, key: str, value: Any, timeout: int) -> None:
        await self.cache.aset(key, value, min(timeout, CACHED_FOR))


class SessionStore(cached_db.SessionStore):
    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache: Any = BriefCache(self._cache)
