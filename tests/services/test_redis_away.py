"""Redis is killed, or hangs, while people shop and chat."""

import asyncio
import time
from typing import NamedTuple

import httpx
import pytest

from tests.crowd import HEADERS, Crowd, Talk, eventually, people
from tests.services.test_health import health_of

# Seconds, with room for what else the machine does; benchmarks/faults.py measures it where there is nothing else.
HEALED_WITHIN, LONGEST = 20, 20
# After so long every process knows that Redis hangs.
NOTICED_WITHIN = 1.5


def is_healthy(servers) -> bool:
    return all(health_of(server) == (200, "ok") for server in servers)


class Outage(NamedTuple):
    """The moments at which it began, at which the service was there again, and at which all was live."""

    began: float
    over: float
    live: float


def through_outages(servers, fail, heal, times: int, seconds: float) -> tuple[Crowd, list[Outage]]:
    """The crowd that shopped meanwhile, and the outages."""
    urls = [server.url for server in servers]
    orders, agents = people(servers[0], 5, 5)
    outages = []

    async def shop_on():
        async with Crowd(urls) as crowd, Talk(urls, orders, agents) as talk:
            await talk.learn_pace()
            await talk.until_live()
            await eventually(lambda: len(crowd.answers) > 20, 60)
            for _ in range(times):
                await asyncio.to_thread(fail)
                began = time.monotonic()
                await asyncio.sleep(seconds)
                await asyncio.to_thread(heal)
                over = time.monotonic()
                await eventually(lambda: is_healthy(servers), 60)
                await talk.until_live()
                outages.append(Outage(began, over, time.monotonic()))
            await talk.until_whole()
        return crowd

    return asyncio.run(shop_on()), outages


def test_people_shop_and_chat_while_redis_is_killed(shop, redis_server):
    crowd, outages = through_outages(shop, redis_server.kill, redis_server.start, times=3, seconds=1)
    assert crowd.share_without_5xx() == 1, crowd.statuses()
    assert crowd.baskets_lost == 0
    assert all(outage.live - outage.over < HEALED_WITHIN for outage in outages)


def test_people_shop_and_chat_while_redis_hangs(shop, redis_server):
    crowd, (outage,) = through_outages(shop, redis_server.hang, redis_server.go_on, times=1, seconds=4)
    assert crowd.share_without_5xx() == 1, crowd.statuses()
    assert crowd.baskets_lost == 0
    # Each process waits for it once, not each request.
    assert crowd.typical(outage.began + NOTICED_WITHIN, outage.over) < crowd.typical(0, outage.began) + 0.4
    assert crowd.longest() < LONGEST
    assert outage.live - outage.over < HEALED_WITHIN


def test_outage_is_logged_once(shop, redis_server):
    redis_server.kill()
    with httpx.Client(base_url=shop[0].url, headers=HEADERS, cookies={"sessionid": "0" * 32}, timeout=60) as visitor:
        for _ in range(5):
            assert visitor.get("/basket/").status_code == 200
    assert shop[0].log.read_text().count("Redis does not answer") == 1


@pytest.mark.parametrize("leave", ["/logout/"])
def test_session_that_ended_while_redis_was_away_stays_ended(shop, redis_server, leave):
    """The old session stands in Redis still: it hung, and lost nothing."""
    with httpx.Client(base_url=shop[0].url, headers=HEADERS, timeout=60) as alice:
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
    asyncio.run(eventually(lambda: "Redis answers again" in shop[0].log.read_text(), 60))
    answer = httpx.get(f"{shop[0].url}/orders/", headers=HEADERS, cookies={"sessionid": stolen}, timeout=60)
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/login/?next=/orders/")


def post(client: httpx.Client, path: str, data: dict[str, str]) -> httpx.Response:
    return client.post(path, data={**data, "csrfmiddlewaretoken": client.cookies["csrftoken"]})
