"""The shop's books of card payments and the provider's, side by side: where they differ, and what mends that."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from django.db import transaction
from django.utils import timezone

from shop.models import Payment, Refund
from shop.payments.paying import hear, payment_of
from shop.payments.provider import PaymentTold, Provider, RefundTold
from shop.payments.refunding import heard, note_refund
from shop.values.money import ZERO, money


@dataclass(frozen=True)
class Difference:
    """A sentence; and what books what is missing here, where that is all."""

    text: str
    fix: Callable[[], object] | None = None


def differences(provider: Provider, since: datetime | None) -> Iterator[Difference]:
    """Where what was begun since a moment (ever, where there is none) differs.

    Raises ProviderAway and ProviderRefused.
    """
    since = since or datetime(2000, 1, 1, tzinfo=timezone.get_default_timezone())
    yield from of_payments(provider, since)
    yield from of_refunds(provider, since)


def of_payments(provider: Provider, since: datetime) -> Iterator[Difference]:
    paid_there = set()
    for told in provider.payments_since(since):
        if told.status != Payment.Status.PAID:
            continue
        paid_there.add(told.reference)
        payment = Payment.objects.select_related("order").filter(reference=told.reference).first()
        came = amount_in(told.amount, told.currency)
        if payment is None:
            text = f"{told.reference}: {came} paid for order {told.order or '?'}, which is not known here."
            yield Difference(text, partial(book, told))
        elif (told.amount, told.currency) != (payment.amount, payment.currency):
            yield Difference(
                f"{told.reference}: {came} paid, here {money(payment.amount)} for order {payment.order_id}."
            )
        elif payment.status != Payment.Status.PAID:
            text = f"{told.reference}: {came} paid for order {payment.order_id}, here {payment.get_status_display()}."
            yield Difference(text, partial(hear, payment, told))
    here = Payment.objects.paid().filter(method=Payment.Method.CARD, date_added__gte=since)
    for payment in here.exclude(reference__in=paid_there):
        yield Difference(f"{payment.reference}: {money(payment.amount)} of order {payment.order_id} paid here alone.")


def of_refunds(provider: Provider, since: datetime) -> Iterator[Difference]:
    made_there = set()
    not_known: dict[Payment, list[RefundTold]] = defaultdict(list)
    for told in provider.refunds_since(since):
        refund = ours(told)
        if refund is not None:
            made_there.add(refund.pk)
            is_old = told.status == Refund.Status.FAILED and told.reference != refund.reference
            if is_old:  # an attempt that was made good since
                continue
        given = amount_in(told.amount, told.currency)
        if refund is None:
            payment = (
                Payment.objects.select_related("order").filter(charge=told.charge).first() if told.charge else None
            )
            if payment is not None and told.status != Refund.Status.FAILED:
                not_known[payment].append(told)
        elif refund.amount != told.amount:
            yield Difference(f"{told.reference}: {given} refunded, here {money(refund.amount)}.")
        elif refund.status != told.status:
            was = f"{told.status}, here {refund.status}"
            text = f"{told.reference}: {given} of order {refund.payment.order_id} is {was}."
            yield Difference(text, partial(heard, refund, told))
    yield from of_refunds_made_there(not_known, since)
    alone = Refund.objects.done().filter(payment__method=Payment.Method.CARD, date_added__gte=since)
    # What the provider told of a charge as a whole has no name of its own.
    for refund in alone.exclude(pk__in=made_there).exclude(reference=None).select_related("payment"):
        yield Difference(
            f"{refund.reference}: {money(refund.amount)} of order {refund.payment.order_id} refunded here alone."
        )


def of_refunds_made_there(made: Mapping[Payment, list[RefundTold]], since: datetime) -> Iterator[Difference]:
    """What of them is not known here: an event may have told of several as one."""
    for payment, each in made.items():
        nameless = payment.refunds.filter(reference=None, cause=Refund.Cause.PROVIDER, date_added__gte=since)
        known = nameless.done().total()
        for told in each:
            missing = told.amount - known
            known = max(-missing, ZERO)
            if missing > 0:
                given = amount_in(missing, told.currency)
                text = f"{told.reference}: {given} of order {payment.order_id} refunded, which is not known here."
                # What stands here under its name is all of it.
                name = told.reference if missing == told.amount else None
                yield Difference(text, partial(note, payment, missing, name))


def ours(told: RefundTold) -> Refund | None:
    refunds = Refund.objects.select_related("payment__order")
    if told.refund.isdecimal() and len(told.refund) < 19:
        return refunds.filter(pk=int(told.refund), payment__charge=told.charge).first()
    named = refunds.filter(reference=told.reference).first()
    if named is not None:
        return named
    # One that an event told of, before it was known what it is called.
    nameless = refunds.filter(
        payment__charge=told.charge, reference=None, cause=Refund.Cause.PROVIDER, amount=told.amount
    ).first()
    if nameless is not None:
        Refund.objects.filter(pk=nameless.pk).update(reference=told.reference)
    return nameless


@transaction.atomic
def note(payment: Payment, amount: Decimal, reference: str | None) -> None:
    payment.order.lock()
    note_refund(payment, amount, reference)


@transaction.atomic
def book(told: PaymentTold) -> None:
    payment = payment_of(told)
    if payment is not None:
        hear(payment, told)


def amount_in(amount: Decimal | None, currency: str) -> str:
    return f"{amount} {currency}"
