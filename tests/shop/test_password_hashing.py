"""At most a few passwords are hashed at once, and few wait for it, so that pages are served meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.test import Client

from shop.models import User
from shop.people import password_hashing
from shop.people.password_hashing import HashingQueue, TooManyHashes
from tests.factories import PASSWORD
from tests.shop.test_throttle import by_api, by_app, by_office, by_page

NEW = "lantern-orchard-42"


def sign_up(browser, email, password):
    return browser.post("/signup/", {"email": "new@example.com", "password1": NEW, "password2": NEW})


def change(browser, email, password):
    browser.force_login(User.objects.get(email=email))
    return browser.post("/password-change/", {"old_password": password, "new_password1": NEW, "new_password2": NEW})


@pytest.fixture
def all_taken(settings, monkeypatch, erin):
    """Every turn is taken, and nobody waits long."""
    settings.PASSWORD_HASHERS = ["shop.people.password_hashing.PasswordHasher"]
    monkeypatch.setattr(password_hashing, "turns", HashingQueue(1, 1, seconds=0.01))
    with password_hashing.turns.take():
        yield


@pytest.mark.parametrize("door", [by_page, by_app, by_api, by_office, sign_up, change])
def test_who_finds_no_room_is_asked_to_come_again(all_taken, erin, door):
    answer = door(Client(), erin.email, PASSWORD)
    assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "1", "no-store")
    assert "Try again in a moment" in answer.content.decode()


@pytest.mark.parametrize("door", [by_page, by_app, by_api, by_office])
def test_it_tells_of_no_account_and_counts_as_no_guess(all_taken, erin, door):
    answers = [door(Client(), email, "wrong") for email in (erin.email, "nobody@example.com") for _ in range(6)]
    assert {answer.status_code for answer in answers} == {503}


def test_page_that_updates_itself_is_told_in_a_sentence(all_taken, erin):
    answer = Client().post("/login/", {"email": erin.email, "password": "x"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["Content-Type"]) == (503, "text/plain")


def at_once(turns, people):
    """How many were in at the same time at most, and how many found no room, of so many who come at once."""
    inside, most, lock, all_came = [0], [0], threading.Lock(), threading.Event()
    came = [0]

    def note_arrival():
        with lock:
            came[0] += 1
            if came[0] == people:
                all_came.set()

    def come(_):
        try:
            with turns.take():
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                note_arrival()
                all_came.wait(0.5)
                with lock:
                    inside[0] -= 1
                return True
        except TooManyHashes:
            note_arrival()
            return False

    with ThreadPoolExecutor(people) as pool:
        let_in = sum(pool.map(come, range(people)))
    return most[0], people - let_in


def test_few_are_hashed_at_once_and_few_wait():
    assert at_once(HashingQueue(2, 1, seconds=60), 8) == (2, 5)
    # Where there is room for all, all are in at once: the test would see it.
    assert at_once(HashingQueue(8, 1, seconds=60), 8) == (8, 0)


def test_who_waits_gives_up_and_leaves_room():
    turns = HashingQueue(1, 1, seconds=0.01)
    with turns.take():
        for _ in range(3):
            with pytest.raises(TooManyHashes), turns.take():
                pass
    with turns.take():
        pass


@pytest.mark.parametrize(("threads", "turns"), [(1, (1, 0)), (2, (1, 0)), (4, (2, 1)), (16, (2, 8))])
def test_a_thread_is_left_for_pages(threads, turns):
    import subprocess
    import sys

    code = "from booktime import settings as s; print(s.HASHES_AT_ONCE, s.HASHES_WAITING)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, env={"PAGE_THREADS": str(threads)})
    assert tuple(map(int, told.stdout.split())) == turns


def test_passwords_of_before_still_fit(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    before = make_password(PASSWORD)
    settings.PASSWORD_HASHERS = ["shop.people.password_hashing.PasswordHasher"]
    assert check_password(PASSWORD, before)
    assert not check_password("wrong", before)
