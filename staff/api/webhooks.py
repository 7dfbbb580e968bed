"""Telling the dispatch company what happened to an order, so that it need not ask.

The deliveries' rows are the truth; a task is only the wake-up call for one attempt of one delivery.
"""

import hashlib
import hmac
import json
from itertools import product
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from django_tasks import default_task_backend, task

from shop.models import Order
from shop.models.order import OrderQuerySet
from shop.signals import order_cancelled, order_paid, orders_changed
from staff import outbound_http
from staff.models import Webhook, WebhookDelivery

OVERDUE_AT_ONCE = 10


@receiver(order_paid)
def announce_payment(order: Order, **kwargs: Any) -> None:
    announce(WebhookDelivery.Kind.ORDER_PAID, order)


@receiver(order_cancelled)
def announce_cancellation(order: Order, was_paid: bool, **kwargs: Any) -> None:
    # Of another nobody outside ever heard.
    if was_paid:
        # Nothing else about it is news.
        WebhookDelivery.objects.untried().filter(kind=WebhookDelivery.Kind.ORDER_UPDATED, order=order).delete()
        announce(WebhookDelivery.Kind.ORDER_CANCELLED, order)


@receiver(orders_changed)
def announce_changes(orders: OrderQuerySet, **kwargs: Any) -> None:
    """Tell of paid orders that they changed; what was not posted yet tells of this change too."""
    webhooks = list(Webhook.objects.filter(active=True))
    if not webhooks:
        return
    about = {"kind": WebhookDelivery.Kind.ORDER_UPDATED}
    for order, webhook in product(orders.paid().only("pk"), webhooks):
        # Whoever posts it waits for this change to be committed.
        waiting = WebhookDelivery.objects.untried().select_for_update().filter(**about, order=order, webhook=webhook)
        if not waiting:
            due = timezone.now() + WebhookDelivery.BURST
            wake(WebhookDelivery.objects.create(**about, order=order, webhook=webhook, next_attempt=due))


def announce(kind: WebhookDelivery.Kind, order: Order) -> None:
    """Write down a delivery for each active webhook, within the transaction of the change itself."""
    for webhook in Webhook.objects.filter(active=True):
        delivery, created = WebhookDelivery.objects.get_or_create(webhook=webhook, kind=kind, order=order)
        if created:
            wake(delivery)


def resend(delivery: WebhookDelivery) -> None:
    """Post it again at once, with the same event id."""
    with transaction.atomic():
        delivery.renew()
        wake(delivery)


def wake(delivery: WebhookDelivery) -> None:
    """Have the worker make the next attempt when it is due."""
    if default_task_backend.supports_defer:
        # In the same transaction: the event and its wake-up call are kept, or neither.
        post_delivery.using(run_after=delivery.next_attempt).enqueue(delivery.pk, delivery.attempts)
    elif delivery.attempts == 0:
        # Without a worker nobody can wait: one attempt right after the change, and the resend button.
        transaction.on_commit(lambda: post_delivery.enqueue(delivery.pk, 0))


@task()
def post_delivery(delivery_pk: int, attempt: int) -> None:
    """Make one attempt; a second wake-up call for the same one does nothing."""
    delivery = WebhookDelivery.objects.select_related("webhook").filter(pk=delivery_pk).first()
    if delivery is None:
        return
    if not delivery.webhook.active:
        delivery.give_up("The webhook is switched off.")
        return
    with transaction.atomic():
        if not delivery.claim(attempt):
            return
        if delivery.next_attempt:
            wake(delivery)
    body = body_of(delivery)
    try:
        delivery.note(*outbound_http.post(delivery.webhook.url, body, headers_of(delivery, body)))
    except (outbound_http.ForbiddenAddress, OSError) as error:
        delivery.note(None, str(error) or type(error).__name__)


def post_overdue() -> None:
    """Make attempts whose wake-up call was lost with the worker that took it: a few, the longest due first."""
    for delivery_pk, attempts in WebhookDelivery.objects.overdue().values_list("pk", "attempts")[:OVERDUE_AT_ONCE]:
        post_delivery.func(delivery_pk, attempts)


def body_of(delivery: WebhookDelivery) -> bytes:
    """The event as JSON, the same at each attempt: an id and where to read on, no address and no name."""
    event = {
        "id": str(delivery.event_id),
        "type": delivery.kind,
        "created": delivery.date_added.isoformat(),
        "order": {"id": delivery.order_id, "path": reverse("order-detail", args=[delivery.order_id])},
    }
    return json.dumps(event).encode()


def headers_of(delivery: WebhookDelivery, body: bytes) -> dict[str, str]:
    timestamp = str(int(timezone.now().timestamp()))
    return {
        "Content-Type": "application/json",
        "User-Agent": "BookTime-Webhook/1",
        "BookTime-Event-Id": str(delivery.event_id),
        "BookTime-Timestamp": timestamp,
        "BookTime-Signature": f"sha256={sign(delivery.webhook.secret, timestamp, body)}",
    }


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The hexadecimal HMAC-SHA256 of "timestamp.body"."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
