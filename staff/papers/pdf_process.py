"""Where PDFs are made: one document after another, in one process beside this one (`staff/papers/typesetting.py`).

A page's thread waits for its document, but not for long, and few of them at once: the others answer that it is being
made, and find it kept when they ask again. A document is kept by all that stands in it, its stylesheet included: one
that changed is another one.
"""

import hashlib
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from django.conf import settings
from django.core.cache import BaseCache, caches

from shop.web.throttle import Stretch

# So many documents may be asked for at once: one that is being made, and those that wait for it.
MOST_JOBS = 4
# Seconds that a page's thread waits, and that a document may take.
PATIENCE, LIMIT = 20, 60
# Seconds for which a document is kept, and after which one that is being made may be asked for again.
KEPT, BACK_IN = 900, 2
# Documents that one person may have under way, and gets made in a minute.
A_PERSON, A_MINUTE = 2, 60


class NotYet(Exception):
    """The document is not made yet; it may be asked for again after so many seconds."""

    def __init__(self, seconds: int = BACK_IN) -> None:
        super().__init__(f"Not made yet, ask again in {seconds} s.")
        self.seconds = seconds


class TooMany(NotYet):
    """This person asked for so many documents lately that no other is made for them now."""


class NotMade(Exception):
    """The document cannot be made."""


class Overdue(threading.Timer):
    """Ends a process that takes longer than a document may."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        super().__init__(LIMIT, self.end)
        self.process, self.is_over = process, False

    def end(self) -> None:
        self.is_over = True
        self.process.kill()


class PdfProcess:
    """The process, started when there is something to do."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def typeset(self, document: bytes) -> bytes:
        """The PDF. Raises NotMade where the document is not right, or takes too long."""
        try:
            return self._ask(document)
        except (OSError, EOFError):
            # It was idle for long and ended, or somebody killed it: a new one does better.
            self.end()
        try:
            return self._ask(document)
        except (OSError, EOFError) as error:
            self.end()
            raise NotMade("The process that makes documents ended twice.") from error

    def _ask(self, document: bytes) -> bytes:
        if self.process is None:
            command = [sys.executable, "-m", "staff.papers.typesetting"]
            self.process = subprocess.Popen(  # noqa: S603  # a module of ours
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=settings.BASE_DIR
            )
        given, made = self.process.stdin, self.process.stdout
        if given is None or made is None:
            raise EOFError
        overdue = Overdue(self.process)
        overdue.start()
        try:
            given.write(struct.pack(">I", len(document)) + document)
            given.flush()
            is_pdf, length = struct.unpack(">BI", read(made, 5))
            content = read(made, length)
        except (OSError, EOFError) as error:
            if overdue.is_over:
                self.end()
                raise NotMade(f"The document was not made within {LIMIT} s.") from error
            raise
        finally:
            overdue.cancel()
        if not is_pdf:
            raise NotMade(content.decode())
        return content

    def end(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.communicate()


def read(file: IO[bytes], length: int) -> bytes:
    """So many bytes. Raises EOFError where there are less."""
    content = file.read(length)
    if len(content) < length:
        raise EOFError
    return content


class PdfQueue:
    """Takes documents to be made; knows which are under way, and for whom."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.jobs: dict[str, Future[bytes]] = {}
        self.people: dict[str, int] = {}
        self.waiting = 0
        self.queue: SimpleQueue[tuple[str, bytes, Future[bytes]]] = SimpleQueue()
        self.thread: threading.Thread | None = None

    def made(self, key: str, document: bytes, person: int) -> bytes:
        """The PDF of a document. Raises NotYet, TooMany or NotMade."""
        with self.lock:
            job = self.jobs.get(key)
        if job is None:
            job = self._counted(key, document, person)
        with self.lock:
            # Most pages' threads stay free for pages.
            if self.waiting >= max(1, settings.PAGE_THREADS // 2):
                raise NotYet
            self.waiting += 1
        try:
            return job.result(timeout=PATIENCE)
        except TimeoutError:
            raise NotYet from None
        finally:
            with self.lock:
                self.waiting -= 1

    def _counted(self, key: str, document: bytes, person: int) -> "Future[bytes]":
        # Not in the lock: a cache that hangs would hold up whoever waits for a document already.
        minute = Stretch(f"papers:{person}", 60)
        if minute.count() > A_MINUTE:
            raise TooMany(minute.seconds_left())
        try:
            with self.lock:
                return self.jobs.get(key) or self._take(key, document, person)
        except NotYet:
            minute.take_back()
            raise

    def _take(self, key: str, document: bytes, person: int) -> "Future[bytes]":
        if len(self.jobs) >= MOST_JOBS or list(self.people.values()).count(person) >= A_PERSON:
            raise NotYet
        job: Future[bytes] = Future()
        self.jobs[key], self.people[key] = job, person
        self.queue.put((key, document, job))
        if self.thread is None or not self.thread.is_alive():
            # A process that ends does not wait for it.
            self.thread = threading.Thread(target=self._work, name="pdf queue", daemon=True)
            self.thread.start()
        return job

    def _work(self) -> None:
        typesetter = PdfProcess()
        while True:
            key, document, job = self.queue.get()
            try:
                content = typesetter.typeset(document)
                # Whoever asked may be gone: they come back for it.
                kept_in().set(key, content, KEPT)
                self._done(key)
                job.set_result(content)
            except Exception as error:
                self._done(key)
                job.set_exception(error)

    def _done(self, key: str) -> None:
        with self.lock:
            del self.jobs[key], self.people[key]


def kept_in() -> BaseCache:
    """The cache for documents, or the only one that there is."""
    return caches["papers" if "papers" in settings.CACHES else "default"]


pdf_queue = PdfQueue()


def printed(html: str, files: Iterable[Path], *, person: int) -> bytes:
    """The PDF of a document, made or kept; `files` are those that it may use, `person` the key of who asks.

    Raises NotYet where it takes longer than a page may, TooMany where this person asked for too many of them, and
    NotMade where it is not to be made.
    """
    used = sorted(files)
    digest = hashlib.sha256(html.encode())
    for path in used:
        digest.update(path.read_bytes())
    key = digest.hexdigest()
    kept: bytes | None = kept_in().get(key)
    document = json.dumps({"html": html, "files": [str(path) for path in used]}).encode()
    return kept if kept is not None else pdf_queue.made(key, document, person)
