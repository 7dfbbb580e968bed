"""What Stripe tells by itself: stored first, then taken in once, in whatever order and however often it comes."""

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from math import isfinite
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop.models import Payment, PaymentProblem, ProviderEvent, Refund
from shop.payments.paying import hear, payment_of, problem
from shop.payments.provider import PaymentTold
from shop.payments.refunding import heard, note_refund
from shop.payments.stripe_checkout import refund_told, told_of
from shop.values.money import from_pence, money

logger = logging.getLogger(__name__)

Subject = Mapping[str, Any]


class NotYet(Exception):
    """It is about money that nobody told us of yet."""


def receive(body: bytes) -> ProviderEvent:
    """Store an event whose signature was checked; the same one is there once, and one that nobody can read, too."""
    try:
        event = storable(json.loads(body))
    except (ValueError, RecursionError):
        event = None
    event = event if isinstance(event, dict) else {}
    data = event.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    values = {"kind": str(event.get("type", ""))[:100], "subject": subject if isinstance(subject, dict) else {}}
    name = str(event.get("id") or f"nameless-{sha256(body).hexdigest()}")
    return ProviderEvent.objects.get_or_create(event_id=name[:255], defaults=values)[0]


def storable(value: Any) -> Any:
    """What JSON may hold without that which a database cannot: NUL, half a pair of surrogates, what is no number."""
    match value:
        case str():
            return value.replace("\0", "").encode(errors="replace").decode()
        case float() if not isfinite(value):
            return None
        case list():
            return [storable(each) for each in value]
        case dict():
            return {storable(name): storable(each) for name, each in value.items()}
    return value


def take_in(event: ProviderEvent) -> bool:
    """Do what an event asks for, once; False where that has to wait."""
    try:
        with transaction.atomic():
            # Of many that take in the same one, the others wait here and find it done.
            event = ProviderEvent.objects.select_for_update().get(pk=event.pk)
            if event.handled_at is None:
                HANDLERS.get(event.kind, ignore)(event.subject)
                event.handled_at = timezone.now()
                event.save(update_fields=["handled_at"])
    except NotYet as waits:
        event.postpone(waits)
        return False
    except Exception as error:  # it is stored: whatever it is about, the worker tries again
        logger.exception("Event %s not taken in", event.event_id)
        event.postpone(repr(error))
        return False
    return True


def take_in_due(limit: int = 100) -> None:
    for event in ProviderEvent.objects.due()[:limit]:
        take_in(event)


def ignore(subject: Subject) -> None:
    """Providers tell more than a shop wants to know."""


def checkout_paid(session: Subject) -> None:
    told = told_of(session)
    if told.status != Payment.Status.PAID:
        return  # a bank that takes its time: it is told again when the money is there
    payment = payment_of(told)
    if payment is not None:
        hear(payment, told)
        for waiting in ProviderEvent.objects.filter(handled_at=None, subject__payment_intent=told.charge):
            transaction.on_commit(partial(take_in, waiting), robust=True)


def checkout_over(status: str, session: Subject) -> None:
    payment = Payment.objects.filter(reference=session.get("id")).first()
    if payment is not None:
        hear(payment, PaymentTold(status))


def charge_refunded(charge: Subject) -> None:
    """Note what was refunded at the provider's: what it gave back beyond what we asked for, or are about to."""
    payment = payment_of_charge(charge)
    payment.order.lock()
    # One that failed there was made there before.
    known = payment.refunds.exclude(status=Refund.Status.FAILED, reference=None)
    more = from_pence(charge["amount_refunded"]) - known.total()
    note_refund(payment, more)


def refund_changed(subject: Subject) -> None:
    """A refund of ours that the provider took its time for."""
    refund = Refund.objects.select_related("payment__order").filter(reference=str(subject.get("id"))).first()
    if refund is not None:
        heard(refund, refund_told(subject))


def charge_disputed(dispute: Subject) -> None:
    payment = payment_of_charge(dispute)
    amount = money(from_pence(dispute["amount"]))
    text = f"The cardholder disputes {amount} of order {payment.order_id}: {dispute.get('reason', 'no reason')}."
    problem(PaymentProblem.Kind.DISPUTED, text, payment=payment, key=str(dispute.get("id")))


def payment_of_charge(subject: Subject) -> Payment:
    """By what the provider calls the money that moved; raises NotYet, as what it tells comes in any order."""
    names = [str(name) for name in (subject.get("payment_intent"), subject.get("charge"), subject.get("id")) if name]
    paid = Payment.objects.paid()
    payment = paid.filter(charge__in=names).first() or paid.filter(reference__in=names).first()
    if payment is None:
        raise NotYet(f"No payment {' or '.join(names)}")
    return payment


HANDLERS: dict[str, Callable[[Subject], None]] = {
    "checkout.session.completed": checkout_paid,
    "checkout.session.async_payment_succeeded": checkout_paid,
    "checkout.session.async_payment_failed": partial(checkout_over, Payment.Status.FAILED),
    "checkout.session.expired": partial(checkout_over, Payment.Status.EXPIRED),
    "charge.refunded": charge_refunded,
    "refund.updated": refund_changed,
    "refund.failed": refund_changed,
    "charge.refund.updated": refund_changed,
    "charge.dispute.created": charge_disputed,
}
