"""Stripe's hosted Checkout: https://docs.stripe.com/payments/checkout."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import stripe
from django.conf import settings
from django.utils import timezone

from shop.models import Payment, Refund
from shop.payments.provider import Begun, PaymentTold, ProviderAway, ProviderRefused, RefundTold
from shop.values.money import from_pence, in_pence

# Seconds: the shopper waits as long at most.
PATIENCE = 10
# The library's own, of requests that may be repeated: they carry a key.
TRIES = 1
# 409: the same is being done at this moment.
KEEP_ASKING = {*range(400), 409}
# It forgets keys after a day.
KEYS_LAST = timedelta(hours=20)
# What a payment is whose bank said no in the end.
NOT_MADE = ("requires_payment_method", "canceled")
MADE = {"succeeded": Refund.Status.DONE, "failed": Refund.Status.FAILED, "canceled": Refund.Status.FAILED}


@contextmanager
def understood() -> Iterator[None]:
    """The library's errors as ours: what may be tried again, and what not."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise ProviderAway(type(error).__name__) from error
    except stripe.StripeError as error:
        # Below 400: an answer that nobody can read.
        if error.http_status is None or error.http_status >= 500 or error.http_status in KEEP_ASKING:
            raise ProviderAway(f"status {error.http_status}") from error
        raise ProviderRefused(error.user_message or str(error)) from error


class StripeCheckout:
    name = "Stripe"

    def __init__(self) -> None:
        # Another's page stands where its API does.
        self.origin = f"https://checkout.stripe.com {settings.STRIPE_API_BASE}".strip()
        addresses: Any = {"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else None
        self.client = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            base_addresses=addresses,
            max_network_retries=TRIES,
            http_client=stripe.RequestsClient(timeout=PATIENCE),
        )

    def begin(self, payment: Payment, back: str, given_up: str) -> Begun:
        name = f"Order {payment.order_id}"
        price = {
            "currency": payment.currency.lower(),
            "unit_amount": in_pence(payment.amount),
            "product_data": {"name": name},
        }
        intent = {"description": name, "metadata": {"order": str(payment.order_id), "payment": str(payment.pk)}}
        params: Any = {
            "mode": "payment",
            "client_reference_id": str(payment.order_id),
            "customer_email": payment.order.user.email,
            "line_items": [{"quantity": 1, "price_data": price}],
            "payment_intent_data": intent,
            "metadata": intent["metadata"],
            "success_url": back,
            "cancel_url": given_up,
        }
        # Of a shopper whose e-mail address changed since an answer was lost, something else is asked for.
        digest = sha256(repr(params).encode()).hexdigest()[:12]
        with understood():
            key = f"payment-{payment.pk}-{digest}"
            session = self.client.v1.checkout.sessions.create(params, {"idempotency_key": key})
        return Begun(session.id, session.url or "")

    def page_of(self, payment: Payment) -> str:
        session = self.session_of(payment)
        return str(session.get("url") or "") if session.get("status") == "open" else ""

    def look(self, payment: Payment) -> PaymentTold:
        return told_of(self.session_of(payment))

    def close(self, payment: Payment) -> None:
        with understood():
            self.client.v1.checkout.sessions.expire(str(payment.reference))

    def give_back(self, refund: Refund) -> RefundTold:
        if refund.reference:
            # Made, and under way: the answer to the same request would be the first one for ever.
            with understood():
                return refund_told(self.client.v1.refunds.retrieve(refund.reference).to_dict())
        charge = refund.payment.charge or self.look(refund.payment).charge
        if refund.date_added < timezone.now() - KEYS_LAST and (made := self.made_of(refund, charge)):
            return made
        # What was refused would be refused for ever under the same key.
        key = f"refund-{refund.pk}" + (f"-{refund.again}" if refund.again else "")
        params: Any = {
            "payment_intent": charge,
            "amount": in_pence(refund.amount),
            "metadata": {"refund": str(refund.pk), "order": str(refund.payment.order_id)},
        }
        with understood():
            return refund_told(self.client.v1.refunds.create(params, {"idempotency_key": key}).to_dict())

    def made_of(self, refund: Refund, charge: str) -> RefundTold | None:
        """The one that was made of ours, if its answer was lost."""
        with understood():
            for made in self.client.v1.refunds.list({"payment_intent": charge, "limit": 100}).auto_paging_iter():
                told = refund_told(made.to_dict())
                if told.refund == str(refund.pk) and told.status != Refund.Status.FAILED:
                    return told
        return None

    def payments_since(self, moment: datetime) -> Iterator[PaymentTold]:
        with understood():
            params: Any = {"created": {"gte": int(moment.timestamp())}, "limit": 100}
            for session in self.client.v1.checkout.sessions.list(params).auto_paging_iter():
                yield told_of(session.to_dict())

    def refunds_since(self, moment: datetime) -> Iterator[RefundTold]:
        with understood():
            params: Any = {"created": {"gte": int(moment.timestamp())}, "limit": 100}
            for refund in self.client.v1.refunds.list(params).auto_paging_iter():
                yield refund_told(refund.to_dict())

    def session_of(self, payment: Payment) -> dict[str, Any]:
        with understood():
            params: Any = {"expand": ["payment_intent"]}
            return self.client.v1.checkout.sessions.retrieve(str(payment.reference), params).to_dict()


def told_of(session: Mapping[str, Any]) -> PaymentTold:
    """What a Checkout session, from an answer or an event, says of its payment."""
    intent = session.get("payment_intent") or ""
    # An answer may hold all of it, an event its name.
    charge, how = (intent.get("id"), intent.get("status")) if isinstance(intent, dict) else (intent, "")
    amount = from_pence(session["amount_total"]) if session.get("amount_total") is not None else None
    status = Payment.Status.PENDING
    if session.get("payment_status") == "paid":
        status = Payment.Status.PAID
    elif session.get("status") == "expired":
        status = Payment.Status.EXPIRED
    elif session.get("status") == "complete" and how in NOT_MADE:
        status = Payment.Status.FAILED
    return PaymentTold(
        status,
        amount,
        currency=str(session.get("currency") or "").upper(),
        charge=str(charge),
        reference=str(session.get("id") or ""),
        is_awaited=status == Payment.Status.PENDING and session.get("status") == "complete",
        order=str(session.get("client_reference_id") or ""),
    )


def refund_told(refund: Mapping[str, Any]) -> RefundTold:
    return RefundTold(
        reference=str(refund["id"]),
        charge=str(refund.get("payment_intent") or ""),
        amount=from_pence(refund["amount"]),
        currency=str(refund.get("currency") or "").upper(),
        status=MADE.get(str(refund.get("status")), Refund.Status.PENDING),
        refund=str((refund.get("metadata") or {}).get("refund") or ""),
    )
