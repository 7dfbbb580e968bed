"""Passwords are hashed by turns: each takes a processor for a quarter of a second, and a thread that serves pages.

Whatever hashes one in this process comes through here: log-ins at every door, sign-ups, new passwords. So many at once
that pages are still served beside them; where threads serve pages few may wait, for a moment, and who finds no room is
told to come again (`shop.web.middleware.LoginAnswers` makes a 503 of it).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher


class TooManyHashes(Exception):
    """As many passwords as may be are being hashed, and others wait already."""


class HashingQueue:
    """`with turns.take():` lets `at_once` in, and as many as `waiting` wait for it, for so many seconds.

    Without `waiting` everybody waits for as long as it takes.
    """

    def __init__(self, at_once: int, waiting: int | None = None, seconds: float = 0) -> None:
        self.places = BoundedSemaphore(at_once)
        self.queue = BoundedSemaphore(waiting) if waiting else None
        self.is_patient, self.seconds = waiting is None, seconds

    @contextmanager
    def take(self) -> Iterator[None]:
        """Raises TooManyHashes where there is no room."""
        if not (self.places.acquire(blocking=self.is_patient) or self._waited()):
            raise TooManyHashes
        try:
            yield
        finally:
            self.places.release()

    def _waited(self) -> bool:
        if self.queue is None or not self.queue.acquire(blocking=False):
            return False
        try:
            return self.places.acquire(timeout=self.seconds)
        finally:
            self.queue.release()


turns = HashingQueue(settings.HASHES_AT_ONCE)


def keep_threads_for_pages() -> None:
    """In a process whose threads serve pages: let few of them wait, and not for long."""
    global turns
    turns = HashingQueue(settings.HASHES_AT_ONCE, settings.HASHES_WAITING, seconds=5)


class PasswordHasher(PBKDF2PasswordHasher):
    """Django's own, by turns."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with turns.take():
            return super().encode(password, salt, iterations)
