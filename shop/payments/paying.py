"""From "pay" to "paid": what is begun at the provider, and what its word makes of an order."""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from shop.models import Company, Order, OrderEvent, Payment, PaymentProblem
from shop.payments.provider import PaymentTold, Provider, ProviderRefused
from shop.values.money import ZERO, money

logger = logging.getLogger(__name__)


def provider() -> Provider | None:
    """Who takes cards for this site; None where only transfers are taken."""
    if settings.STRIPE_SECRET_KEY:
        from shop.payments.stripe_checkout import StripeCheckout

        return StripeCheckout()
    if settings.IS_DEMO:
        from shop.payments.card_desk import CardDesk

        return CardDesk()
    return None


def takes_cards() -> bool:
    return provider() is not None


def ways_to_pay() -> dict[str, str]:
    """What a page says of how an order is paid: `card`, by whose page (or ""), and `bank_details` for transfers."""
    chosen = provider()
    return {"card": chosen.name if chosen else "", "bank_details": Company.objects.current().bank_details}


@transaction.atomic
def payment_to_make(order: Order) -> Payment:
    """The payment that is to be made by card for all that is due: one, however often it is asked for.

    Raises ValidationError for an order that is paid or cancelled, or costs nothing.
    """
    order.lock()
    if order.is_cancelled or not order.books_left():
        raise ValidationError(f"Order {order.pk} was cancelled: there is nothing to pay.", code="cancelled")
    due = order.due
    if order.status == Order.NEW and not due:
        raise ValidationError(f"There is nothing to pay for order {order.pk}.", code="nothing")
    if order.status != Order.NEW:
        raise ValidationError(f"Order {order.pk} is paid already.", code="paid")
    wanted: dict[str, Any] = {"method": Payment.Method.CARD, "amount": due, "currency": settings.CURRENCY}
    payment = order.payments.pending().filter(**wanted).order_by("-pk").first()
    if payment is None:
        payment = order.payments.create(**wanted)
        order.tell(OrderEvent.Kind.BEGUN, due, payment.get_method_display(), by=order.user)
    return payment


def begin(order: Order, back: str, given_up: str) -> str:
    """The address of the page to pay the order on; "" where it was found to be paid meanwhile.

    Raises ValidationError as `payment_to_make` does, ProviderAway and ProviderRefused.
    """
    chosen = provider()
    if chosen is None:
        raise ProviderRefused("This shop takes no cards.")
    payment = payment_to_make(order)
    if payment.reference:
        if url := chosen.page_of(payment):
            return url
        # Over: paid, which counts, or given up, so that another is begun.
        told = chosen.look(payment)
        if hear(payment, told):
            return ""
        if told.is_awaited or told.status == Payment.Status.PAID:
            raise ValidationError(f"Your payment for order {order.pk} is under way. We write as soon as it is here.")
        payment = payment_to_make(order)
    begun = chosen.begin(payment, back, given_up)
    Payment.objects.filter(pk=payment.pk, reference=None).update(reference=begun.reference)
    return begun.url


def look(order: Order) -> bool:
    """Ask the provider how the payments stand that were begun for an order: an event may be late, or lost.

    Whether one is under way that a bank takes its time for. Raises ProviderAway and ProviderRefused.
    """
    chosen, is_awaited = provider(), False
    for payment in order.payments.begun():
        if chosen is not None:
            told = chosen.look(payment)
            hear(payment, told)
            is_awaited |= told.is_awaited
    return is_awaited


@transaction.atomic
def hear(payment: Payment, told: PaymentTold) -> bool:
    """Book what a provider says of a payment; whether it is paid. Said again it changes nothing."""
    order = payment.order
    order.lock()
    payment.refresh_from_db()
    if told.status == Payment.Status.PAID:
        is_short = payment.status != Payment.Status.PAID and not order.is_cancelled and payment.amount < order.due
        if (told.amount, told.currency) != (payment.amount, payment.currency.upper()) or is_short:
            # For whoever sends it back.
            Payment.objects.filter(pk=payment.pk).update(charge=told.charge)
            report_wrong_amount(payment, told)
            return False
        payment.charge = told.charge or payment.charge
        order.pay(payment)
        return True
    if told.status != payment.status == Payment.Status.PENDING:
        payment.close(told.status)
        order.tell(OrderEvent.Kind.NOT_PAID, payment.amount, payment.get_status_display())
    return payment.status == Payment.Status.PAID


def payment_of(told: PaymentTold) -> Payment | None:
    """The payment that is told of; one that nobody here began is noted where its order is known."""
    known = Payment.objects.filter(reference=told.reference).first()
    if known is not None:
        return known
    number = told.order
    order = Order.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if order is None:
        problem(PaymentProblem.Kind.UNKNOWN, f"Session {told.reference} names no order of ours.", told=told)
        return None
    order.lock()
    # Begun here, where the answer with its name was lost.
    nameless = order.payments.pending().filter(method=Payment.Method.CARD, reference=None).last()
    if nameless is not None:
        Payment.objects.filter(pk=nameless.pk).update(reference=told.reference)
        return nameless
    wanted = order.due or told.amount or ZERO
    return order.payments.create(
        method=Payment.Method.CARD, amount=wanted, reference=told.reference, charge=told.charge
    )


def report_wrong_amount(payment: Payment, told: PaymentTold) -> None:
    came = money(told.amount) if told.currency == payment.currency and told.amount else f"{told.amount} {told.currency}"
    text = f"{came} came by card for order {payment.order_id}, where {money(payment.amount)} was asked for."
    problem(PaymentProblem.Kind.WRONG_AMOUNT, text, payment=payment, told=told)


def problem(
    kind: str, text: str, *, payment: Payment | None = None, told: PaymentTold | None = None, key: str = "", **more: Any
) -> None:
    """Put something on the list of what a person has to decide; said again, it is there once."""
    name = key or (told.reference if told else "") or str(payment.pk if payment else text)
    values = {"kind": kind, "text": text[:300], "payment": payment, "order": payment.order if payment else None, **more}
    if told is not None:
        values |= {"amount": told.amount, "currency": told.currency}
    _, created = PaymentProblem.objects.get_or_create(key=f"{kind}-{name}"[:300], defaults=values)
    if created:
        logger.error("Payments: %s", text)
