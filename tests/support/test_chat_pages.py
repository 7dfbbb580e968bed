"""A conversation of any length is read in pages: by people, by programs and by sockets."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from support.models import Chat, ChatMessage
from tests.support.conftest import connected, next_of, run

pytestmark = pytest.mark.django_db(transaction=True)

LONG = 450


@pytest.fixture
def said(order, alice):
    """The ids of a long conversation, which nobody in the office has seen."""
    past = timezone.now() - timedelta(hours=1)
    said = [ChatMessage(order=order, sender=alice, message=f"number {n}", sent_at=past) for n in range(LONG)]
    Chat.objects.of(order)
    return [message.pk for message in ChatMessage.objects.bulk_create(said)]


@pytest.fixture
def url(order):
    return f"/mobile-api/my-orders/{order.pk}/messages/"


@pytest.fixture
def page(order):
    return f"/customer-service/{order.pk}/"


def ids_on(answer):
    return [int(number) for number in re.findall(r'data-id="(\d+)"', answer.content.decode())]


def link_on(answer):
    """Where "Earlier messages" leads to, if there is such a link."""
    found = re.search(r'id="chat-earlier" href="([^"]+)"', answer.content.decode())
    return found and found[1]


def test_page_shows_the_newest_messages_and_leads_back_to_the_first_one(said, alices, page):
    """As without JavaScript: by links from page to page."""
    answer, shown = alices.get(page), []
    while True:
        shown = ids_on(answer) + shown
        assert len(ids_on(answer)) <= 200
        if not (link := link_on(answer)):
            break
        answer = alices.get(page + link)
    assert shown == said


def test_earlier_messages_come_as_a_fragment_to_htmx(said, alices, page):
    answer = alices.get(f"{page}?before={said[-200]}", headers={"HX-Request": "true"})
    assert ids_on(answer) == said[-400:-200]
    assert link_on(answer) == f"?before={said[-400]}"
    assert "<html" not in answer.content.decode()
    assert "HX-Request" in answer["Vary"]


def test_page_of_earlier_messages_leads_to_the_newest_and_is_not_live(said, alices, page):
    """Live it would be sent everything that lies between."""
    html = alices.get(f"{page}?before={said[-200]}").content.decode()
    assert f'href="{page}">Newest messages</a>' in html
    assert "data-chat" not in html
    assert "data-chat" in alices.get(page).content.decode()


def test_reading_earlier_messages_does_not_count_as_having_seen_the_newest(order, said, erins, page):
    erins.get(f"{page}?before={said[-200]}")
    assert Chat.objects.get().office_seen == 0
    erins.get(page)
    assert Chat.objects.get().office_seen == said[-1]


def test_whole_short_conversation_is_on_the_page_without_a_link(order, alice, alices, page):
    ChatMessage.objects.bulk_create([ChatMessage(order=order, sender=alice, message=str(n)) for n in range(200)])
    answer = alices.get(page)
    assert (len(ids_on(answer)), link_on(answer)) == (200, None)


@pytest.mark.parametrize("before", ["x", "-1", "", "9" * 30])
def test_bad_before_shows_the_newest(said, alices, page, url, before):
    assert ids_on(alices.get(f"{page}?before={before}")) == said[-200:]
    assert [message["id"] for message in alices.get(f"{url}?before={before}").json()] == said[:200]


def test_others_learn_nothing_by_asking_for_earlier_messages(said, client_of, bob, page, url):
    for address in (page, url):
        assert client_of(bob).get(f"{address}?before={said[-1]}", headers={"HX-Request": "true"}).status_code == 404


def test_program_reads_everything_by_the_last_id_of_each_page(said, alices, url):
    read, sizes = [0], []
    while not sizes or sizes[-1]:
        part = [message["id"] for message in alices.get(f"{url}?since={read[-1]}").json()]
        sizes.append(len(part))
        read += part
    assert read[1:] == said
    assert sizes == [200, 200, 50, 0]


def test_program_reads_backwards_from_the_newest(said, alices, url):
    newest = [message["id"] for message in alices.get(f"{url}?before={10**18 - 1}").json()]
    assert newest == said[-200:]
    assert [message["id"] for message in alices.get(f"{url}?before={newest[0]}").json()] == said[-400:-200]


def test_what_is_read_does_not_grow_with_the_conversation(
    order, said, alices, page, url, django_assert_max_num_queries
):
    for address in (page, url):
        with django_assert_max_num_queries(15):
            assert len(alices.get(address).content) < 200 * 600


def test_socket_replays_a_long_conversation_whole_and_in_order_before_what_is_said_meanwhile(
    order, said, alice, erin, alices, monkeypatch
):
    from support.live import chat_socket

    read, sizes = chat_socket.messages_after, []

    def read_and_say(order_id, message_id):
        """Something is said after each page was read, so that it can only come live, or by a later page."""
        page = read(order_id, message_id)
        sizes.append(len(page))
        Chat.objects.of(order).post(erin, f"while page {len(sizes)} is sent")
        return page

    async def come_back():
        monkeypatch.setattr(chat_socket, "messages_after", read_and_say)
        async with connected(order, alices, query=f"?since={said[9]}") as client:
            frames = [await client.receive_json_from() for _ in range(LONG - 10)]
            assert [frame.get("id") for frame in frames] == said[10:]
            rest = []
            while len(rest) < len(sizes):
                rest.append((await next_of(client, "chat_message"))["message"])
            assert rest == [f"while page {number + 1} is sent" for number in range(len(sizes))]

    run(come_back)
    assert max(sizes) <= 200
    assert len(sizes) > 1


def test_reader_who_leaves_is_not_read_to(order, said, alices, monkeypatch):
    """The rest of a long conversation is not fetched for somebody who is gone, whose place is free at once."""
    from support.live import chat_socket

    pages, read = [], chat_socket.messages_after
    monkeypatch.setattr(chat_socket, "has_left", lambda send: bool(pages))

    def count(*arguments):
        page = read(*arguments)
        pages.append(page)
        return page

    async def leave():
        monkeypatch.setattr(chat_socket, "messages_after", count)
        async with connected(order, alices, query="?since=0") as client:
            await client.receive_json_from()

    run(leave)
    assert len(pages) == 1


def test_desk_counts_unread_messages_up_to_99(order, said, erins):
    Chat.objects.update(waiting_since=timezone.now(), office_seen=said[-100])
    assert "99 unread" in erins.get("/customer-service/").content.decode()
    Chat.objects.update(office_seen=said[-101])
    assert "99+ unread" in erins.get("/customer-service/").content.decode()


def test_shopper_is_told_to_go_on_tomorrow_and_employees_are_not(order, alices, erins, url, monkeypatch):
    monkeypatch.setattr(ChatMessage, "MOST_A_DAY", 2)
    statuses = [alices.post(url, {"message": "Hello?"}).status_code for _ in range(2)]
    refused = alices.post(url, {"message": "Hello?"})
    assert statuses == [201, 201]
    assert (refused.status_code, refused.json()["code"]) == (429, "daily_limit")
    assert 0 < int(refused["Retry-After"]) <= 24 * 3600
    assert [erins.post(url, {"message": "Yes?"}).status_code for _ in range(3)] == [201] * 3
