"""Errors told to `ADMINS` by mail: seldom, without secrets, and never in the way of an answer.

The same error, which is one of the same kind at the same place, is mailed once in `PAUSE` by all processes together. A
mail holds the traceback and says which request it was, but nothing that the visitor sent with it: neither query, form,
cookies nor headers. A thread of its own sends it, so that a mail server that hangs or is away delays nobody.
"""

import logging
import socket
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.cache import cache

from booktime.observing.logs import LONGEST_PATH, request_id, scrub

logger = logging.getLogger(__name__)

PAUSE = 600  # seconds
LONGEST_MAIL = 30_000  # characters
# A process that ends sends what waits first, and each mail may take a while.
MOST_WAITING = 5


class ErrorMail(logging.Handler):
    """A handler of the logs that mails what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.postman = ThreadPoolExecutor(1, thread_name_prefix="error-mail")
        self.room = threading.BoundedSemaphore(MOST_WAITING)
        # What this process mailed when, and how many of it not, since the cache that all share may be away.
        self.mailed: dict[str, float] = {}
        self.missed: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        if not settings.ADMINS:
            return
        error, now = fingerprint(record), time.monotonic()
        lately = now - self.mailed.get(error, -PAUSE) < PAUSE
        if lately or not self.room.acquire(blocking=False):
            self.missed[error] += 1
            return
        self.mailed[error] = now
        try:
            sent = self.postman.submit(self.post, error, f"{self.format(record)}\n\n{circumstances(record)}")
            sent.add_done_callback(lambda _: self.room.release())
        except RuntimeError:  # Python is ending
            self.room.release()

    def post(self, error: str, text: str) -> None:
        """Mail it, unless another process did so lately; whatever the mail server does, it is over then."""
        if not is_first(error):
            self.missed[error] += 1
            self.mailed.pop(error, None)
            return
        missed = self.missed.pop(error, 0)
        more = f"\nIt happened {missed} more times in this process since it was mailed before.\n" if missed else ""
        try:
            mail.mail_admins(f"Error: {error}"[:200], scrub(f"{text}\n{more}", LONGEST_MAIL))
        except Exception as failure:
            logger.warning("Error not mailed (%s): %s", type(failure).__name__, error)


def fingerprint(record: logging.LogRecord) -> str:
    """What it is the same error by: "ValueError in /srv/booktime/shop/mail/outgoing.py, line 7"."""
    kind, where = record.name, (record.pathname, record.lineno)
    if record.exc_info and record.exc_info[0]:
        kind = record.exc_info[0].__qualname__
        if frames := traceback.extract_tb(record.exc_info[2]):
            where = (frames[-1].filename, frames[-1].lineno or 0)
    return f"{kind} in {where[0]}, line {where[1]}"


def is_first(error: str) -> bool:
    try:
        return cache.add(f"error-mail:{error}".replace(" ", ""), True, PAUSE)
    except Exception:  # without the cache each process speaks for itself
        return True


def circumstances(record: logging.LogRecord) -> str:
    """Which request it was, of whom, and where."""
    facts: dict[str, Any] = {"Host": socket.gethostname(), "Version": settings.GIT_REV, "Request id": request_id.get()}
    if request := getattr(record, "request", None):
        user = getattr(request, "_cached_user", None)
        facts |= {"Request": f"{request.method} {scrub(request.path, LONGEST_PATH)}", "User": getattr(user, "pk", None)}
    return "\n".join(f"{name}: {fact}" for name, fact in facts.items() if fact)
