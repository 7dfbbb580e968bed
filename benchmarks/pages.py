"""How fast pages are, measured against two things in the same run, on a private PostgreSQL and Redis.

    python -m benchmarks.pages [CATALOGUE.csv [PICTURES]] [--orders 10]

1. One daphne process: pages by our threads against the same pages by Django's own ASGI handler (at least 2 times).
2. Each page against a bare Django view that renders 24 rows of one indexed query, in the same process model. A page of
   the catalogue is asked for twice: as most visitors get it, when what it shows is kept from an earlier request, and
   first seen, when each request is for another page than the 500 before it, so that all is looked up and rendered.

With `--orders`, so many orders a second are placed beside in another process, of counted books; then it says how often
what is kept of the catalogue was there.

Without a catalogue it makes one of 10,000 books. Needs nothing else; ends with status 1 where a target is missed.
"""

import itertools
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

from benchmarks.measuring import Doing, Visitor, arguments, fill, get, in_turns, private_site, rate
from tests.servers import Daphne

TARGETS = {
    **{"list": 0.5, "tag": 0.5, "search": 0.5, "product": 0.7, "add": 0.4, "basket": 0.5},
    **{"list, first seen": 0.4, "tag, first seen": 0.3, "search, first seen": 0.35, "product, first seen": 0.5},
}
FASTER_THAN_DJANGO = 2


# Shoppers with an address each, and the ids of books of which many copies are left.
BUYERS = """
from shop.models import *
for number in range({shoppers}):
    user = User.objects.create_user(f"buyer{{number}}@example.com", "correct-horse-battery")
    Address.objects.create(user=user, name="Buyer", address1="1 High Street", zip_code="LS1 4AP", city="Leeds")
books = list(Product.objects.order_by("pk")[:50])
for book in books:
    book.set_stock(1_000_000)
print("books", *(book.pk for book in books))
"""


@contextmanager
def orders_beside(ours: Daphne, a_second: int) -> Iterator[None]:
    """So many orders a second meanwhile, each by another shopper; at the end, how many that were and what was kept.

    Another process of the site takes them, as what they compute would be taken for the pages' own.
    """
    with Daphne(ours.directory, ours.variables) as till:
        yield from orders_at(till, ours, a_second)


def orders_at(server: Daphne, ours: Daphne, a_second: int) -> Iterator[None]:
    said = server.manage("shell", "-c", BUYERS.format(shoppers=a_second))
    books = said[said.index("books ") :].split()[1:]
    placed, failed, over = [0] * a_second, [0] * a_second, threading.Event()

    def buy(number: int) -> None:
        shopper = Visitor(server.port)
        shopper.ask("GET", "/login/")
        shopper.ask("POST", "/login/", {"email": f"buyer{number}@example.com", "password": "correct-horse-battery"})
        address = re.findall(r"/address/([0-9]+)/", shopper.ask("GET", "/address/")[1])[0]
        chosen = {"billing_address": address, "shipping_address": address}
        for turn in itertools.count():
            if over.wait(max(0, began + turn + number / a_second - time.perf_counter())):
                return
            shopper.ask("POST", "/add_to_basket/", {"product_id": books[(turn * a_second + number) % len(books)]})
            is_placed = shopper.ask("POST", "/order/address_select/", chosen)[0] == 302
            (placed if is_placed else failed)[number] += 1

    began = time.perf_counter()
    threads = [threading.Thread(target=buy, args=(number,), daemon=True) for number in range(a_second)]
    for thread in threads:
        thread.start()
    before = kept(ours)
    yield
    after, seconds = kept(ours), time.perf_counter() - began
    over.set()
    for thread in threads:
        thread.join()
    hits, misses = (now - then for now, then in zip(after, before, strict=True))
    print(f"\n{sum(placed) / seconds:.1f} orders a second were placed beside, {sum(failed)} refused.")
    print(f"Of the catalogue {hits} findings were kept and {misses} looked up: {hits / (hits + misses):.1%} kept.")


def kept(server: Daphne) -> list[int]:
    return [int(number) for number in Visitor(server.port).ask("GET", "/kept/")[1].split()]


def each_of(paths: list[str]) -> Doing:
    """All visitors together go through `paths`, over and over."""
    turns = itertools.cycle(paths)
    return lambda visitor: lambda: visitor.ask("GET", next(turns))[0]


def adding(product: str, slug: str) -> Doing:
    def prepare(visitor: Visitor) -> Callable[[], int]:
        visitor.ask("GET", f"/product/{slug}/")
        return lambda: visitor.ask("POST", "/add_to_basket/", {"product_id": product})[0]

    return prepare


def looking_at_basket(product: str, slug: str) -> Doing:
    def prepare(visitor: Visitor) -> Callable[[], int]:
        adding(product, slug)(visitor)()
        return lambda: visitor.ask("GET", "/basket/")[0]

    return prepare


def others(visitor: Visitor, tags: list[str]) -> dict[str, list[str]]:
    """So many addresses of each kind that none is kept any more when its turn comes again."""
    pages = [
        f"sort={sort}&page={number}" for number in range(1, 201) for sort in ("title", "newest", "price", "-price")
    ]
    shelves = [visitor.ask("GET", f"/products/all/?{page}")[1] for page in pages[:120]]
    slugs = sorted({slug for shelf in shelves for slug in re.findall(r'href="/product/([^/"]+)/"', shelf)})
    words = sorted({word for slug in slugs for word in slug.split("-") if len(word) > 3 and word.isalpha()})
    searches = [f"/products/all/?q={word}&{page}" for page in pages[:12] for word in words]
    return {
        "list": [f"/products/all/?{page}" for page in pages],
        "tag": [f"/products/{tag}/?{page}" for page in pages[:80] for tag in tags],
        "search": searches[: len(pages)],
        "product": [f"/product/{slug}/" for slug in slugs],
    }


def measure(ours: Daphne, django: Daphne, bare: Daphne, seconds: float, rounds: int) -> bool:
    visitor = Visitor(ours.port)
    page = visitor.ask("GET", "/products/all/")[1]
    slug = re.search(r'href="/product/([^/"]+)/"', page).group(1)
    product_page = visitor.ask("GET", f"/product/{slug}/")[1]
    product = re.search(r'name="product_id"[^>]*value="(\d+)"|value="(\d+)"[^>]*name="product_id"', product_page)
    product_id = product.group(1) or product.group(2)
    tags = [t for t in re.findall(r'href="/products/([a-z0-9-]+)/"', visitor.ask("GET", "/")[1]) if t != "all"]
    pages = {
        "home": get("/"),
        "list": get("/products/all/"),
        "tag": get(f"/products/{tags[0]}/"),
        "search": get("/products/all/?q=garden"),
        "product": get(f"/product/{slug}/"),
        "add": adding(product_id, slug),
        "basket": looking_at_basket(product_id, slug),
    }
    first_seen = {f"{name}, first seen": each_of(paths) for name, paths in others(visitor, tags).items()}
    passed = True
    for path in ("/about-us/", "/products/all/"):
        ways = {"theirs": partial(rate, django, get(path), seconds), "ours": partial(rate, ours, get(path), seconds)}
        (theirs, _), (mine, ratio) = in_turns(ways, rounds).values()
        passed &= ratio >= FASTER_THAN_DJANGO
        print(f"{path:<18} threads {mine:7.0f}/s   Django's handler {theirs:7.0f}/s   ratio {ratio:5.2f}  (at least 2)")
    print()
    for name, doing in {**pages, **first_seen}.items():
        ways = {"bare": partial(rate, bare, get("/"), seconds), name: partial(rate, ours, doing, seconds)}
        (theirs, _), (mine, share) = in_turns(ways, rounds).values()
        target = TARGETS.get(name)
        passed &= target is None or share >= target
        wanted = f"(at least {target})" if target else ""
        print(f"{name:<20} {mine:7.0f}/s   bare view {theirs:7.0f}/s   share {share:5.2f}  {wanted}", flush=True)
    return passed


def main() -> int:
    parser = arguments(__doc__, seconds=3, rounds=3)
    parser.add_argument("--orders", type=int, default=0, help="how many are placed a second meanwhile")
    options = parser.parse_args()
    site = ["benchmarks.bare_site:site_that_tells"] if options.orders else []
    with private_site(*site) as ours:
        fill(ours, options.catalogue, options.pictures)
        django = Daphne(ours.directory, ours.variables, "benchmarks.bare_site:django_way")
        bare = Daphne(ours.directory, ours.variables, "benchmarks.bare_site:bare_way")
        with ours, django, bare, orders_beside(ours, options.orders) if options.orders else nullcontext():
            return 0 if measure(ours, django, bare, options.seconds, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
