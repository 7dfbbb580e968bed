"""Pages a second by one daphne alone, through nginx to two, and through nginx to gunicorn beside them, in one run.

    python -m benchmarks.deploy [CATALOGUE.csv [PICTURES]]

The ways are the files in `deploy/nginx`, on a private PostgreSQL and Redis with 10,000 books. `wrk` asks through as
many connections as in benchmarks/pages.py; nginx ends TLS and compresses, as it does for browsers. Prints each page's
requests a second, as ratios to one daphne alone, and each process's memory. No target: what is best depends on the
number of processor cores, which it prints.
"""

import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.measuring import CLIENTS, Visitor, arguments, fill, in_turns, private_site
from tests.proxy import Gunicorn, Nginx
from tests.servers import Server
from tests.systemd import ActivatedDaphne, listen

PAGES = {"home": "/", "list": "/products/all/", "about": "/about-us/"}


def rate(url: str, path: str, seconds: float) -> float:
    """Answers a second; raises RuntimeError where any is an error."""
    told = ["-H", "Host: localhost", "-H", "X-Forwarded-Proto: https", "-H", "Accept-Encoding: gzip"]
    command = ["wrk", "--timeout", "30s", "-t", "1", "-c", str(CLIENTS), "-d", f"{seconds:g}s", *told, f"{url}{path}"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in printed or "Socket errors" in printed:
        raise RuntimeError(printed)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])


def megabytes(server: Server) -> float:
    """Memory that is the process's and its children's own, or shared with nobody but them."""
    assert server.process
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    kilobytes = 0
    for pid in [server.process.pid, *children]:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        kilobytes += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1])
    return kilobytes / 1024


def measure(ways: dict[str, str], product: str, seconds: float, rounds: int) -> None:
    print(f"{os.cpu_count()} cores, {CLIENTS} connections, median of {rounds} rounds of {seconds:g} s\n")
    for name, path in {**PAGES, "product": product}.items():
        for url in ways.values():
            rate(url, path, 1)
        found = in_turns({way: partial(rate, url, path, seconds) for way, url in ways.items()}, rounds)
        for way, (median, ratio) in found.items():
            print(f"{name:<8} {way:<32} {median:7.0f}/s   ratio {ratio:5.2f}", flush=True)


def main() -> int:
    options = arguments(__doc__, seconds=5, rounds=3).parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is missing: apt-get install wrk")
    with ExitStack() as stack:
        one = stack.enter_context(private_site())
        fill(one, options.catalogue, options.pictures)
        stack.enter_context(one)
        listener = stack.enter_context(listen())
        two = [stack.enter_context(ActivatedDaphne(one.directory, listener, one.variables)) for _ in range(2)]
        gunicorn = stack.enter_context(Gunicorn(one.directory, one))
        by_daphne = stack.enter_context(Nginx(one.directory, listener, limited=False))
        by_gunicorn = stack.enter_context(Nginx(one.directory, listener, gunicorn, limited=False))
        page = Visitor(one.port).ask("GET", "/products/all/")[1]
        product = re.search(r'href="(/product/[^"]+/)"', page)[1]
        ways = {
            "one daphne alone": one.url,
            "nginx and two daphne": by_daphne.url,
            "nginx and gunicorn, 2 workers": by_gunicorn.url,
        }
        measure(ways, product, options.seconds, options.rounds)
        print(f"\nmemory: a daphne {megabytes(two[0]):.0f} MB, gunicorn's 3 processes {megabytes(gunicorn):.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
