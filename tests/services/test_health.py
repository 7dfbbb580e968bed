import signal
import time
import urllib.error
import urllib.request

from tests.servers import wait_until

WELL = (200, "ok")


def health_of(server):
    try:
        with urllib.request.urlopen(f"{server.url}/healthz", timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def wait_for_health(server, expected=WELL):
    """A part that takes longer than it may on a busy machine is called away meanwhile."""
    wait_until(lambda: health_of(server) == expected, f"health {expected}")


def test_health_follows_the_services(daphne, server_variables, postgres_server, redis_server):
    site = daphne(**server_variables)
    wait_for_health(site)
    redis_server.kill()
    wait_for_health(site, (503, "redis: failed (ConnectionError)"))
    redis_server.start()
    wait_for_health(site)
    postgres_server.stop()
    wait_for_health(site, (503, "database: failed (OperationalError)"))
    postgres_server.start()
    wait_for_health(site)


def test_service_that_hangs_is_told_within_seconds(daphne, server_variables, redis_server):
    site = daphne(**server_variables)
    wait_for_health(site)
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        asked = time.monotonic()
        status, text = health_of(site)
        assert status == 503
        assert "redis: " in text
        # After two or three seconds, where the machine has nothing else to do.
        assert time.monotonic() - asked < 15
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
