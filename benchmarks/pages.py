"""How fast pages are, measured against two things in the same run, on a private PostgreSQL and Redis.

    python -m benchmarks.pages [CATALOGUE.csv [PICTURES]]

1. One daphne process: pages by our threads against the same pages by Django's own ASGI handler (at least 2 times).
2. Each page against a bare Django view that renders 24 rows of one indexed query, in the same process model.

Without a catalogue it makes one of 10,000 books. Needs nothing else; ends with status 1 where a target is missed.
"""

import argparse
import csv
import http.client
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psycopg2

from tests.servers import Daphne, private_services

BOOKS = 10_000
CLIENTS = 8
TARGETS = {"list": 0.5, "tag": 0.5, "search": 0.5, "product": 0.7, "add": 0.4, "basket": 0.5}
FASTER_THAN_DJANGO = 2
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


class Visitor:
    """A client with a connection and cookies of its own."""

    def __init__(self, server: Daphne) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
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


def rate(server: Daphne, prepare: Callable[[Visitor], Callable[[], int]], seconds: float) -> float:
    """Requests a second that CLIENTS visitors get answered; raises RuntimeError for a wrong answer."""
    counts, failures = [0] * CLIENTS, []
    begin = threading.Barrier(CLIENTS + 1)
    end = 0.0

    def visit(number: int) -> None:
        request = prepare(Visitor(server))
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


def get(path: str) -> Callable[[Visitor], Callable[[], int]]:
    return lambda visitor: lambda: visitor.ask("GET", path)[0]


def adding(product: str, slug: str) -> Callable[[Visitor], Callable[[], int]]:
    def prepare(visitor: Visitor) -> Callable[[], int]:
        visitor.ask("GET", f"/product/{slug}/")
        return lambda: visitor.ask("POST", "/add_to_basket/", {"product_id": product})[0]

    return prepare


def looking_at_basket(product: str, slug: str) -> Callable[[Visitor], Callable[[], int]]:
    def prepare(visitor: Visitor) -> Callable[[], int]:
        adding(product, slug)(visitor)()
        return lambda: visitor.ask("GET", "/basket/")[0]

    return prepare


def measure(ours: Daphne, django: Daphne, bare: Daphne, seconds: float, rounds: int) -> bool:
    visitor = Visitor(ours)
    page = visitor.ask("GET", "/products/all/")[1]
    slug = re.search(r'href="/product/([^/"]+)/"', page).group(1)
    product_page = visitor.ask("GET", f"/product/{slug}/")[1]
    product = re.search(r'name="product_id"[^>]*value="(\d+)"|value="(\d+)"[^>]*name="product_id"', product_page)
    product_id = product.group(1) or product.group(2)
    tag = next(t for t in re.findall(r'href="/products/([a-z0-9-]+)/"', visitor.ask("GET", "/")[1]) if t != "all")
    pages = {
        "home": get("/"),
        "list": get("/products/all/"),
        "tag": get(f"/products/{tag}/"),
        "search": get("/products/all/?q=garden"),
        "product": get(f"/product/{slug}/"),
        "add": adding(product_id, slug),
        "basket": looking_at_basket(product_id, slug),
    }
    passed = True
    for path in ("/about-us/", "/products/all/"):
        # In turn, so that a busy moment of the machine meets both.
        pairs = [(rate(ours, get(path), seconds), rate(django, get(path), seconds)) for _ in range(rounds)]
        ratio = statistics.median(mine / theirs for mine, theirs in pairs)
        passed &= ratio >= FASTER_THAN_DJANGO
        mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{path:<18} threads {mine:7.0f}/s   Django's handler {theirs:7.0f}/s   ratio {ratio:5.2f}  (at least 2)")
    print()
    for name, prepare in pages.items():
        pairs = [(rate(ours, prepare, seconds), rate(bare, get("/"), seconds)) for _ in range(rounds)]
        share = statistics.median(mine / theirs for mine, theirs in pairs)
        mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        target = TARGETS.get(name)
        passed &= target is None or share >= target
        wanted = f"(at least {target})" if target else ""
        print(f"{name:<18} {mine:7.0f}/s   bare view {theirs:7.0f}/s   share {share:5.2f}  {wanted}", flush=True)
    return passed


@contextmanager
def site(catalogue: Path | None, pictures: Path | None) -> Iterator[tuple[Daphne, Daphne, Daphne]]:
    """The three servers on one filled PostgreSQL."""
    with private_services() as variables, tempfile.TemporaryDirectory(prefix="booktime-benchmark-") as name:
        directory = Path(name)
        if catalogue is None:
            catalogue = directory / "catalogue.csv"
            write_catalogue(catalogue)
        ours = Daphne(directory, variables)
        ours.manage("migrate", "--verbosity", "0")
        ours.manage("collectstatic", "--noinput", "--verbosity", "0")
        print(ours.manage("import_data", str(catalogue.resolve()), str((pictures or directory).resolve())))
        with closing(psycopg2.connect(variables["DATABASE_URL"])) as database:
            database.autocommit = True
            # As autovacuum does a minute later.
            database.cursor().execute("VACUUM ANALYZE")
        django = Daphne(directory, variables, "benchmarks.bare_site:django_way")
        bare = Daphne(directory, variables, "benchmarks.bare_site:bare_way")
        with ours, django, bare:
            yield ours, django, bare


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue", nargs="?", type=Path)
    parser.add_argument("pictures", nargs="?", type=Path, help="the folder of the catalogue's pictures")
    parser.add_argument("--seconds", type=float, default=3, help="how long each page is asked for in a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with site(options.catalogue, options.pictures) as servers:
        return 0 if measure(*servers, options.seconds, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
