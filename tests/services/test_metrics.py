"""What Prometheus is told by a process that works as it does on a server."""

import asyncio
import http.client
import json
import subprocess
import sys
import urllib.error
import urllib.request
from threading import Thread

import psycopg2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.chat_client import ChatClient
from tests.servers import ROOT, Daphne, wait_until


@pytest.fixture
def site(services):
    """A process behind a proxy whose word it takes, as docs/deploying.md says to run it."""
    variables = {**services.variables, "PAGE_THREADS": "2"}
    with Daphne(services.directory, variables, options=("--proxy-headers",)) as site:
        yield site


def scrape(site, **headers):
    """Status and text of /metrics."""
    request = urllib.request.Request(f"{site.url}/metrics", headers={"Host": "10.0.0.7:8000", **headers})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def figure(site, name, **labels):
    status, text = scrape(site)
    assert status == 200
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return next((s.value for s in samples if s.name == name and labels.items() <= s.labels.items()), None)


def open_page(site, path):
    """Through the proxy, over HTTPS; the status."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    headers = {"Host": "localhost", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    connection.request("GET", path, headers=headers)
    return connection.getresponse().status


def test_neighbour_is_told_and_nobody_who_comes_through_the_proxy(site):
    assert open_page(site, "/about-us/") == 200
    assert figure(site, "booktime_request_seconds_count", view="about_us", method="GET", status="200") == 1
    wait_until(lambda: (figure(site, "booktime_database_connections", state="open") or 0) >= 1, "the database's word")
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Proto"):
        assert scrape(site, **{header: "127.0.0.1"}) == (404, "Not found.")


def test_pages_that_hang_are_told_of_at_once(site, services):
    with psycopg2.connect(services.postgres.url) as blocker:
        blocker.cursor().execute("LOCK TABLE shop_product")
        # No kind of page has all threads.
        paths = ("/products/all/", "/", "/products/all/", "/", "/products/all/")
        visitors = [Thread(target=open_page, args=(site, path)) for path in paths]
        for visitor in visitors:
            visitor.start()
        wait_until(lambda: figure(site, "booktime_pages_waiting") == 3, "waiting of three pages")
        assert figure(site, "booktime_page_threads", state="busy") == 2
        wait_until(lambda: figure(site, "booktime_database_up") == 1, "the database's word")
        # All that was told while they hung.
        assert figure(site, "booktime_pages_waiting") == 3
        blocker.rollback()
    for visitor in visitors:
        visitor.join()
    wait_until(lambda: figure(site, "booktime_page_threads", state="busy") == 0, "end of the pages")


def test_process_tells_of_itself_while_the_database_is_away(site, services):
    services.postgres.stop()
    try:
        assert figure(site, "booktime_database_up") == 0
        assert figure(site, "booktime_tasks", state="queued") is None
    finally:
        services.postgres.start()
    wait_until(lambda: figure(site, "booktime_database_up") == 1, "return of the database")


def test_sockets_and_event_streams_are_counted(site):
    command = [sys.executable, "-m", "benchmarks.chat_people", "1", "1"]
    done = subprocess.run(command, env=site.environment(), cwd=ROOT, capture_output=True, check=True)
    people = json.loads(done.stdout)
    (order,), (agent,) = people["orders"], people["agents"]

    async def talk():
        async with ChatClient([site.url.replace("http", "ws")], order["order"], order["token"]) as alice:
            await alice.until(lambda c: c.has("chat_join", username="shopper0"))
            return await asyncio.to_thread(figure, site, "booktime_sockets")

    assert asyncio.run(talk()) == 1
    wait_until(lambda: figure(site, "booktime_sockets") == 0, "departure of the shopper")
    stream = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    cookie = {"Host": "localhost", "Cookie": f"sessionid={agent['session']}", "X-Forwarded-Proto": "https"}
    stream.request("GET", "/customer-service/notify/", headers=cookie)
    assert stream.getresponse().readline().startswith(b"event: presence")
    assert figure(site, "booktime_event_streams") == 1
    stream.close()
    wait_until(lambda: figure(site, "booktime_event_streams") == 0, "departure of the agent")
