"""What nobody needs any more goes: each worker asks once in a while whether it is time, and one of them sweeps.

Rows go in small pieces, each in a transaction of its own, and what somebody else has in hand is left for the next
time; so nobody waits, and a sweep that is cut off has done what it did. How long things are kept: `KEPT_DAYS`.

The tables that only grow and are not here tell of orders and of what was bought, and stay as long as those do: orders
with their lines, baskets, chats and notes, addresses and accounts, and a line of sales for each day.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import Error, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from shop.models import Basket, Housekeeping, OutgoingMail, ProviderEvent
from shop.payments import earlier_release
from staff.models import IdempotencyKey, SalesSummary, WebhookDelivery
from support.models import DeviceToken, ShipmentNews

logger = logging.getLogger(__name__)

PIECE = 500
# For others who write, and on SQLite wait for us to end.
PAUSE = 0.05
# Seconds that a worker, which has other things to do, sweeps at a time; an hour later it goes on.
WORKERS_TURN = 30
# A request that began with a session which expired meanwhile may still store it.
GRACE = timedelta(hours=1)

Rows = Any


def delete(rows: Rows) -> None:
    rows.delete()


@dataclass(frozen=True)
class Sweep:
    """`rows` are those that are over; they are deleted, or `act` sees to it that they are no longer among them."""

    what: str
    rows: Callable[[], Rows]
    act: Callable[[Rows], Any] = delete

    def piece(self) -> int:
        """Sweep some; how many there were."""
        with transaction.atomic():
            rows = self.rows().order_by().select_for_update(skip_locked=True)
            keys = list(rows.values_list("pk", flat=True)[:PIECE])
            if keys:
                self.act(rows.model._default_manager.filter(pk__in=keys))
        return len(keys)


def before(what: str) -> datetime:
    """What is older than that is kept no longer."""
    return timezone.now() - timedelta(days=settings.KEPT_DAYS[what])


SWEEPS = (
    Sweep("expired sessions", lambda: Session.objects.filter(expire_date__lt=timezone.now() - GRACE)),
    Sweep("visitors' baskets", lambda: Basket.objects.abandoned(before("visitors_baskets"))),
    Sweep("mails", lambda: OutgoingMail.objects.to_forget(before("sent_mails")), lambda mails: mails.forget()),
    Sweep("wrong passwords", lambda: AccessAttempt.objects.filter(attempt_time__lt=before("wrong_passwords"))),
    Sweep("tasks", lambda: DBTaskResult.objects.finished().filter(finished_at__lt=before("tasks"))),
    Sweep("idempotency keys", lambda: IdempotencyKey.objects.expired()),
    # An order is paid, or cancelled, once: no event comes again because it is not known any more.
    Sweep(
        "webhook deliveries",
        lambda: WebhookDelivery.objects.filter(next_attempt=None, date_added__lt=before("webhook_deliveries")),
    ),
    # Events are told again for three days at most.
    Sweep("payment events", lambda: ProviderEvent.objects.to_forget(before("payment_events"))),
    Sweep("carriers' answers", lambda: ShipmentNews.objects.filter(as_of__lt=before("shipment_news"))),
    Sweep("devices", lambda: DeviceToken.objects.filter(last_used__lt=before("devices"))),
    Sweep("office history", lambda: LogEntry.objects.filter(action_time__lt=before("office_history"))),
)


def sweep(seconds: float | None = None) -> dict[str, int]:
    """Sweep everything, or for so many seconds; how many rows of what."""
    ends = None if seconds is None else time.monotonic() + seconds
    swept: dict[str, int] = {}
    for each in SWEEPS:
        try:
            swept[each.what] = sweep_one(each, ends)
        except Error as error:
            logger.warning("Not swept, %s: %s", each.what, type(error).__name__)
    # The notes of changed orders go once they are counted, which else waits until somebody reads a report.
    SalesSummary.refresh()
    return {what: count for what, count in swept.items() if count}


def sweep_one(each: Sweep, ends: float | None) -> int:
    swept = 0
    while ends is None or time.monotonic() < ends:
        piece = each.piece()
        swept += piece
        if piece < PIECE:
            break
        time.sleep(PAUSE)
    return swept


def sweep_when_due() -> None:
    """Sweep if nobody did lately, on any machine."""
    if not Housekeeping.claim():
        return
    earlier_release.mend()
    if swept := sweep(WORKERS_TURN):
        logger.info("Swept %s", in_words(swept))


def in_words(swept: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in swept.items())
