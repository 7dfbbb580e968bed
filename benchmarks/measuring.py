"""What several benchmarks have in common: a site of their own with books in it, visitors, and comparing in one run."""

import argparse
import csv
import http.client
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psycopg2

from tests.servers import Daphne, Postgres, Redis, private_services

BOOKS = 10_000
CLIENTS = 8
# A word of it stands in a few hundred of the books, as in a real catalogue.
WORDS = [
    "garden",
    *(
        f"{start}{middle}{end}"
        for start in ("ri", "sto", "win", "gla")
        for middle in ("ver", "ne", "ter", "den", "land")
        for end in ("", "s", "ing", "er", "ly", "ful", "less", "ward", "ish", "en")
    ),
]
SUBJECTS = ["Fiction", "Poetry", "History", "Travel", "Science", "Crime", "Drama", "Essays", "Memoir", "Satire"]


def arguments(description: str | None, seconds: float, rounds: int | None = None) -> argparse.ArgumentParser:
    """How a benchmark is called that fills its shop from a catalogue, with its usual `--seconds` and `--rounds`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue", nargs="?", type=Path)
    parser.add_argument("pictures", nargs="?", type=Path, help="the folder of the catalogue's pictures")
    parser.add_argument("--seconds", type=float, default=seconds, help="how long each thing is measured at a time")
    if rounds:
        parser.add_argument("--rounds", type=int, default=rounds)
    return parser


# --- A site of its own


@contextmanager
def private_site(
    application: str = "booktime.asgi:application", options: tuple[str, ...] = (), **variables: str
) -> Iterator[Daphne]:
    """A daphne, still to be started, on a private PostgreSQL with empty tables and a private Redis."""
    with private_services() as services, tempfile.TemporaryDirectory(prefix="booktime-benchmark-") as name:
        server = Daphne(Path(name), {**services, **variables}, application, options)
        server.manage("migrate", "--verbosity", "0")
        server.manage("collectstatic", "--noinput", "--verbosity", "0")
        yield server


def fill(server: Daphne, catalogue: Path | None, pictures: Path | None) -> None:
    """Import a catalogue; without one, one of BOOKS made-up books."""
    if catalogue is None:
        catalogue = server.directory / "catalogue.csv"
        write_catalogue(catalogue)
    print(server.manage("import_data", str(catalogue.resolve()), str((pictures or server.directory).resolve())))
    vacuum(server)


def vacuum(server: Daphne) -> None:
    """As autovacuum does a minute after many rows were written."""
    with closing(psycopg2.connect(server.variables["DATABASE_URL"])) as database:
        database.autocommit = True
        database.cursor().execute("VACUUM ANALYZE")


def write_catalogue(path: Path) -> None:
    """A catalogue of BOOKS made-up books, the same each time."""
    chance = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "description", "tags", "image_filename", "price"])
        for number in range(BOOKS):
            title = " ".join(chance.sample(WORDS, 3)).capitalize()
            tags = "|".join(chance.sample(SUBJECTS, 2))
            description = " ".join(chance.choices(WORDS, k=8))
            rows.writerow([f"{title} {number}", description, tags, "", f"{chance.randrange(500, 3000) / 100:.2f}"])


class TwoProcesses:
    """Two processes of an empty site, and the PostgreSQL and Redis on which they stand and which may be killed."""

    def __init__(self, stack: ExitStack) -> None:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="booktime-benchmark-")))
        self.postgres = stack.enter_context(Postgres(directory))
        self.redis = stack.enter_context(Redis(directory))
        variables = {
            "SECRET_KEY": "a-key-for-a-benchmark-0123456789-0123456789-0123456789",
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "EMAIL_URL": "dummymail://",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        Daphne(directory, variables).manage("migrate", "--verbosity", "0")
        self.servers = [stack.enter_context(Daphne(directory, variables)) for _ in range(2)]
        self.urls = [server.url for server in self.servers]


@contextmanager
def scratch_database() -> Iterator[None]:
    """An empty database beside the one of the settings, gone afterwards; Django has to be set up."""
    from django.test.utils import setup_databases, teardown_databases

    databases = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        teardown_databases(databases, verbosity=0)


# --- Visitors


class Visitor:
    """A client with a connection and cookies of its own, of a server on this `port`."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, data: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Host": "localhost", "X-Forwarded-Proto": "https", "Referer": "https://localhost/"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        self.connection.request(method, path, urlencode(data) if data is not None else None, headers)
        response = self.connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";", 1)[0].split("=", 1)
            self.cookies[name] = value
        return response.status, response.read().decode()


# What a visitor does over and over, each time with the status of the answer, once it is prepared.
Doing = Callable[[Visitor], Callable[[], int]]


def get(path: str) -> Doing:
    return lambda visitor: lambda: visitor.ask("GET", path)[0]


def rate(server: Daphne, prepare: Doing, seconds: float) -> float:
    """Requests a second that CLIENTS visitors get answered; raises RuntimeError for a wrong answer."""
    counts, failures = [0] * CLIENTS, []
    begin = threading.Barrier(CLIENTS + 1)
    end = 0.0

    def visit(number: int) -> None:
        request = prepare(Visitor(server.port))
        request()
        begin.wait()
        while time.perf_counter() < end:
            status = request()
            if status >= 400:
                failures.append(status)
                return
            counts[number] += 1

    threads = [threading.Thread(target=visit, args=(n,), daemon=True) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    end = time.perf_counter() + 600
    begin.wait(timeout=60)
    began = time.perf_counter()
    end = began + seconds
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"{server.url} answered {failures[0]}")
    return sum(counts) / (time.perf_counter() - began)


# --- Comparing


def in_turns(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, tuple[float, float]]:
    """Of each measure the median, and the median of its ratio to the first one.

    They are taken in turns, so that a busy moment of the machine meets all of them.
    """
    found = [[measure() for measure in measures.values()] for _ in range(rounds)]
    return {
        name: (
            statistics.median(each[number] for each in found),
            statistics.median(each[number] / each[0] for each in found),
        )
        for number, name in enumerate(measures)
    }


def percentile(values: list[float], share: float) -> float:
    """What a `share` of the values, 0.95 of them, lies below."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
