"""The chat's socket, as a client sees it."""

import asyncio
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import InterfaceError
from django.test import Client
from rest_framework.authtoken.models import Token

from support.live.thread_pool import in_thread
from support.models import Chat, ChatMessage
from tests.conftest import browser_of
from tests.support.conftest import connected, next_of, run, socket

pytestmark = pytest.mark.django_db(transaction=True)


def test_people_see_each_other_join_speak_and_leave(order, alices, erins):
    async def conversation():
        async with connected(order, alices) as alice:
            assert await alice.receive_json_from() == {"type": "chat_join", "username": "Alice Liddell"}
            async with connected(order, erins) as erin:
                joined = {"type": "chat_join", "username": "Erin Office"}
                assert await alice.receive_json_from() == await erin.receive_json_from() == joined
                client_id = str(uuid4())
                await alice.send_json_to({"type": "message", "message": "Hello <b>", "client_id": client_id})
                said = await erin.receive_json_from()
                assert said == await alice.receive_json_from()
                assert said.pop("sent_at").endswith("Z")
                assert said.pop("id") > 0
                assert said == {
                    "type": "chat_message",
                    "username": "Alice Liddell",
                    "message": "Hello <b>",
                    "client_id": client_id,
                }
            assert await alice.receive_json_from() == {"type": "chat_leave", "username": "Erin Office"}

    run(conversation)
    assert ChatMessage.objects.get(order=order).message == "Hello <b>"


def test_message_that_the_database_does_not_take_is_named(order, alices, monkeypatch):
    """So that its sender sends that one again."""

    def lose(*args, **kwargs):
        raise InterfaceError("connection already closed")

    async def conversation():
        async with connected(order, alices) as alice:
            await alice.receive_json_from()
            with monkeypatch.context() as patch:
                patch.setattr("support.live.chat_socket.say", lose)
                await alice.send_json_to({"type": "message", "message": "Hello", "client_id": client_id})
                refused = await alice.receive_json_from()
            assert (refused["code"], refused["client_id"]) == ("unavailable", client_id)
            await alice.send_json_to({"type": "message", "message": "Hello", "client_id": client_id})
            assert (await alice.receive_json_from())["client_id"] == client_id

    client_id = str(uuid4())
    run(conversation)


def test_employee_who_joins_becomes_last_spoken_to(order, erin, erins, alices):
    async def join():
        async with connected(order, alices), connected(order, erins):
            pass

    run(join)
    order.refresh_from_db()
    assert order.last_spoken_to == erin


def test_strangers_are_refused_at_the_handshake(order, bob, dan):
    async def knock():
        for visitor in (None, logged_in_bob, logged_in_dan):
            assert (await socket(order, visitor).connect())[0] is False
        assert (await socket(order, query="?token=nonsense").connect())[0] is False

    logged_in_bob, logged_in_dan = browser_of(bob), browser_of(dan)
    run(knock)


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        ("http://testserver", True),
        ("https://testserver", False),
        ("http://testserver:81", False),
        ("http://evil.example", False),
        ("null", False),
        ("http://testserver:port", False),
        ("http://chat.testserver", False),
        ("http://testserver.evil.example", False),
        ("http://testserver@evil.example", False),
        ("file://testserver", False),
        ("", False),
    ],
)
def test_another_sites_page_cannot_use_a_shoppers_cookie(order, alices, origin, accepted):
    async def knock():
        communicator = socket(order, alices, headers=[(b"origin", origin.encode())])
        assert (await communicator.connect())[0] is accepted
        await communicator.disconnect()

    run(knock)


@pytest.mark.parametrize("credential", ["cookie", "token"])
def test_host_that_is_not_ours_is_refused(order, alice, alices, credential):
    """A name of another's that was made to lead here has the same origin as itself, and links in mails would use it."""
    query = f"?token={Token.objects.create(user=alice).key}" if credential == "token" else ""

    async def knock():
        foreign = [(b"host", b"evil.example"), (b"origin", b"http://evil.example")]
        communicator = socket(order, None if query else alices, query, foreign)
        assert not (await communicator.connect())[0]
        await communicator.disconnect()

    run(knock)


def test_token_opens_a_socket_from_anywhere(order, alice):
    token = Token.objects.create(user=alice).key

    async def join():
        foreign = [(b"origin", b"https://phone.example"), (b"host", b"testserver")]
        async with connected(order, query=f"?token={token}", headers=foreign) as phone:
            assert (await phone.receive_json_from())["type"] == "chat_join"

    run(join)


def test_second_connection_of_a_person_neither_joins_nor_leaves(order, alices, erins):
    async def two_tabs():
        async with connected(order, erins) as erin:
            await next_of(erin, "chat_join")
            async with connected(order, alices):
                await next_of(erin, "chat_join")
                async with connected(order, alices):
                    pass
                assert await erin.receive_nothing(0.3)
            assert (await next_of(erin, "chat_leave"))["username"] == "Alice Liddell"

    run(two_tabs)


def test_since_replays_what_came_after_before_anything_live(order, alice, alices):
    chat = Chat.objects.of(order)
    first, *rest = [chat.post(alice, text)[0] for text in ("one", "two", "three")]

    async def come_back():
        async with connected(order, alices, query=f"?since={first.pk}") as client:
            frames = [await client.receive_json_from() for _ in range(3)]
            assert [frame.get("message") for frame in frames] == ["two", "three", None]
            assert [frame.get("id") for frame in frames[:2]] == [message.pk for message in rest]
            assert frames[2]["type"] == "chat_join"
        for bad in ("?since=x", "?since=-1", "?since=", "?since=1e9", f"?since={'9' * 30}", ""):
            async with connected(order, alices, query=bad) as client:
                assert (await client.receive_json_from())["type"] == "chat_join"
                assert await client.receive_nothing(0.05)

    run(come_back)


def test_message_sent_again_is_stored_and_shown_once(order, alices):
    frame = {"type": "message", "message": "Once", "client_id": str(uuid4())}

    async def send_twice():
        async with connected(order, alices) as client:
            await client.send_json_to(frame)
            await client.send_json_to(frame)
            assert (await next_of(client, "chat_message"))["message"] == "Once"
            assert await client.receive_nothing(0.3)
        async with connected(order, alices) as again:
            await again.send_json_to(frame)
            assert (await next_of(again, "chat_message"))["client_id"] == frame["client_id"]

    run(send_twice)
    assert ChatMessage.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("no json", "not_json"),
        ("[1]", "not_json"),
        ("[" * 50_000, "not_json"),
        ('{"type": "dance"}', "unknown_type"),
        ('{"type": ["message"]}', "unknown_type"),
        ("{}", "unknown_type"),
        ('{"type": "message", "message": "  "}', "empty"),
        ('{"type": "message"}', "invalid"),
        ('{"type": "message", "message": 7}', "invalid"),
        ('{"type": "message", "message": "\\u0000"}', "invalid"),
        ('{"type": "message", "message": "\\ud800"}', "invalid"),
        ('{"type": "message", "message": "x", "client_id": "7"}', "client_id"),
        ('{"type": "message", "message": "x", "client_id": [7]}', "client_id"),
        ('{"type": "message", "message": "%s"}' % ("x" * 4001), "too_long"),
        ('{"type": "seen", "id": "x"}', "invalid"),
    ],
)
def test_bad_input_is_answered_with_an_error_and_the_connection_stays(order, alices, sent, code):
    async def talk():
        async with connected(order, alices) as client:
            await next_of(client, "chat_join")
            await client.send_to(text_data=sent)
            error = await client.receive_json_from()
            assert (error["type"], error["code"]) == ("error", code)
            assert error["detail"]
            await client.send_json_to({"type": "message", "message": "é" * 4000})
            assert (await next_of(client, "chat_message"))["message"] == "é" * 4000

    run(talk)


def test_bytes_are_an_error_too(order, alices):
    async def talk():
        async with connected(order, alices) as client:
            await client.send_to(bytes_data=b"\xff")
            assert (await next_of(client, "error"))["code"] == "not_json"

    run(talk)


def test_hundred_messages_in_ten_seconds_and_then_an_error_that_says_when_to_go_on(order, hundred_said, alices):
    ChatMessage.objects.last().delete()

    async def flood():
        async with connected(order, alices) as one, connected(order, alices) as other:
            await one.send_json_to({"type": "message", "message": "the hundredth"})
            await next_of(other, "chat_message")
            await other.send_json_to({"type": "message", "message": "one too many"})
            error = await next_of(other, "error")
            assert error["code"] == "rate_limit"
            assert error["retry_after"] == 10
            assert "go on in 10 seconds" in error["detail"]

    run(flood)
    assert ChatMessage.objects.count() == 100


def test_message_nobody_was_woken_for_comes_with_a_heartbeat(order, alices, erin):
    async def lose_a_wake_up():
        async with connected(order, alices) as client:
            await next_of(client, "chat_join")
            await sync_to_async(chat.post)(erin, "Are you there?")
            await client.send_json_to({"type": "heartbeat"})
            assert (await next_of(client, "chat_message"))["message"] == "Are you there?"

    chat = Chat.objects.of(order)
    run(lose_a_wake_up)


@pytest.mark.parametrize("end", ["log out", "token", "disabled", "password", "role"])
def test_socket_closes_within_5_seconds_of_the_end_of_its_right(order, alice, alices, erin, erins, end):
    token = Token.objects.create(user=alice)

    def revoke():
        if end == "log out":
            alices.logout()
        elif end == "token":
            token.delete()
        elif end == "disabled":
            alice.is_active = False
            alice.save()
        elif end == "password":
            alice.set_password("another")
            alice.save()
        else:
            erin.groups.clear()

    async def outstay():
        query = f"?token={token.key}" if end == "token" else ""
        client = {"token": None, "role": erins}.get(end, alices)
        async with connected(order, client, query=query) as open_socket:
            await next_of(open_socket, "chat_join")
            await sync_to_async(revoke)()
            assert await open_socket.receive_output(timeout=20) == {"type": "websocket.close", "code": 4401}

    run(outstay)


def test_typing_and_seen_are_shown_to_the_other_side_alone(order, alice, alices, erins):
    async def talk():
        async with connected(order, alices) as shopper, connected(order, erins) as agent:
            await shopper.send_json_to({"type": "typing"})
            assert (await next_of(agent, "chat_typing"))["username"] == "Alice Liddell"
            await shopper.send_json_to({"type": "message", "message": "Hello?"})
            said = await next_of(agent, "chat_message")
            await agent.send_json_to({"type": "seen", "id": said["id"]})
            assert (await next_of(shopper, "chat_seen"))["id"] == said["id"]
            await shopper.send_json_to({"type": "state"})
            state = await next_of(shopper, "chat_state")
            assert state == {"type": "chat_state", "present": ["Erin Office"], "seen": said["id"]}

    run(talk)


def test_whoever_is_told_to_be_connected_misses_nothing_from_then_on(order, alices, erins, monkeypatch):
    """What the others do is shown once, not stored as messages are."""

    async def answer_slowly(*args, **kwargs):
        result = await in_thread(*args, **kwargs)
        await asyncio.sleep(0.3)
        return result

    async def talk():
        async with connected(order, alices) as shopper:
            monkeypatch.setattr("support.live.chat_socket.in_thread", answer_slowly)
            async with connected(order, erins) as agent:
                await shopper.send_json_to({"type": "typing"})
                assert (await next_of(agent, "chat_typing"))["username"] == "Alice Liddell"

    run(talk)


def test_message_posted_without_a_socket_reaches_open_sockets(order, alices, erins):
    async def post():
        async with connected(order, erins) as agent:
            await next_of(agent, "chat_join")
            url = f"/mobile-api/my-orders/{order.pk}/messages/"
            answer = await sync_to_async(alices.post)(url, {"message": "From a form"})
            assert answer.status_code == 201
            assert (await next_of(agent, "chat_message"))["message"] == "From a form"

    run(post)


def test_unknown_order_is_refused(order, alices: Client):
    async def knock():
        order.pk = 10**25
        assert (await socket(order, alices).connect())[0] is False

    run(knock)
