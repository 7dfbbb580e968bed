"""Money on its way back: a refund is stored with what it is for, and made by a worker until it is made."""

import logging
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.dispatch import receiver
from django.utils import timezone
from django_tasks import task

from shop.models import OrderEvent, Payment, PaymentProblem, ProviderEvent, Refund
from shop.models.order_money import REASONS
from shop.payments.paying import problem, provider
from shop.payments.provider import ProviderAway, ProviderRefused, RefundTold
from shop.signals import refund_begun

logger = logging.getLogger(__name__)
TRIED_IN_VAIN = 3


@receiver(refund_begun)
def make_soon(refund: Refund, **kwargs: Any) -> None:
    """What was paid by card goes back by itself; a transfer is made by a person at the bank."""
    if refund.payment.method == Payment.Method.CARD:
        transaction.on_commit(partial(make_refund.enqueue, refund.pk), robust=True)


@task()
def make_refund(refund_id: int) -> None:
    refund = Refund.objects.select_related("payment__order").get(pk=refund_id)
    make(refund)


def make(refund: Refund) -> bool:
    """Have the provider make a refund, once however often it is asked; False where that has to wait."""
    chosen = provider()
    if chosen is None or refund.status != Refund.Status.PENDING:
        return False
    try:
        told = chosen.give_back(refund)
    except ProviderAway as error:  # whether it was made nobody knows: asked with the same key, it says
        logger.warning("Refund %s not made, trying again: %s", refund.pk, error)
        return False
    except ProviderRefused as error:
        fail(refund, str(error))
        return True
    heard(refund, told)
    return True


def heard(refund: Refund, told: RefundTold) -> None:
    """Book what the provider says of a refund; said again it changes nothing."""
    if told.status == Refund.Status.DONE:
        with transaction.atomic():
            refund.payment.order.lock()
            refund.refresh_from_db(fields=["status", "reference"])
            # What failed stays so, though what was told before comes after.
            if (refund.status, refund.reference) != (Refund.Status.FAILED, told.reference):
                refund.payment.order.finish_refund(refund, told.reference)
    elif told.status == Refund.Status.FAILED:
        fail(refund, "It failed at the provider's.", told.reference)
    else:
        Refund.objects.filter(pk=refund.pk, reference=None).update(reference=told.reference)


@transaction.atomic
def fail(refund: Refund, why: str, reference: str | None = None) -> None:
    """The provider will not make it: a person has to."""
    order = refund.payment.order
    order.lock()
    refund.refresh_from_db(fields=["status", "reference"])
    if refund.status == Refund.Status.FAILED:
        return
    refund.close(Refund.Status.FAILED, reference)
    # Perhaps it was refused as the shop's people had given it back there, which counts now.
    charge = refund.payment.charge
    told = ProviderEvent.objects.filter(kind="charge.refunded", subject__payment_intent=charge) if charge else None
    if told is not None:
        told.update(handled_at=None, not_before=timezone.now())
    order.tell(OrderEvent.Kind.NOT_REFUNDED, refund.amount, why)
    text = f"Order {refund.payment.order_id}: the provider refused a refund. {why}"
    problem(
        PaymentProblem.Kind.REFUND_REFUSED,
        text,
        payment=refund.payment,
        refund=refund,
        key=f"{refund.pk}-{refund.again}",
    )


@transaction.atomic
def try_again(refund: Refund) -> None:
    """Ask the provider once more for what it refused. Raises ValidationError as `still_owed` does."""
    refund.payment.order.lock()
    still_owed(refund)
    Refund.objects.filter(pk=refund.pk, status=Refund.Status.FAILED).update(
        status=Refund.Status.PENDING, reference=None, again=F("again") + 1
    )
    transaction.on_commit(partial(make_refund.enqueue, refund.pk), robust=True)


@transaction.atomic
def made_by_hand(refund: Refund, by: Any = None) -> None:
    """A person sent what the provider refused. Raises ValidationError as `still_owed` does."""
    order = refund.payment.order
    order.lock()
    still_owed(refund)
    # What the provider still tells of its own attempt is no news of this.
    refund.reference = None
    refund.save(update_fields=["reference"])
    order.finish_refund(refund, by=by)


@transaction.atomic
def made_otherwise(refund: Refund, by: Any = None) -> bool:
    """What the provider refused went back in another way; False where some of it is known to have."""
    refund.payment.order.lock()
    try:
        made_by_hand(refund, by)
    except ValidationError:
        return False
    return True


@transaction.atomic
def give_back_the_rest(refund: Refund) -> None:
    """Of what the provider refused, what did not go back otherwise; once nobody owes it any more."""
    order = refund.payment.order
    order.lock()
    if refund.cause in REASONS:
        order.settle(refund.cause)


def still_owed(refund: Refund) -> None:
    """Raises ValidationError where what was refused went back otherwise; needs the order's lock."""
    refund.refresh_from_db(fields=["status", "reference"])
    if refund.status != Refund.Status.FAILED or refund.amount > refund.payment.refundable():
        raise ValidationError(
            "All or some of it went back meanwhile. Say that it went back otherwise: the rest goes back anew.",
            code="given_back",
        )


def note_refund(payment: Payment, amount: Decimal, reference: str | None = None) -> Refund | None:
    """Book what the shop's people gave back at the provider's, as far as it was paid; needs the order's lock."""
    amount = min(amount, payment.refundable())
    if amount <= 0:
        return None
    refund = Refund.objects.create(
        payment=payment, amount=amount, reason="Refunded at our bank", cause=Refund.Cause.PROVIDER, reference=reference
    )
    payment.order.finish_refund(refund)
    return refund


def make_due(limit: int = 100) -> None:
    """Make the refunds that are still to be made; while the provider is away, a few are tried."""
    waiting = Refund.objects.filter(status=Refund.Status.PENDING, payment__method=Payment.Method.CARD)
    left = TRIED_IN_VAIN
    # In any order, so that some that always wait are not always the first.
    for refund in waiting.select_related("payment__order").order_by("?")[:limit]:
        left -= not make(refund)
        if not left:
            break
