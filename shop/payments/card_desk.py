"""The demo's own card desk: a provider on this site, on whose page one pays, declines, gives up or pays twice."""

import secrets
from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from shop.models import CardDeskSession, Payment, Refund
from shop.payments.provider import Begun, PaymentTold, RefundTold


class CardDesk:
    name = "the demo’s card desk"
    origin = ""

    def begin(self, payment: Payment, back: str, given_up: str) -> Begun:
        values = {"reference": f"desk_{secrets.token_urlsafe(16)}", "back": back, "given_up": given_up}
        session, _ = CardDeskSession.objects.get_or_create(payment=payment, defaults=values)
        return Begun(session.reference, address_of(session))

    def page_of(self, payment: Payment) -> str:
        session = session_of(payment)
        return address_of(session) if session.status == Payment.Status.PENDING else ""

    def look(self, payment: Payment) -> PaymentTold:
        return told_of(session_of(payment))

    def close(self, payment: Payment) -> None:
        CardDeskSession.objects.filter(payment=payment, status=Payment.Status.PENDING).update(
            status=Payment.Status.EXPIRED
        )

    def give_back(self, refund: Refund) -> RefundTold:
        return refund_told(refund)

    def payments_since(self, moment: datetime) -> Iterator[PaymentTold]:
        yield from map(told_of, CardDeskSession.objects.filter(begun_at__gte=moment).select_related("payment"))

    def refunds_since(self, moment: datetime) -> Iterator[RefundTold]:
        made = Refund.objects.filter(payment__desk__isnull=False, reference__isnull=False, date_added__gte=moment)
        yield from map(refund_told, made.select_related("payment"))


def session_of(payment: Payment) -> CardDeskSession:
    return CardDeskSession.objects.select_related("payment").get(payment=payment)


def address_of(session: CardDeskSession) -> str:
    return reverse("card_desk", args=[session.reference])


def told_of(session: CardDeskSession) -> PaymentTold:
    payment = session.payment
    charge = f"charge_{session.reference}" if session.status == Payment.Status.PAID else ""
    return PaymentTold(session.status, payment.amount, payment.currency, charge, session.reference)


def refund_told(refund: Refund) -> RefundTold:
    payment = refund.payment
    return RefundTold(
        f"back_{refund.pk}", payment.charge, refund.amount, payment.currency, Refund.Status.DONE, str(refund.pk)
    )
