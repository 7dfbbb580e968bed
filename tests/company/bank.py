"""A provider of card payments in this process: what it took and gave back stands in its own books."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count
from threading import RLock
from typing import Any, TypeVar

from shop.models import Payment, Refund
from shop.payments.provider import Begun, PaymentTold, ProviderAway, ProviderRefused, RefundTold
from shop.payments.stripe_checkout import refund_told, told_of
from shop.values.money import in_pence

T = TypeVar("T")
AWAY, LOST, REFUSES, SLOW = "away", "its answer is lost", "refuses refunds", "takes its time to refund"
TROUBLES = (AWAY, LOST, REFUSES, SLOW)


@dataclass
class Session:
    """A page to pay on; `heard` says that the shop was told how it ended."""

    reference: str
    charge: str
    order: int
    asked: Decimal
    came: Decimal = Decimal(0)
    status: str = "open"
    heard: bool = False

    def told(self) -> dict[str, Any]:
        """As the provider writes it."""
        return {
            "id": self.reference,
            "amount_total": in_pence(self.came or self.asked),
            "currency": "gbp",
            "client_reference_id": str(self.order),
            "payment_intent": self.charge if self.status == "paid" else None,
            "payment_status": "paid" if self.status == "paid" else "unpaid",
            "status": {"paid": "complete"}.get(self.status, self.status),
        }


@dataclass
class Given:
    """Money that went back."""

    reference: str
    charge: str
    amount: Decimal
    status: str
    refund: str = ""

    def told(self) -> dict[str, Any]:
        return {
            "id": self.reference,
            "payment_intent": self.charge,
            "amount": in_pence(self.amount),
            "currency": "gbp",
            "status": self.status,
            "metadata": {"refund": self.refund} if self.refund else {},
        }


@dataclass
class Bank:
    name: str = "the bank"
    origin: str = ""
    sessions: dict[str, Session] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)
    # Events that nobody was told yet: (kind, subject).
    untold: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    trouble: str = ""
    troubled_calls: int = 0

    def __post_init__(self) -> None:
        self.lock = RLock()
        self.numbers = count(1)
        self.pages: dict[int, str] = {}
        self.answers: dict[str, str] = {}

    # --- As the shop asks it

    def begin(self, payment: Payment, back: str, given_up: str) -> Begun:
        return self._answer(lambda: self._begin(payment))

    def page_of(self, payment: Payment) -> str:
        return self._answer(lambda: "/pay" if self._session(payment).status == "open" else "")

    def look(self, payment: Payment) -> PaymentTold:
        told = self._answer(lambda: told_of(self._session(payment).told()))
        self._heard(payment.reference, told.status)
        return told

    def close(self, payment: Payment) -> None:
        self._answer(lambda: self._close(self._session(payment)))

    def give_back(self, refund: Refund) -> RefundTold:
        return self._answer(lambda: refund_told(self._give_back(refund).told()))

    def payments_since(self, moment: datetime) -> Iterator[PaymentTold]:
        yield from (told_of(session.told()) for session in self.sessions.values())

    def refunds_since(self, moment: datetime) -> Iterator[RefundTold]:
        yield from (refund_told(given.told()) for given in self.given.values())

    def _answer(self, do: Callable[[], T]) -> T:
        with self.lock:
            trouble = self.trouble if self.troubled_calls else ""
            self.troubled_calls = max(self.troubled_calls - 1, 0)
            self.now = trouble
            if trouble == AWAY:
                raise ProviderAway(AWAY)
            answer = do()
            if trouble == LOST:
                raise ProviderAway(LOST)
            return answer

    def _begin(self, payment: Payment) -> Begun:
        # The same page, however often it is asked for.
        if payment.pk not in self.pages:
            number = next(self.numbers)
            session = Session(f"cs_{number}", f"pi_{number}", payment.order_id, payment.amount)
            self.sessions[session.reference] = session
            self.pages[payment.pk] = session.reference
        return Begun(self.pages[payment.pk], "/pay")

    def _session(self, payment: Payment) -> Session:
        return self.sessions[str(payment.reference)]

    def _close(self, session: Session) -> None:
        if session.status != "open":
            raise ProviderRefused("It is over.")
        session.status = "expired"

    def _give_back(self, refund: Refund) -> Given:
        key = f"{refund.pk}-{refund.again}"
        if key in self.answers:
            return self.given[self.answers[key]]
        charge = refund.payment.charge
        if self.now == REFUSES or refund.amount > self.left_of(charge):
            raise ProviderRefused("The card is closed.")
        status = "pending" if self.now == SLOW else "succeeded"
        given = self._book(charge, refund.amount, status, str(refund.pk))
        self.answers[key] = given.reference
        return given

    # --- What happens there

    def _heard(self, reference: str | None, status: str) -> None:
        if status == Payment.Status.PAID:
            self.sessions[str(reference)].heard = True

    def _book(self, charge: str, amount: Decimal, status: str, refund: str = "") -> Given:
        given = Given(f"re_{next(self.numbers)}", charge, amount, status, refund)
        self.given[given.reference] = given
        back = {"payment_intent": charge, "amount_refunded": in_pence(self.back_of(charge))}
        self.untold.append(("charge.refunded", back))
        return given

    def back_of(self, charge: str) -> Decimal:
        """What went back of a charge."""
        given = [each.amount for each in self.given.values() if each.charge == charge and each.status != "failed"]
        return sum(given, Decimal(0))

    def left_of(self, charge: str) -> Decimal:
        return sum((s.came for s in self.sessions.values() if s.charge == charge), Decimal(0)) - self.back_of(charge)

    def shopper_pays(self, session: Session, more: Decimal = Decimal(0)) -> None:
        """On the page, where that is open; `more` than was asked for, where something went wrong."""
        with self.lock:
            if session.status == "open":
                session.status, session.came = "paid", session.asked + more
                self.untold.append(("checkout.session.completed", session.told()))

    def people_refund(self, charge: str, amount: Decimal) -> None:
        """As the shop's people do on the provider's own pages."""
        with self.lock:
            # Not where a refund of the shop's own waits or failed: what an event says of both together, as one amount,
            # only `manage.py reconcile` can tell.
            waits = any(each.charge == charge and each.status != "succeeded" for each in self.given.values())
            if 0 < amount <= self.left_of(charge) and not waits:
                self._book(charge, amount, "succeeded")

    def finish(self, given: Given, status: str) -> None:
        """What took its time is made, or fails."""
        with self.lock:
            if given.status == "pending":
                by_people = any(each.charge == given.charge and not each.refund for each in self.given.values())
                given.status = "succeeded" if by_people else status
                self.untold.append(("refund.updated", given.told()))

    def having(self, status: str) -> list[Session]:
        return [session for session in self.sessions.values() if session.status == status]

    def pick(self, status: str, number: int) -> Session:
        """One of the newest."""
        found = self.having(status)
        return found[-1 - number % len(found)]

    def slow(self) -> list[Given]:
        """What is on its way back still."""
        return [given for given in self.given.values() if given.status == "pending"]

    def event(self, number: int) -> tuple[bytes, int]:
        """One that was not told yet, as its body, and the order that it is about."""
        with self.lock:
            kind, subject = self.untold.pop(number % len(self.untold))
            name = f"evt_{next(self.numbers)}"
            names = {subject.get("id"), subject.get("payment_intent")}
            order = next(s.order for s in self.sessions.values() if names & {s.reference, s.charge})
            return json.dumps({"id": name, "type": kind, "data": {"object": subject}}).encode(), order

    def event_taken_in(self, body: bytes) -> None:
        told = json.loads(body)
        if told["type"] == "checkout.session.completed":
            self._heard(told["data"]["object"]["id"], Payment.Status.PAID)
