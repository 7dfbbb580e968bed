from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from booktime import worker
from booktime import worker as module
from booktime.worker import LastingWorker, catch_up
from shop.mail.outgoing import deliver, queue_mail
from shop.models import OutgoingMail
from staff import outbound_http
from staff.models import Webhook, WebhookDelivery
from tests.factories import OrderFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def on_a_server(settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


def lose_all_tasks():
    """As a worker does that is killed, or a database that goes between a mail's commit and its task."""
    DBTaskResult.objects.all().delete()


def test_mail_whose_task_was_lost_is_sent(on_a_server):
    queue_mail("a", "alice@example.com", "contact", {"name": "Alice", "message": "Hello"})
    lose_all_tasks()
    catch_up()
    assert [sent.to for sent in mail.outbox] == [["alice@example.com"]]


def test_mail_in_anothers_hands_is_left_to_them(on_a_server):
    queue_mail("a", "alice@example.com", "contact", {"name": "Alice", "message": "Hello"})
    OutgoingMail.objects.get().claim()
    catch_up()
    assert not mail.outbox


def test_mail_that_the_release_before_queued_is_sent(on_a_server):
    queue_mail("a", "alice@example.com", "contact", {"name": "Alice", "message": "Hello"})
    DBTaskResult.objects.update(task_path="shop.mail.deliver")
    call_command("db_worker", "--batch")
    assert [sent.to for sent in mail.outbox] == [["alice@example.com"]]


@pytest.mark.parametrize(("late", "posts"), [(60, 1), (5, 0)])
def test_event_whose_task_was_lost_is_posted_once_it_is_overdue(on_a_server, monkeypatch, late, posts):
    posted = []
    monkeypatch.setattr(outbound_http, "post", lambda url, body, headers: posted.append(url) or (204, ""))
    Webhook.objects.create(url="https://parcels.example/")
    OrderFactory().mark_paid()
    lose_all_tasks()
    WebhookDelivery.objects.update(next_attempt=timezone.now() - timedelta(seconds=late))
    catch_up()
    catch_up()
    assert len(posted) == posts


def test_task_whose_worker_is_gone_no_longer_counts_as_running(on_a_server):
    for minutes in (1, 11):
        deliver.enqueue(1)
        lost = DBTaskResult.objects.ready().first()
        lost.claim("a-worker")
        DBTaskResult.objects.filter(pk=lost.pk).update(started_at=timezone.now() - timedelta(minutes=minutes))
    catch_up()
    assert [result.status for result in DBTaskResult.objects.order_by("-started_at")] == [
        TaskResultStatus.RUNNING,
        TaskResultStatus.FAILED,
    ]


def test_tasks_of_long_ago_are_forgotten(on_a_server):
    for days in (1, 15):
        deliver.enqueue(days)
        ended = timezone.now() - timedelta(days=days)
        DBTaskResult.objects.ready().update(status=TaskResultStatus.SUCCESSFUL, finished_at=ended)
    catch_up()
    assert [result.args_kwargs["args"] for result in DBTaskResult.objects.all()] == [[1]]


def test_worker_goes_on_when_the_database_is_back(on_a_server, monkeypatch, caplog):
    runs = []

    def run(self):
        runs.append(self)
        if len(runs) < 3:
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(LastingWorker.__base__, "run", run)
    monkeypatch.setattr(module, "catch_up", lambda: None)
    worker = LastingWorker(
        queue_names=["default"],
        interval=1,
        batch=False,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id="test",
        excluded_queue_names=[],
    )
    worker.run()
    assert len(runs) == 3
    assert caplog.text.count("The database is away") == 2


def test_what_one_step_cannot_do_does_not_keep_the_others(monkeypatch, caplog):
    def fails():
        raise KeyError("an answer that nobody expects")

    done = []
    monkeypatch.setattr(worker, "take_in_due", fails)
    monkeypatch.setattr(worker, "cancel_overdue", lambda: done.append("cancel"))
    catch_up()
    assert done == ["cancel"]
    assert "fails failed, trying again" in caplog.text
