"""The worker of django-tasks, made to last: it outlives a restart of PostgreSQL and does what a killed one left undone.

What is to be done stands in the rows of mails and webhook deliveries; a task is only their wake-up call, and gets lost
when the worker that took it dies. So each worker also looks for itself what is overdue.
"""

import logging
import threading
from datetime import timedelta
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.management.commands import db_worker
from django_tasks_db.models import DBTaskResult

from booktime.housekeeping import sweep_when_due
from shop.mail.outgoing import send_due
from shop.payments.inbox import take_in_due
from shop.payments.refunding import make_due
from shop.payments.unpaid import cancel_overdue
from staff.api.webhooks import post_overdue

logger = logging.getLogger(__name__)

# A task that runs longer has lost its worker.
LONGEST_TASK = timedelta(minutes=10)


class LastingWorker(db_worker.Worker):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.stopping = threading.Event()

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        self.stopping.set()
        super().shutdown(signum, frame)

    def run(self) -> None:
        if self.batch:
            super().run()
            return
        # Not a daemon: when the worker stops, the mail in hand is sent to its end.
        threading.Thread(target=self.catch_up_on, name="catching up").start()
        try:
            self.run_through_outages()
        finally:
            self.stopping.set()

    def run_through_outages(self) -> None:
        while not self.stopping.is_set():
            try:
                super().run()
                return
            except (OperationalError, InterfaceError) as error:
                logger.warning("The database is away, trying again: %s", type(error).__name__)
                connections.close_all()
                self.stopping.wait(1)

    def catch_up_on(self) -> None:
        while not self.stopping.is_set():
            try:
                catch_up()
            except (OperationalError, InterfaceError) as error:
                logger.warning("Not caught up, trying again: %s", type(error).__name__)
            finally:
                connection.close()
            self.stopping.wait(settings.WORKER_CATCHES_UP_EVERY)


def catch_up() -> None:
    """Do what is due and nobody has in hand: mails, webhooks, payments and refunds; sweep where it is time."""
    for step in (send_due, post_overdue, take_in_due, make_due, cancel_overdue, note_lost_tasks, sweep_when_due):
        try:
            step()
        except (OperationalError, InterfaceError):
            raise  # the database is away, which every step needs
        except Exception:  # whatever one cannot do, the others go on
            logger.exception("%s failed, trying again", step.__name__)


def note_lost_tasks() -> None:
    """For whoever counts them: the one who ran these is gone."""
    now = timezone.now()
    lost = DBTaskResult.objects.running().filter(started_at__lt=now - LONGEST_TASK)
    lost.update(status=TaskResultStatus.FAILED, finished_at=now)
