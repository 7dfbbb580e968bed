import pytest

from booktime.resilience import redis_cache as module
from booktime.resilience.redis_cache import Cache
from booktime.resilience.sessions import CACHED_FOR, BriefCache
from shop.circuit_breaker import RedisCircuitBreaker
from tests.servers import free_port


@pytest.fixture
def cache(monkeypatch):
    """One whose Redis is away."""
    url = f"redis://127.0.0.1:{free_port()}/0"
    breaker = RedisCircuitBreaker(url)
    monkeypatch.setattr(module, "redis_circuit_breaker", lambda: breaker)
    yield Cache(url, {})
    breaker.is_open = False


def test_cache_without_redis_is_an_empty_one(cache):
    cache.set("a", 1)
    cache.set_many({"b": 2})
    assert cache.get("a", "nothing") == "nothing"
    assert cache.get_many(["a", "b"]) == {}
    assert "a" not in cache
    assert cache.add("a", 1) is True
    assert cache.touch("a") is False
    assert cache.delete("a") is False
    cache.delete_many(["a"])
    assert cache.get_or_set("a", lambda: 5) == 5
    with pytest.raises(ValueError, match="not found"):
        cache.incr("a")


def test_sessions_are_cached_for_a_minute_at_most():
    class Noting(dict):
        def set(self, key, value, timeout):
            self[key] = timeout

    noting = Noting()
    brief = BriefCache(noting)
    brief.set("long", "session", 1_209_600)
    brief.set("short", "session", 5)
    assert noting == {"long": CACHED_FOR, "short": 5}
    assert "long" in brief
