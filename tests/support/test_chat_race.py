"""Many who write at once, and a reader who only ever asks for what came after their last message."""

import random
import time
from threading import Event
from uuid import uuid4

import pytest

from support.models import Chat, ChatMessage
from tests.races import at_once, no_locks

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def slow_commits(monkeypatch):
    """A transaction takes its time after the message got its id."""
    keep = Chat.answered_or_waiting

    def slowly(chat, message):
        time.sleep(random.uniform(0, 0.02))
        keep(chat, message)

    monkeypatch.setattr(Chat, "answered_or_waiting", slowly)


def missed_by_a_reader(order, people) -> set[int]:
    chat, done, seen = Chat.objects.of(order), Event(), [0]

    def write(person):
        for number in range(15):
            chat.post(person, str(number))

    def write_all():
        results = at_once(*(lambda person=person: write(person) for person in people))
        done.set()
        return results

    def read():
        while not done.is_set():
            seen.extend(message.pk for message in order.chat_messages.all().after(seen[-1]))
        seen.extend(message.pk for message in order.chat_messages.all().after(seen[-1]))

    errors = at_once(write_all, read)
    assert errors == [[None] * len(people), None]
    return set(ChatMessage.objects.values_list("pk", flat=True)) - set(seen)


def test_reader_misses_nothing_while_four_write(order, alice, bob, erin, olga, slow_commits):
    assert missed_by_a_reader(order, [alice, bob, erin, olga]) == set()


def test_without_the_lock_a_reader_misses_who_was_overtaken(order, alice, bob, monkeypatch):
    """The negative control: the first message has its id, and is not there until the second one was read."""
    chat, seen, keep = Chat.objects.of(order), [0], Chat.answered_or_waiting
    has_its_id, was_overtaken = Event(), Event()

    def first_comes_last(chat, message):
        if message.sender == alice:
            has_its_id.set()
            assert was_overtaken.wait(30)
        keep(chat, message)

    def overtake():
        assert has_its_id.wait(30)
        chat.post(bob, "Second")
        read()
        was_overtaken.set()

    def read():
        seen.extend(message.pk for message in order.chat_messages.all().after(seen[-1]))

    monkeypatch.setattr(Chat, "answered_or_waiting", first_comes_last)
    with no_locks(monkeypatch):
        results = at_once(lambda: chat.post(alice, "First"), overtake)
    read()
    assert not [result for result in results if isinstance(result, Exception)]
    assert [message.message for message in order.chat_messages.exclude(pk__in=seen)] == ["First"]


def test_one_client_id_sent_at_once_is_stored_once(order, alice):
    chat, client_id = Chat.objects.of(order), uuid4()
    results = at_once(*[lambda: chat.post(alice, "Once", client_id)] * 4)
    assert sorted(created for _, created in results) == [False, False, False, True]
    assert ChatMessage.objects.count() == 1


def test_two_agents_who_claim_at_once_do_not_both_get_it(order, erin, olga):
    chat = Chat.objects.of(order)
    assert sorted(at_once(lambda: chat.claim(erin), lambda: chat.claim(olga))) == [False, True]
