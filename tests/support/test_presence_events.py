"""The agents' live list, as its page and its stream show it."""

import asyncio
import json
import re
import threading

import pytest
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator
from django.test import Client

from support.live import event_stream
from support.live.hub import tell
from support.live.presence import presence
from support.models import Chat
from tests.conftest import browser_of
from tests.support.conftest import connected, cookie, run

pytestmark = pytest.mark.django_db(transaction=True)


class Stream:
    """An open event stream, read event by event."""

    def __init__(self, client, query="", headers=()):
        path = f"/customer-service/notify/{query}"
        self.http = HttpCommunicator(self.application, "GET", path, headers=[*cookie(client), *headers])
        # While it is not set, the client takes nothing after what it has.
        self.flows = asyncio.Event()
        self.flows.set()

    async def application(self, scope, receive, send):
        from booktime.asgi import application

        async def send_in_time(message):
            await send(message)
            if message["type"] == "http.response.body":
                await self.flows.wait()

        await application(scope, receive, send_in_time)

    async def __aenter__(self):
        await self.http.send_input({"type": "http.request", "body": b""})
        self.start = await self.http.receive_output(timeout=30)
        return self

    async def __aexit__(self, *exc):
        await self.http.send_input({"type": "http.disconnect"})
        await self.http.wait(timeout=30)

    async def event(self):
        """The next event; comments, which come when nothing changes for a while, are passed over."""
        while (chunk := (await self.http.receive_output(timeout=30))["body"].decode()).startswith(":"):
            pass
        name = re.search(r"^event: (.*)$", chunk, re.M).group(1)
        return name, "\n".join(re.findall(r"^data: (.*)$", chunk, re.M))

    async def list_with(self, text):
        """The next list with this text: on a busy machine some are drawn between two steps of a test."""
        while text not in (html := (await self.event())[1]):
            pass
        return html


@sync_to_async
def say(order, text):
    Chat.objects.of(order).post(order.user, text)
    tell(order.pk)


def test_strangers_get_403(alice, dan):
    for client in (Client(), browser_of(alice), browser_of(dan)):
        assert client.get("/customer-service/notify/?nopoll").status_code == 403
        assert client.get("/customer-service/notify/").status_code == 403


def test_nopoll_answers_who_is_present_once(order, alices, erins):
    async def look():
        async with connected(order, alices), connected(order, erins):
            return await sync_to_async(erins.get)("/customer-service/notify/?nopoll")

    found = []

    async def keep():
        found.append(await look())

    run(keep)
    assert found[0]["Content-Type"] == "text/event-stream"
    body = found[0].content.decode()
    assert body.startswith("data: ")
    assert body.endswith("\n\n")
    assert json.loads(body[6:]) == [
        {"link": f"/customer-service/{order.pk}/", "text": f"{order.pk} (alice@example.com, erin@example.com)"}
    ]
    assert erins.get("/customer-service/notify/?nopoll").content == b"data: []\n\n"


def test_stream_shows_the_list_at_once_and_whenever_it_changes(order, alices, erins):
    async def watch():
        async with Stream(erins) as stream:
            headers = dict(stream.start["headers"])
            assert stream.start["status"] == 200
            assert headers[b"Content-Type"] == b"text/event-stream"
            assert headers[b"X-Accel-Buffering"] == b"no"
            name, html = await stream.event()
            assert name == "presence"
            assert "All quiet" in html
            async with connected(order, alices) as alice:
                await stream.list_with("alice@example.com")
                await alice.send_json_to({"type": "message", "message": "Anybody <there>?"})
                assert "1 unread" in await stream.list_with("Anybody &lt;there&gt;?")
            await stream.list_with("Nobody is here now")

    run(watch)


def test_stream_ends_when_its_employee_logs_out(erins):
    async def watch():
        async with Stream(erins) as stream:
            await stream.event()
            await sync_to_async(erins.logout)()
            while (await stream.http.receive_output(timeout=30)).get("more_body"):
                pass

    run(watch)


def test_streams_of_others_go_on(order, erins, client_of, olga):
    async def watch():
        async with Stream(erins) as ended, Stream(olga_client) as other:
            await sync_to_async(erins.logout)()
            while (await ended.http.receive_output(timeout=30)).get("more_body"):
                pass
            await say(order, "Anybody there?")
            await other.list_with("Anybody there?")

    olga_client = client_of(olga)
    run(watch)


@pytest.mark.parametrize("changes", [1, 15])
@pytest.mark.parametrize("is_slow_from_the_start", [True, False])
def test_slow_reader_gets_the_last_list_and_holds_up_nobody(order, erins, changes, is_slow_from_the_start):
    async def watch():
        async with Stream(erins) as quick:
            slow = Stream(erins)
            if is_slow_from_the_start:
                slow.flows.clear()
            async with slow:
                await slow.event()
                slow.flows.clear()
                for number in range(changes):
                    await say(order, f"Message {number}.")
                    await quick.list_with(f"Message {number}.")
                slow.flows.set()
                await slow.list_with(f"Message {changes - 1}.")

    run(watch)


@pytest.mark.postgres  # SQLite gets one thread, in which one list is drawn after the other
def test_list_that_was_drawn_for_who_left_is_sent_to_nobody(order, erins, monkeypatch):
    draw, drawn, let_go = event_stream.render_to_string, threading.Event(), threading.Event()

    def draw_slowly(*args):
        html = draw(*args)
        if "First." in html and not drawn.is_set():
            drawn.set()
            let_go.wait(30)
        return html

    async def watch():
        async with Stream(erins) as left:
            await left.event()
            await say(order, "First.")
            assert await sync_to_async(drawn.wait, thread_sensitive=False)(30)
        async with Stream(erins) as stream:
            await say(order, "Second.")
            await stream.list_with("Second.")
            let_go.set()
            await say(order, "Third.")
            lists = [""]
            while "Third." not in lists[-1]:
                lists.append((await stream.event())[1])
            assert not any("First." in each for each in lists)

    monkeypatch.setattr(event_stream, "render_to_string", draw_slowly)
    run(watch)


@pytest.mark.parametrize("query", ["", "?es-meta=x", "?lastEventId=x", "?recover=true"])
def test_stream_begins_with_the_list_whatever_a_client_says_of_it(erins, query):
    async def watch():
        async with Stream(erins, query, [(b"last-event-id", b"error")]) as stream:
            assert stream.start["status"] == 200
            assert (await stream.event())[0] == "presence"

    run(watch)


def test_person_who_was_silent_for_ten_seconds_is_not_present(order, alices, erins):
    async def fall_silent():
        from support.live.hub import Hub

        async with connected(order, alices) as alice:
            (room,) = Hub.here().rooms.values()
            (member,) = room.members
            member.heard_at -= 11
            await Hub.here().beat()
            assert presence().present() == {}
            await alice.send_json_to({"type": "heartbeat"})
            async with Stream(erins) as stream:
                await stream.list_with("alice@example.com")

    run(fall_silent)


def test_longest_wait_comes_first_and_an_answer_ends_it(order, alice, erin, erins):
    from tests.factories import OrderFactory

    second = OrderFactory(user=alice)
    Chat.objects.of(second).post(alice, "First to ask")
    Chat.objects.of(order).post(alice, "Second to ask")
    html = erins.get("/customer-service/").content.decode()
    assert "2 waiting for an answer" in html
    assert html.index(f"/customer-service/{second.pk}/") < html.index(f"/customer-service/{order.pk}/")
    Chat.objects.of(second).post(erin, "An answer")
    html = erins.get("/customer-service/").content.decode()
    assert f"/customer-service/{second.pk}/" not in html
    assert "1 waiting for an answer" in html


def test_list_needs_a_number_of_queries_that_does_not_grow(alice, erins, django_assert_max_num_queries):
    from tests.factories import OrderFactory

    for _ in range(15):
        Chat.objects.of(OrderFactory(user=alice)).post(alice, "Hello")
    with django_assert_max_num_queries(10):
        assert erins.get("/customer-service/").content.decode().count("chat-row--waiting") == 15


def test_list_is_for_employees(alices):
    assert alices.get("/customer-service/").status_code == 403
    assert Client().get("/customer-service/").status_code == 302
