import socket
import threading

import pytest
import redis

from shop.circuit_breaker import CircuitBreaker, RedisCircuitBreaker
from tests.servers import free_port, wait_until


def test_one_thread_asks_until_there_is_an_answer(caplog):
    answers, may_answer, probes = iter([ConnectionError, ConnectionError]), threading.Event(), []

    def probe():
        probes.append(threading.current_thread())
        if not may_answer.is_set():
            raise next(answers)

    breaker = CircuitBreaker("The oracle", probe)
    for _ in range(10):
        breaker.open(TimeoutError("silence"))
    wait_until(lambda: len(probes) == 2, "two probes")
    assert breaker.is_open
    may_answer.set()
    wait_until(lambda: not breaker.is_open, "the end")
    assert len(set(probes)) == 1
    assert [text for text in caplog.messages if "does not answer" in text] == [
        "The oracle does not answer, going on without: TimeoutError"
    ]


@pytest.fixture
def silent_port():
    """Connections are taken, and nothing is said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_silent_redis_is_waited_for_once(silent_port, monkeypatch):
    breaker = RedisCircuitBreaker(f"redis://127.0.0.1:{silent_port}/0")
    monkeypatch.setattr(breaker, "open", lambda error: setattr(breaker, "is_open", True))
    with pytest.raises(redis.TimeoutError), breaker.asking():
        breaker.redis.get("a")
    with pytest.raises(redis.ConnectionError), breaker.asking():
        pytest.fail("Redis was asked again.")


def test_what_was_not_written_is_known_for_a_while(monkeypatch):
    breaker = RedisCircuitBreaker(f"redis://127.0.0.1:{free_port()}/0")
    monkeypatch.setattr(breaker, "open", lambda error: None)
    for key, now in (("a", 1000.0), ("b", 1200.0), ("a", 1250.0), ("c", 1501.0), ("d", 1502.0)):
        monkeypatch.setattr("shop.circuit_breaker.time.monotonic", lambda now=now: now)
        with pytest.raises(redis.ConnectionError), breaker.asking(key):
            breaker.redis.set(key, "1")
    assert list(breaker.unsure) == ["a", "c", "d"]
