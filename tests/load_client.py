"""A steady load: so many requests a second, as long as the machine can keep up, and what became of each."""

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """`status` is 0 where none came, and `error` says why; `at` is the monotonic time at which it was asked for."""

    request: Request
    status: int
    at: float
    seconds: float
    error: str = ""


class LoadClient:
    """Sends what `requests` gives (for ever: it is asked `rate` times a second), each on a connection of its own.

        with LoadClient(url, itertools.cycle([Request("/")])) as load:
            …
        assert not load.failures()

    At the end of the block every answer is there. `fails` tells a failure from an answer. While `MOST_UNANSWERED` are
    under way no other is sent: what a busy machine has not got round to is no failure of the site.
    """

    MOST_UNANSWERED = 32

    def __init__(
        self,
        url: str,
        requests: Iterable[Request],
        rate: float = 20,
        *,
        context: ssl.SSLContext | None = None,
        timeout: float = 60,
        fails: Callable[[Answer], bool] = lambda answer: not 200 <= answer.status < 400,
    ) -> None:
        self.address, self.requests, self.rate = urlsplit(url), iter(requests), rate
        self.context, self.timeout, self.fails = context, timeout, fails
        self.answers: list[Answer] = []
        self.over = threading.Event()
        self.pool = ThreadPoolExecutor(self.MOST_UNANSWERED, "load")
        self.unanswered = threading.Semaphore(self.MOST_UNANSWERED)
        self.clock = threading.Thread(target=self.keep_time, daemon=True)

    def __enter__(self) -> Self:
        self.clock.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        self.clock.join()
        self.pool.shutdown()

    def keep_time(self) -> None:
        began = time.monotonic()
        for number, request in enumerate(self.requests):
            if self.over.wait(max(0, began + number / self.rate - time.monotonic())):
                return
            self.unanswered.acquire()
            self.pool.submit(self.send, request).add_done_callback(lambda _: self.unanswered.release())

    def send(self, request: Request) -> None:
        at, status, error = time.monotonic(), 0, ""
        connection = self.connect()
        try:
            connection.request(request.method, request.path, request.body, dict(request.headers))
            response = connection.getresponse()
            response.read()
            status = response.status
        except (OSError, http.client.HTTPException) as failure:
            status, error = 0, repr(failure)
        finally:
            connection.close()
        self.answers.append(Answer(request, status, at, time.monotonic() - at, error))

    def connect(self) -> http.client.HTTPConnection:
        host, port = self.address.hostname or "localhost", self.address.port
        if self.address.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self.timeout, context=self.context)
        return http.client.HTTPConnection(host, port, timeout=self.timeout)

    def failures(self) -> list[Answer]:
        return [answer for answer in self.answers if self.fails(answer)]
