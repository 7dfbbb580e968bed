"""Redis is killed, or hangs, while people shop and chat."""

import asyncio
import time

import httpx
import pytest

from tests.crowd import HEADERS, Crowd, Talk, eventually, people
from tests.services.test_health import health_of

# Seconds; benchmarks/faults.py measures it, on a machine that does nothing else.
HEALED_WITHIN = 10


def is_healthy(servers) -> bool:
    return all(health_of(server) == (200, "ok") for server in servers)


def through_outages(servers, fail, heal, times: int, seconds: float) -> tuple[Crowd, list[float]]:
    """The crowd that shopped meanwhile, and the seconds until all was live after each return."""
    urls = [server.url for server in servers]
    orders, agents = people(servers[0], 5, 5)
    live_after = []

    async def shop_on():
        async with Crowd(urls) as crowd, Talk(urls, orders, agents) as talk:
            await talk.until_live()
            for _ in range(times):
                await asyncio.to_thread(fail)
                await asyncio.sleep(seconds)
                await asyncio.to_thread(heal)
                returned = time.monotonic()
                await eventually(lambda: is_healthy(servers), 30)
                await talk.until_live()
                live_after.append(time.monotonic() - returned)
            await talk.until_whole()
        return crowd

    return asyncio.run(shop_on()), live_after


def test_people_shop_and_chat_while_redis_is_killed(shop, redis_server):
    crowd, live_after = through_outages(shop, redis_server.kill, redis_server.start, times=3, seconds=1)
    assert len(crowd.answers) > 50
    assert crowd.share_without_5xx() == 1, crowd.statuses()
    assert crowd.baskets_lost == 0
    assert max(live_after) < HEALED_WITHIN


def test_people_shop_and_chat_while_redis_hangs(shop, redis_server):
    crowd, live_after = through_outages(shop, redis_server.hang, redis_server.go_on, times=1, seconds=4)
    assert crowd.share_without_5xx() == 1, crowd.statuses()
    assert crowd.baskets_lost == 0
    # Each process waits for it once, not each request.
    assert sum(answer.took > 0.5 for answer in crowd.answers) < 20
    assert crowd.longest() < 5
    assert max(live_after) < HEALED_WITHIN


def test_outage_is_logged_once(shop, redis_server):
    redis_server.kill()
    for _ in range(5):
        assert httpx.get(f"{shop[0].url}/basket/", headers=HEADERS, cookies={"sessionid": "0" * 32}).status_code == 200
    assert shop[0].log.read_text().count("Redis does not answer") == 1


@pytest.mark.parametrize("leave", ["/logout/"])
def test_session_that_ended_while_redis_was_away_stays_ended(shop, redis_server, leave):
    """The old session stands in Redis still: it hung, and lost nothing."""
    with httpx.Client(base_url=shop[0].url, headers=HEADERS, timeout=10) as alice:
        alice.get("/signup/")
        form = {
            "email": "alice@example.com",
            "password1": "correct-horse-battery",
            "password2": "correct-horse-battery",
        }
        post(alice, "/signup/", form)
        assert alice.get("/orders/").status_code == 200
        stolen = alice.cookies["sessionid"]
        redis_server.hang()
        try:
            assert post(alice, leave, {}).status_code == 302
        finally:
            redis_server.go_on()
    asyncio.run(eventually(lambda: "Redis answers again" in shop[0].log.read_text(), 5))
    answer = httpx.get(f"{shop[0].url}/orders/", headers=HEADERS, cookies={"sessionid": stolen})
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/login/?next=/orders/")


def post(client: httpx.Client, path: str, data: dict[str, str]) -> httpx.Response:
    return client.post(path, data={**data, "csrfmiddlewaretoken": client.cookies["csrftoken"]})
