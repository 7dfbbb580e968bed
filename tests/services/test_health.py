import signal
import time
import urllib.error
import urllib.request


def health_of(server):
    try:
        with urllib.request.urlopen(f"{server.url}/healthz", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_health_follows_the_services(daphne, server_variables, postgres_server, redis_server):
    site = daphne(**server_variables)
    assert health_of(site) == (200, "ok")
    redis_server.kill()
    assert health_of(site) == (503, "redis: failed (ConnectionError)")
    redis_server.start()
    assert health_of(site) == (200, "ok")
    postgres_server.stop()
    assert health_of(site) == (503, "database: failed (OperationalError)")
    postgres_server.start()
    assert health_of(site) == (200, "ok")


def test_service_that_hangs_is_told_within_five_seconds(daphne, server_variables, redis_server):
    site = daphne(**server_variables)
    assert health_of(site) == (200, "ok")
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        asked = time.monotonic()
        status, text = health_of(site)
        assert status == 503
        assert text.startswith("redis: ")
        assert time.monotonic() - asked < 5
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
