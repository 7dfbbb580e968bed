"""What others notice while one client does the most expensive thing that its role may do.

    python -m benchmarks.neighbours [CATALOGUE.csv [PICTURES]] [--kinds search,invoice] [--same-address] [--no-turns]

One daphne process on a private PostgreSQL and Redis; without a catalogue it makes one of 10,000 books. For each kind
one client sends 100 requests a second, as many at once as it likes; others ask for ordinary pages 20 times a second.
Prints the others' median and 95th percentile, alone and beside each kind, and what the client itself got. Ends with
status 1 where the others' 95th percentile passes 250 ms or they are given an error.

The client and the others have addresses of their own, as through a proxy, or with `--same-address` share one.
`--no-turns` serves requests as they come, to see what `booktime/serving/fair_queue.py` is worth.

A long module, as the list of the kinds is.
"""

import io
import itertools
import json
import multiprocessing
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from PIL import Image

from benchmarks.measuring import Visitor, arguments, fill, percentile, private_site, vacuum
from tests.load_client import LoadClient, Request
from tests.servers import ROOT, Daphne, wait_until

MOST_MILLISECONDS = 250
PACE, OTHERS_PACE = 100, 20
CLIENT, OTHERS = "203.0.113.7", "198.51.100.%d"
PICTURE = "noise.jpg"

Requests = Iterator[Request]
Shop = dict[str, Any]


class Where(NamedTuple):
    """The server, as a process of another client knows it."""

    port: int
    url: str


class Flood(LoadClient):
    MOST_UNANSWERED = 400


class Client:
    """The one who asks for much: its address, cookies and the shop that it knows."""

    def __init__(self, server: Where, shop: Shop, address: str) -> None:
        self.server, self.shop, self.chance = server, shop, random.Random(1)
        self.headers = {"Host": "localhost", "X-Forwarded-Proto": "https", "Referer": "https://localhost/"}
        if address:
            self.headers["X-Forwarded-For"] = address

    def get(self, path: str, role: str = "") -> Request:
        return Request(path, headers=self.headers | self.cookie(role))

    def cookie(self, role: str, csrf: str = "") -> dict[str, str]:
        session = f"sessionid={self.shop[role]['session']}; " if role else ""
        return {"Cookie": f"{session}csrftoken={csrf}"} if session or csrf else {}

    def token_of_form(self, path: str, role: str = "") -> str:
        """The CSRF cookie that a page sets."""
        visitor = Visitor(self.server.port)
        if role:
            visitor.cookies["sessionid"] = self.shop[role]["session"]
        visitor.ask("GET", path)
        return visitor.cookies["csrftoken"]

    def posts(self, form: str, path: str, data: Callable[[int], Mapping[str, str]], role: str = "") -> Requests:
        csrf = self.token_of_form(form, role)
        kind = {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": csrf}
        for number in itertools.count():
            body = urlencode(data(number)).encode()
            yield Request(path, "POST", body, self.headers | self.cookie(role, csrf) | kind)

    def words(self, number: int) -> str:
        return quote_plus(" ".join(self.chance.sample(self.shop["words"], number)))

    # What each role's most expensive requests are.

    def invoice(self) -> Requests:
        for order in itertools.cycle(self.shop["orders"]):
            yield self.get(f"/orders/{order}/invoice/", "shopper")

    def search(self) -> Requests:
        while True:
            yield self.get(f"/products/all/?q={self.words(1)}&sort=price&page={self.chance.randint(1, 9)}")

    def far_page(self) -> Requests:
        while True:
            yield self.get(f"/products/all/?page={self.chance.randint(1, 400)}&sort=price")

    def order_pages(self) -> Requests:
        for path in itertools.cycle(["/orders/", *(f"/orders/{order}/" for order in self.shop["orders"])]):
            yield self.get(path, "shopper")

    def mobile_orders(self) -> Requests:
        while True:
            token = {"Authorization": f"Token {self.shop['shopper']['token']}"}
            yield Request("/mobile-api/my-orders/", headers=self.headers | token)

    def basket(self) -> Requests:
        product = str(self.shop["product"])
        return self.posts(f"/product/{self.shop['slug']}/", "/add_to_basket/", lambda _: {"product_id": product})

    def log_in(self) -> Requests:
        return self.posts("/login/", "/login/", lambda n: {"email": f"nobody{n}@example.com", "password": "guess"})

    def sign_up(self) -> Requests:
        word = "correct-horse-battery"
        return self.posts(
            "/signup/", "/signup/", lambda n: {"email": f"new{n}@example.com", "password1": word, "password2": word}
        )

    def password_reset(self) -> Requests:
        return self.posts("/password-reset/", "/password-reset/", lambda n: {"email": f"shopper{n}@example.com"})

    def chat(self) -> Requests:
        token = {"Authorization": f"Token {self.shop['shopper']['token']}", "Content-Type": "application/json"}
        path = f"/mobile-api/my-orders/{self.shop['orders'][0]}/messages/"
        for number in itertools.count():
            body = json.dumps({"message": f"{number} " + "Are you there? " * 200}).encode()
            yield Request(path, "POST", body, self.headers | token)
            yield Request(path, headers=self.headers | token)
            yield self.get(f"/customer-service/{self.shop['orders'][0]}/", "shopper")

    def office_search(self) -> Requests:
        for model in itertools.cycle(("product", "order", "address")):
            yield self.get(f"/office-admin/shop/{model}/?q={self.words(12)}", "employee")

    def office_order(self) -> Requests:
        for order in itertools.cycle(self.shop["orders"]):
            yield self.get(f"/office-admin/shop/order/{order}/change/", "employee")

    def csv(self) -> Requests:
        while True:
            yield self.get("/order-dashboard/export/", "employee")

    def dashboard(self) -> Requests:
        while True:
            yield self.get(
                f"/order-dashboard/?user__email__icontains=example&page={self.chance.randint(1, 800)}", "employee"
            )

    def reports(self) -> Requests:
        path = "/office-admin/most_bought_products/"
        return self.posts(path, path, lambda n: {"period": str((30, 60, 90)[n % 3])}, "employee")

    def upload(self) -> Requests:
        path = "/office-admin/shop/product/add/"
        csrf = self.token_of_form(path, "employee")
        file = io.BytesIO()
        Image.new("RGB", (6200, 6200), "navy").save(file, "PNG")
        head = b'--cut\r\nContent-Disposition: form-data; name="new_pictures"; filename="large.png"\r\n\r\n'
        body = head + file.getvalue() + b"\r\n--cut--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=cut", "X-CSRFToken": csrf}
        while True:
            yield Request(path, "POST", body, self.headers | self.cookie("employee", csrf) | kind)

    def dispatch_api(self) -> Requests:
        token = {"Authorization": f"Token {self.shop['company']['token']}"}
        while True:
            path = f"/api/orderlines/?page={self.chance.randint(1, 200)}"
            yield Request(path, headers=self.headers | token)

    def picture(self) -> Requests:
        while True:
            yield self.get(f"/media/products/{PICTURE}")

    def scrubbed_path(self) -> Requests:
        while True:
            yield self.get("/" + "://:" * 1800)

    def slow_readers(self) -> list[socket.socket]:
        """Connections that ask for a picture and for a table, and read nothing of them."""
        return [self.send_raw(self.get(f"/media/products/{PICTURE}")) for _ in range(60)] + [
            self.send_raw(self.get("/order-dashboard/export/", "employee")) for _ in range(20)
        ]

    def half_sent(self) -> list[socket.socket]:
        """Connections that announce a large body and never end it."""
        return [self.send_raw(Request("/login/", "POST", None, self.headers), 2_000_000) for _ in range(80)]

    def send_raw(self, request: Request, announced: int = 0) -> socket.socket:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", self.server.port))
        headers = {**request.headers, **({"Content-Length": str(announced)} if announced else {})}
        lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode())
        if announced:
            connection.sendall(b"a" * (announced // 2))
        return connection


FLOODS = (
    *("invoice", "search", "far_page", "order_pages", "mobile_orders", "basket", "log_in", "sign_up", "password_reset"),
    *("chat", "office_search", "office_order", "csv", "dashboard", "reports", "upload", "dispatch_api", "picture"),
    "scrubbed_path",
)
HOLDERS = ("slow_readers", "half_sent")


def disturb(server: Where, shop: Shop, address: str, kind: str, over: Any, tell: Any) -> None:
    """Be the client of this kind, in a process of its own, until `over`; tells that it began, and its answers."""
    client = Client(server, shop, address)
    if kind in HOLDERS:
        connections = getattr(client, kind)()
        tell.send({})
        over.wait()
        tell.send({"kept open": len(connections)})
        return
    requests = getattr(client, kind)()
    first = next(requests)
    tell.send({})
    with Flood(server.url, itertools.chain([first], requests), PACE, timeout=20) as flood:
        over.wait()
        tell.send(dict(Counter(answer.status for answer in flood.answers)))
        # Nobody waits for what was not answered yet.
        os._exit(0)


def ordinary_pages(server: Where, shop: Shop, same_address: bool) -> Requests:
    """What ten others look at, each with an address of their own and one of them logged in with a basket."""
    slug, session = shop["slug"], shop["others"]["session"]
    paths = [
        "/",
        "/about-us/",
        "/products/all/",
        f"/product/{slug}/",
        "/basket/",
        f"/products/all/?q={shop['words'][0]}",
    ]
    people = [Client(server, shop, "" if same_address else OTHERS % n) for n in range(10)]
    for number, path in enumerate(itertools.cycle(paths)):
        person = people[number % 10]
        yield person.get(path, "others") if session and number % 2 else person.get(path)


def others_beside(
    server: Where, shop: Shop, kind: str, seconds: float, same_address: bool
) -> tuple[list[float], int, str]:
    """The others' times in milliseconds beside a kind ("" for none), how many failed, and what its client was told."""
    spawn = multiprocessing.get_context("spawn")
    over = spawn.Event()
    hear, tell = spawn.Pipe(duplex=False)
    address = "" if same_address else CLIENT
    client = spawn.Process(target=disturb, args=(server, shop, address, kind, over, tell), daemon=True)
    if kind:
        client.start()
        hear.recv()
        time.sleep(1)
    with LoadClient(server.url, ordinary_pages(server, shop, same_address), OTHERS_PACE, timeout=30) as load:
        time.sleep(seconds)
    answered: dict[Any, int] = {}
    if kind:
        over.set()
        answered = hear.recv()
        client.join(60)
        client.kill()
    times = [answer.seconds * 1000 for answer in load.answers]
    return times, len(load.failures()), ", ".join(f"{number} x {what}" for what, number in answered.items())


def measure(server: Where, shop: Shop, kinds: tuple[str, ...], seconds: float, same_address: bool) -> bool:
    others_beside(server, shop, "", 3, same_address)
    passed = True
    print(f"{'beside':<16} {'median':>8} {'p95':>8} {'failed':>7}   what the client was answered")
    for kind in ("", *kinds):
        times, failed, answered = others_beside(server, shop, kind, seconds, same_address)
        good = percentile(times, 0.95) <= MOST_MILLISECONDS and not failed
        passed &= good
        mark = "" if good else "   <- too much"
        figures = f"{statistics.median(times):5.0f} ms {percentile(times, 0.95):5.0f} ms {failed:>7}"
        print(f"{kind.replace('_', ' ') or 'nobody':<16} {figures}   {answered}{mark}", flush=True)
        wait_until(lambda: Visitor(server.port).ask("GET", "/about-us/")[0] == 200, "rest after it")
    return passed


def noise() -> bytes:
    """A picture of about five megabytes."""
    file = io.BytesIO()
    Image.frombytes("RGB", (1900, 1900), random.Random(1).randbytes(1900 * 1900 * 3)).save(file, "JPEG", quality=90)
    return file.getvalue()


@contextmanager
def site(catalogue: Path | None, pictures: Path | None, application: str) -> Iterator[tuple[Daphne, Shop]]:
    with private_site(application, options=("--proxy-headers",)) as server:
        fill(server, catalogue, pictures)
        stored = server.directory / "media/products"
        stored.mkdir(parents=True, exist_ok=True)
        (stored / PICTURE).write_bytes(noise())
        command = [sys.executable, "-m", "benchmarks.neighbours_shop"]
        filled = subprocess.run(command, env=server.environment(), cwd=ROOT, stdout=subprocess.PIPE, check=True)
        vacuum(server)
        with server:
            yield server, json.loads(filled.stdout)


def main() -> int:
    parser = arguments(__doc__, seconds=10)
    parser.add_argument("--kinds", default=",".join((*FLOODS, *HOLDERS)), help="some of them, separated by commas")
    parser.add_argument("--same-address", action="store_true")
    parser.add_argument("--no-turns", action="store_true")
    options = parser.parse_args()
    kinds = tuple(options.kinds.split(","))
    if unknown := set(kinds) - {*FLOODS, *HOLDERS}:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join((*FLOODS, *HOLDERS))}")
    application = "benchmarks.bare_site:site_without_turns" if options.no_turns else "booktime.asgi:application"
    with site(options.catalogue, options.pictures, application) as (server, shop):
        return 0 if measure(Where(server.port, server.url), shop, kinds, options.seconds, options.same_address) else 1


if __name__ == "__main__":
    sys.exit(main())
