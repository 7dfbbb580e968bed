"""PostgreSQL is restarted, or hangs, while people shop and chat."""

import asyncio
import time

import httpx
import psycopg2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.crowd import HEADERS, Crowd, Talk, eventually, people
from tests.services.test_health import health_of, wait_for_health

# Seconds, with room for what else the machine does; benchmarks/faults.py measures it where there is nothing else.
HEALED_WITHIN, LONGEST = 20, 20
# After so long every process knows that a server hangs.
NOTICED_WITHIN = 5


def ask(server, path, **headers):
    return httpx.get(f"{server.url}{path}", headers=HEADERS | headers, timeout=60)


def test_people_shop_and_chat_through_restarts(shop, postgres_server):
    orders, agents = people(shop[0], 5, 5)
    healed_after = []

    async def shop_on():
        urls = [server.url for server in shop]
        async with Crowd(urls) as crowd, Talk(urls, orders, agents) as talk:
            await talk.learn_pace()
            await talk.until_live()
            for _ in range(3):
                await asyncio.to_thread(postgres_server.restart_immediately)
                returned = time.monotonic()
                await talk.until_live()
                await asyncio.sleep(1)
                healed_after.append(crowd.healed_after(returned))
            await talk.until_whole()
        return crowd

    crowd = asyncio.run(shop_on())
    # 400: what a page answers to a form whose book is gone, and what a session that was not saved must not become.
    assert set(crowd.statuses()) <= {200, 302, 503}, crowd.statuses()
    assert crowd.statuses()[200] > 10
    assert max(healed_after) < HEALED_WITHIN
    assert crowd.longest() < LONGEST


@pytest.mark.parametrize("fault", ["stopped", "hung"])
def test_everybody_is_told_in_their_own_way(shop, postgres_server, fault):
    (order,), (agent,) = people(shop[0], 1, 1)
    server, token = shop[0], order["token"]
    for path in ("/", "/orders/"):
        ask(server, path)
    if fault == "stopped":
        postgres_server.stop()
    else:
        postgres_server.hang()
    try:
        began = time.monotonic()
        page = ask(server, "/products/all/")
        assert time.monotonic() - began < LONGEST
        assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
        assert "The shop is out for a moment" in page.text
        assert '<a class="btn btn--primary" href="/products/all/">' in page.text
        assert "Content-Security-Policy" in page.headers
        fragment = ask(server, "/basket/", **{"HX-Request": "true", "Cookie": f"sessionid={agent['session']}"})
        assert (fragment.status_code, fragment.text[:8]) == (503, "The shop")
        for path in (f"/mobile-api/my-orders/?token={token}", f"/mobile-api/my-orders/{order['order']}/tracker/"):
            answer = ask(server, path, Authorization=f"Token {token}")
            assert (answer.status_code, list(answer.json())) == (503, ["detail"]), path
        assert ask(server, "/api/orders/", Authorization=f"Token {token}").json()["detail"].startswith("The shop")
        # A page that is not there looks up the visitor's basket, an agent's stream the agent.
        cookie = {"Cookie": f"sessionid={agent['session']}"}
        for path in ("/nowhere/", "/customer-service/notify/", "/admin/"):
            assert ask(server, path, **cookie).status_code == 503, path
        assert refusal_of(server, order) == 503
        assert health_of(server)[0] == 503
        # Nobody's page needs it.
        assert ask(server, "/static/css/booktime.css").status_code in (200, 404)
        assert time.monotonic() - began < 4 * LONGEST
    finally:
        if fault == "stopped":
            postgres_server.start()
        else:
            postgres_server.go_on()
    returned = time.monotonic()
    for one in shop:
        while ask(one, "/products/all/").status_code != 200:
            assert time.monotonic() - returned < HEALED_WITHIN
            time.sleep(0.1)
    assert ask(server, "/customer-service/", Cookie=f"sessionid={agent['session']}").status_code == 200
    wait_for_health(server)


def refusal_of(server, order) -> int:
    url = f"{server.url.replace('http', 'ws')}/ws/customer-service/{order['order']}/?token={order['token']}"

    async def knock():
        async with connect(url, open_timeout=60):
            return 101

    try:
        return asyncio.run(knock())
    except InvalidStatus as refusal:
        return refusal.response.status_code


def test_crowd_never_waits_long_for_a_server_that_hangs(shop, postgres_server):
    async def shop_on():
        async with Crowd([server.url for server in shop]) as crowd:
            await eventually(lambda: len(crowd.answers) > 20, 60)
            await asyncio.to_thread(postgres_server.hang)
            hung = time.monotonic()
            try:
                await asyncio.sleep(NOTICED_WITHIN + 5)
            finally:
                await asyncio.to_thread(postgres_server.go_on)
            returned = time.monotonic()
            await asyncio.sleep(5)
        return crowd, hung, returned

    crowd, hung, returned = asyncio.run(shop_on())
    assert set(crowd.statuses()) <= {200, 302, 503}, crowd.statuses()
    assert 503 in crowd.statuses()
    # Without a memory of the outage every visitor would wait for three seconds, and for those before.
    assert crowd.typical(hung + NOTICED_WITHIN, returned) < crowd.typical(0, hung) + 1.5
    assert crowd.longest() < LONGEST
    assert crowd.healed_after(returned) < HEALED_WITHIN


def test_slow_query_is_waited_for(shop, postgres_server):
    """A server that answers others is not away: here the query waits for somebody's lock."""
    with psycopg2.connect(postgres_server.url) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE shop_product IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()

        async def ask_and_release():
            asking = asyncio.create_task(asyncio.to_thread(ask, shop[0], "/products/all/"))
            await asyncio.sleep(5)
            assert not asking.done()
            connection.rollback()
            return await asking

        answer = asyncio.run(ask_and_release())
    assert answer.status_code == 200
    assert time.monotonic() - began >= 5
