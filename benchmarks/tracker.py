"""Whether shoppers who wait for a slow carrier slow down the shop, on a private PostgreSQL and Redis.

    python -m benchmarks.tracker

One daphne process answers `/` while nobody waits, and while 200 requests wait for a carrier that does not answer. They
all wait before anything is measured, and none has given up when the measure ends: waiting is measured, not asking.
Ends with status 1 where less than 0.8 of the speed is left.
"""

import argparse
import asyncio
import json
import statistics
import sys
import threading
import time

from benchmarks.measuring import get, private_site, rate

WAITING, AT_LEAST = 200, 0.8
SETUP = """
import json
from shop.models import Order, User
from support.models import DeviceToken
alice = User.objects.create_user("alice@example.com", "correct-horse-battery")
address = dict(name="A", address1="1 Road", zip_code="1", city="Leeds", country="uk")
order = Order.objects.create(user=alice, **{f"{k}_{f}": v for k in ("billing", "shipping") for f, v in address.items()})
print(json.dumps([order.pk, DeviceToken.objects.issue(alice, "Phone")[1]]))
"""


class Loop:
    """An event loop in a thread, with a slow carrier and those who wait for it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.waiting = 0
        self.statuses: dict[str, int] = {}
        self.tasks: list[asyncio.Task[None]] = []

    def run(self, work):  # noqa: ANN001, ANN201
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def open_carrier(self) -> int:
        self.server = await asyncio.start_server(self.reply, "127.0.0.1", 0, backlog=1000)
        return self.server.sockets[0].getsockname()[1]

    async def reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.waiting += 1
        await reader.read()  # until the shop gives up
        self.waiting -= 1
        writer.close()

    async def begin_waiting(self, port: int, path: str) -> None:
        self.tasks = [asyncio.create_task(self.ask(port, path)) for _ in range(WAITING)]

    async def ask(self, port: int, path: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n\r\n".encode())
        status = (await reader.readline()).split(b" ")[1].decode()
        self.statuses[status] = self.statuses.get(status, 0) + 1
        writer.close()

    async def end_of_waiting(self) -> None:
        await asyncio.gather(*self.tasks)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.5)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    phones = Loop()
    carrier = f"http://127.0.0.1:{phones.run(phones.open_carrier())}/{{order_id}}"
    with private_site(TRACKER_URL=carrier) as server:
        order, token = json.loads(server.manage("shell", "--no-imports", "-c", SETUP).strip().split("\n")[-1])
        ratios, still_waiting = [], []
        with server:
            rate(server, get("/"), 1)
            for _ in range(options.rounds):
                alone = rate(server, get("/"), options.seconds)
                phones.run(phones.begin_waiting(server.port, f"/mobile-api/my-orders/{order}/tracker/?token={token}"))
                # The crowd's arrival is not what is measured; that it waits is.
                deadline = time.monotonic() + 30
                while phones.waiting < WAITING and time.monotonic() < deadline:
                    time.sleep(0.05)
                among = rate(server, get("/"), options.seconds)
                still_waiting.append(phones.waiting)
                phones.run(phones.end_of_waiting())
                ratios.append(among / alone)
                print(f"alone {alone:6.0f}/s   among {still_waiting[-1]} who wait {among:6.0f}/s   {ratios[-1]:.2f}")
        print(f"answers to those who waited: {phones.statuses}")
    ratio = statistics.median(ratios)
    print(f"ratio {ratio:.2f} (at least {AT_LEAST})")
    return 0 if ratio >= AT_LEAST and min(still_waiting) >= WAITING * 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
