"""The worker is killed in the middle of mails and webhooks, and loses its database."""

import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import pytest
from aiosmtpd.controller import Controller

from tests.servers import Worker, free_port, wait_until
from tests.shop.smtp import Mailbox

MAILS, ORDERS = 8, 4
QUEUE = """
from django.db import transaction
from shop.mail.outgoing import queue_mail
with transaction.atomic():
    for number in range({0}, {1}):
        context = {{"name": "Alice", "message": "Where is my book?"}}
        queue_mail(f"test-{{number}}", f"person{{number}}@example.com", "contact", context)
"""
PAY = """
from shop.models import Order, OrderLine, Product, User
from staff.models import Webhook
Webhook.objects.create(url="{url}")
user, product = User.objects.create(email="alice@example.com"), Product.objects.first()
fields = ("name", "address1", "zip_code", "city")
address = {{f"{{kind}}_{{field}}": "x" for kind in ("billing", "shipping") for field in fields}}
for _ in range({orders}):
    order = Order.objects.create(user=user, billing_country="uk", shipping_country="uk", **address)
    OrderLine.objects.create(order=order, product=product, price=product.price)
    order.mark_paid()
"""


class Gate:
    """Where something is held in the middle, once it is `shut`."""

    def __init__(self) -> None:
        self.opened, self.reached = threading.Event(), threading.Event()
        self.opened.set()

    def shut(self) -> None:
        self.reached.clear()
        self.opened.clear()

    def pass_through(self) -> None:
        if not self.opened.is_set():
            self.reached.set()
            self.opened.wait(120)


class SlowMailbox(Mailbox):
    """Has not taken a mail while its gate is shut: its sender hears nothing, and may be killed meanwhile."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate

    async def handle_DATA(self, server, session, envelope):
        await server.loop.run_in_executor(None, self.gate.pass_through)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def mail_gate():
    return Gate()


@pytest.fixture
def mailbox(mail_gate):
    mailbox = SlowMailbox(mail_gate)
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), ready_timeout=60)
    controller.start()
    mailbox.port = controller.port
    yield mailbox
    mail_gate.opened.set()
    controller.stop()


@pytest.fixture
def dispatch():
    """The dispatch company's server: the events it was told, each answered once its gate is open."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.events.append((json.loads(body)["order"]["id"], self.headers["BookTime-Event-Id"]))
            server.gate.pass_through()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.events, server.gate, server.daemon_threads = [], Gate(), True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.gate.opened.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def worker(shop_variables, directory, mailbox):
    variables = shop_variables | {
        "EMAIL_URL": f"smtp://127.0.0.1:{mailbox.port}",
        "DJANGO_SETTINGS_MODULE": "tests.services.server_settings",
    }
    with Worker(directory, variables) as worker:
        yield worker


def run(worker: Worker, script: str) -> None:
    worker.site.manage("shell", "--no-imports", "-c", script)


def queue_mails(worker: Worker, first: int, end: int) -> None:
    run(worker, QUEUE.format(first, end))


@contextmanager
def in_the_middle(worker: Worker, script: str, gate: Gate) -> Iterator[None]:
    """Within this the worker stands at the gate with the first of what `script` gave it to do.

    It waits for five seconds there, so the script's own end is waited for afterwards.
    """
    gate.shut()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(run, worker, script)
        assert gate.reached.wait(120)
        yield
        gate.opened.set()
        done.result()


def let_time_pass(postgres, minutes: int = 3) -> None:
    """Claims and pauses end as if it were later."""
    with psycopg2.connect(postgres.url) as connection, connection.cursor() as cursor:
        for table, column in (("shop_outgoingmail", "not_before"), ("staff_webhookdelivery", "next_attempt")):
            cursor.execute(f"UPDATE {table} SET {column} = {column} - interval '{minutes} minutes'")  # noqa: S608


def test_killed_worker_loses_no_mail_and_no_event(worker, mailbox, mail_gate, dispatch, postgres_server):
    with in_the_middle(worker, QUEUE.format(0, MAILS), mail_gate):
        worker.kill()
    worker.start()
    # One from the queue and one by catching up may have been in its hands: claims guard them from others for a while.
    wait_until(lambda: len(mailbox.mails) >= MAILS - 2, "the other mails")
    assert len(mailbox.mails) < MAILS
    pay = PAY.format(url=f"http://127.0.0.1:{dispatch.server_port}/", orders=ORDERS)
    with in_the_middle(worker, pay, dispatch.gate):
        worker.kill()
    interrupted = dispatch.events[0]
    # While no worker has anything in hand that this would take away from it.
    let_time_pass(postgres_server)
    worker.start()
    mails = [f"person{number}@example.com" for number in range(MAILS)] + ["alice@example.com"] * ORDERS
    wait_until(lambda: len(mailbox.mails) == len(mails), "what was in the killed worker's hands")
    wait_until(lambda: len(dispatch.events) > ORDERS, "the events")
    assert sorted(mailbox.recipients) == sorted(mails)
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == len(mails)
    told = Counter(dispatch.events)
    assert told == Counter(dict.fromkeys(told, 1)) + Counter([interrupted])
    assert len(told) == len({order for order, _ in told}) == len({event for _, event in told}) == ORDERS


def test_worker_outlives_restarts_of_postgres(worker, mailbox, postgres_server):
    queue_mails(worker, 0, 1)
    wait_until(lambda: len(mailbox.mails) == 1, "the first mail")
    for number in (1, 2):
        postgres_server.restart_immediately()
        queue_mails(worker, number, number + 1)
        wait_until(lambda number=number: len(mailbox.mails) == number + 1, "the mail after a restart")
    assert worker.process.poll() is None


def test_stopped_worker_sends_the_mail_in_hand(worker, mailbox, mail_gate):
    with in_the_middle(worker, QUEUE.format(0, 1), mail_gate):
        worker.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "shutting down" in worker.log.read_text(), "the worker's notice")
    worker.process.wait(120)
    assert worker.process.returncode == 0
    assert len(mailbox.mails) == 1
