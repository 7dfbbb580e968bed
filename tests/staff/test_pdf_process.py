"""Invoices are made beside the pages: bounded, once for as long as they stay as they are, and never in a page's way."""

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings

from shop.models import Order, OrderLine
from staff.papers import pdf_process
from staff.papers.pdf_process import NotMade, NotYet, PdfProcess, PdfQueue
from tests.factories import OrderFactory, OrderLineFactory

MUCH = "<table>" + "<tr><td>Volume of the Encyclopædia<td>1<td>2</tr>" * 400 + "</table>"


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def desk(monkeypatch):
    """A queue of its own whose documents are finished when they are let go; counts what it makes."""
    desk = PdfQueue()
    desk.go, desk.made_so_far = threading.Event(), []

    def typeset(self, document):
        desk.made_so_far.append(document)
        assert desk.go.wait(60)
        return b"%PDF of " + document

    monkeypatch.setattr(pdf_process, "pdf_queue", desk)
    monkeypatch.setattr(PdfProcess, "typeset", typeset)
    yield desk
    desk.go.set()
    until(lambda: not desk.jobs)


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(pdf_process, "PATIENCE", 0.05)


def path_of(order):
    return f"/orders/{order.pk}/invoice/"


def test_invoice_that_takes_long_is_announced_and_then_found(alices, order, desk, hasty):
    answer = alices.get(path_of(order))
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0 and answer["Refresh"] == answer["Retry-After"]
    page = answer.content.decode()
    assert "The document is being made." in page and f'href="{path_of(order)}"' in page
    desk.go.set()
    until(lambda: not desk.jobs)
    answer = alices.get(path_of(order))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert len(desk.made_so_far) == 1


@pytest.mark.parametrize(
    ("headers", "kind"), [({"Accept": "application/json"}, "application/json"), ({"HX-Request": "true"}, "text/plain")]
)
def test_program_and_fragment_are_told_in_their_own_way(alices, order, desk, hasty, headers, kind):
    answer = alices.get(path_of(order), headers=headers)
    assert answer.status_code == 503 and answer["Content-Type"].startswith(kind)
    assert "being made" in answer.content.decode()


def test_announcement_is_no_error_in_the_log(alices, order, desk, hasty, caplog):
    alices.get(path_of(order))
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize(
    "path", ["/orders/{}/invoice/", "/office-admin/invoice/{}/?format=pdf", "/admin/invoice/{}/?format=pdf"]
)
def test_same_invoice_is_made_once_and_a_changed_one_anew(olgas, order, desk, path):
    desk.go.set()
    ask = partial(olgas.get, path.format(order.pk))
    first = ask().content
    assert ask().content == first
    assert len(desk.made_so_far) == 1
    for number, change in enumerate(
        (
            lambda: Order.objects.update(billing_city="Haworth"),
            lambda: order.lines.first().mark(OrderLine.CANCELLED),
            lambda: OrderLineFactory(order=order),
            lambda: order.lines.update(name="Emma"),
        ),
        start=2,
    ):
        change()
        assert ask().content != first
        assert len(desk.made_so_far) == number


def test_one_person_has_two_documents_under_way(alices, alice, order, desk, hasty):
    others = OrderFactory.create_batch(3, user=alice)
    assert [alices.get(path_of(each)).status_code for each in (order, *others)] == [503] * 4
    assert len(desk.jobs) == pdf_process.A_PERSON == 2


def test_so_many_wait_and_the_next_is_asked_to_come_back(desk, hasty):
    for person in range(10):
        with pytest.raises(NotYet):
            pdf_process.printed(f"<p>{person}", [], person=person)
    assert len(desk.jobs) == pdf_process.MOST_JOBS


def test_most_threads_of_pages_never_wait(desk, settings):
    settings.PAGE_THREADS = 4
    waiting = [
        threading.Thread(target=pdf_process.printed, args=(f"<p>{person}", []), kwargs={"person": person})
        for person in (1, 2)
    ]
    for thread in waiting:
        thread.start()
    until(lambda: desk.waiting == 2)
    # Would it wait, nobody would let it go.
    with pytest.raises(NotYet):
        pdf_process.printed("<p>3", [], person=3)
    desk.go.set()
    for thread in waiting:
        thread.join()


def test_who_wants_too_many_is_asked_to_wait(alices, alice, desk, monkeypatch):
    monkeypatch.setattr(pdf_process, "A_MINUTE", 2)
    # The minute does not end in between.
    monkeypatch.setattr("shop.web.throttle.time.time", lambda: 6_000_000.0)
    desk.go.set()
    orders = OrderFactory.create_batch(3, user=alice)
    assert [alices.get(path_of(order)).status_code for order in orders] == [200, 200, 429]
    assert int(alices.get(path_of(orders[2]))["Retry-After"]) == 60
    # What was made before is at hand.
    assert alices.get(path_of(orders[0])).status_code == 200


def test_document_that_cannot_be_made_is_an_error_and_the_next_is_made(monkeypatch):
    typesetter = PdfProcess()
    with pytest.raises(NotMade, match="KeyError"):
        typesetter.typeset(b'{"files": []}')
    assert typesetter.typeset(b'{"html": "<p>Words", "files": []}').startswith(b"%PDF")
    typesetter.end()


def test_document_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(pdf_process, "LIMIT", 0.05)
    typesetter = PdfProcess()
    with pytest.raises(NotMade, match="not made within"):
        typesetter.typeset(pdf_process.json.dumps({"html": MUCH, "files": []}).encode())
    assert typesetter.process is None


def test_process_that_ended_meanwhile_is_replaced():
    typesetter = PdfProcess()
    document = b'{"html": "<p>Words", "files": []}'
    typesetter.typeset(document)
    typesetter.process.kill()
    typesetter.process.wait()
    assert typesetter.typeset(document).startswith(b"%PDF")
    typesetter.end()


def test_process_that_everybody_is_told_to_stop_finishes_what_is_under_way():
    typesetter = PdfProcess()
    typesetter.typeset(b'{"html": "<p>Words", "files": []}')
    for sent in (signal.SIGTERM, signal.SIGINT):
        typesetter.process.send_signal(sent)
    before = typesetter.process.pid
    assert typesetter.typeset(b'{"html": "<p>More", "files": []}').startswith(b"%PDF")
    assert typesetter.process.pid == before
    typesetter.end()


def is_alive(pid):
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_process_ends_with_the_one_that_started_it():
    program = """
import time, django
django.setup()
from staff.papers.pdf_process import PdfProcess
setter = PdfProcess()
setter.typeset(b'{"html": "<p>Words", "files": []}')
print(setter.process.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=settings.BASE_DIR, stdout=subprocess.PIPE) as server:
        pid = int(server.stdout.readline())
        assert is_alive(pid)
        server.kill()
    until(lambda: not is_alive(pid))


def seconds_of(pid):
    """The processor's time that a process took."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_work_is_done_beside_this_process():
    typesetter = PdfProcess()
    typesetter.typeset(b'{"html": "<p>Words", "files": []}')
    before, here = seconds_of(typesetter.process.pid), time.process_time()
    typesetter.typeset(pdf_process.json.dumps({"html": MUCH, "files": []}).encode())
    there, here = seconds_of(typesetter.process.pid) - before, time.process_time() - here
    assert here < there / 4
    typesetter.end()
