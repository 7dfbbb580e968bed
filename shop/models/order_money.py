"""What was paid for an order and given back, and the one rule of both: nobody keeps more than the order costs."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError
from django.db import models, transaction

from shop.models.order_event import EventKind, OrderEvent
from shop.models.order_line import OrderLine, OrderStatus
from shop.models.order_totals import OrderTotals
from shop.models.payment import Payment, PaymentMethod, PaymentQuerySet, PaymentStatus
from shop.models.refund import FOR_LESS_BOUGHT, Refund, RefundCause, RefundQuerySet, RefundStatus
from shop.signals import refund_begun, refund_done
from shop.values.money import ZERO, money, shared

REASONS = {
    RefundCause.CANCELLED: "Cancelled before it was sent",
    RefundCause.SURPLUS: "Paid more than the order costs",
}


# What of an amount was charged at which rate of VAT.
Rates: TypeAlias = Mapping[str | None, Decimal]
NO_RATES: Rates = MappingProxyType({})


def rate_of(percent: Decimal | None) -> str | None:
    return None if percent is None else str(percent)


@dataclass(frozen=True)
class Account:
    """What was paid for an order (and when last), what went back or is about to, and what there is still to pay."""

    paid: Decimal
    paid_on: datetime | None
    refunded: Decimal
    on_its_way_back: Decimal
    due: Decimal
    refunds: list[Refund]


class OrderMoney(OrderTotals):
    payments: PaymentQuerySet
    status: Any
    # What with_account() reads.
    _paid: list[Payment]

    class Meta:
        abstract = True

    def lock(self) -> None:
        raise NotImplementedError

    def tell(self, kind: str, amount: Decimal | None = None, text: str = "", by: Any = None) -> None:
        """Add a sentence to the order's story, in the transaction of what it tells of."""
        order: Any = self
        OrderEvent.objects.create(order=order, kind=kind, amount=amount, text=text[:300], by=by)

    def refunds(self) -> RefundQuerySet:
        return Refund.objects.filter(payment__order=self.pk)

    @property
    def reference(self) -> str:
        """What a transfer for it says, and what its invoice is numbered."""
        return f"BT{self.pk}"

    def account(self) -> "Account":
        """How its money stands, as a page tells it, in two queries; as it was when `with_account()` read it."""
        payments = self._paid if "_paid" in self.__dict__ else list(self.payments.paid().prefetch_related("refunds"))
        refunds = [refund for payment in payments for refund in payment.refunds.all()]
        back = {status: sum((r.amount for r in refunds if r.status == status), ZERO) for status in RefundStatus}
        less = [r.amount for r in refunds if r.status != RefundStatus.FAILED and r.cause in FOR_LESS_BOUGHT]
        paid = sum((payment.amount for payment in payments), ZERO)
        return Account(
            paid=paid,
            paid_on=max((payment.date_paid for payment in payments if payment.date_paid), default=None),
            refunded=back[RefundStatus.DONE],
            on_its_way_back=back[RefundStatus.PENDING],
            due=max(self.grand_total - paid + sum(less, ZERO), ZERO),
            refunds=sorted(refunds, key=lambda refund: refund.number),
        )

    def rates_of(self, amount: Decimal) -> list[tuple[str | None, str]]:
        """What of an amount that goes back was charged at which rate of VAT.

        That of the cancelled lines first, as far as no refund was made for it, else in proportion to what was ordered.
        """
        charged: dict[str | None, Decimal] = defaultdict(lambda: ZERO)
        left: dict[str | None, Decimal] = defaultdict(lambda: ZERO)
        lines: Any = self
        for percent, status, price in lines.lines.order_by().values_list("vat_percent", "status", "price"):
            name = rate_of(percent)
            charged[name] += price
            left[name] += price if status != OrderLine.CANCELLED else ZERO
        rates = list(charged)
        table = dict(zip(rates, shared(self.delivery_price, list(charged.values())), strict=True))
        is_over = not any(left.values())
        wanted = {rate: charged[rate] - left[rate] + (table[rate] if is_over else ZERO) for rate in rates}
        for refund in self.refunds().claimed():
            for rate, gross in refund.at_rates:
                wanted[rate] = max(wanted.get(rate, ZERO) - Decimal(gross), ZERO)
        weights = wanted if any(wanted.values()) else charged
        parts = shared(amount, [weights[rate] for rate in rates]) if rates else []
        return [(rate, str(part)) for rate, part in zip(rates, parts, strict=True) if part]

    def story(self) -> "models.QuerySet[OrderEvent]":
        """What happened to it, in short, for its shopper."""
        return OrderEvent.objects.filter(order=self.pk, kind__in=OrderEvent.FOR_SHOPPER)

    @property
    def paid_total(self) -> Decimal:
        """What came in, whatever of it went back."""
        return self.payments.paid().total()

    @property
    def refunded_total(self) -> Decimal:
        """What went back."""
        return self.refunds().done().total()

    def balance(self) -> Decimal:
        """What was paid beyond what the order costs; below nothing, what there is still to pay.

        What was given back without that less was bought, as for a damaged book, changes nothing here.
        """
        return self.paid_total - self.refunds().promised().for_less_bought().total() - self.grand_total

    @property
    def due(self) -> Decimal:
        """What there is still to pay."""
        return max(-self.balance(), ZERO)

    @transaction.atomic
    def pay(self, payment: Payment, by: Any = None) -> bool:
        """Book a payment that came in: once, however often it is told; False where it was booked before.

        The order is paid when nothing is due any more. What is too much, as for one that was cancelled or paid already,
        is given back.
        """
        self.lock()
        payment.refresh_from_db(fields=["status", "reference"])
        if payment.status == PaymentStatus.PAID:
            return False
        payment.close(PaymentStatus.PAID)
        self.tell(EventKind.PAID, payment.amount, payment.get_method_display(), by)
        self.settle(RefundCause.SURPLUS)
        return True

    def record_payment(self, by: Any = None) -> None:
        """Note that what was due came in by transfer, as somebody says who looked at the bank account."""
        if due := self.due:
            payment = self.payments.create(method=PaymentMethod.TRANSFER, amount=due)
            payment.close(PaymentStatus.PAID)
            self.tell(EventKind.PAID, due, payment.get_method_display(), by)

    @transaction.atomic
    def receive(self, amount: Decimal, by: Any = None, reference: str | None = None) -> Payment | None:
        """Book a transfer that came in, in part or in full; None where one of that `reference` was booked before."""
        self.lock()
        if reference and self.payments.model.objects.filter(reference=reference).exists():
            return None
        payment = self.payments.create(method=PaymentMethod.TRANSFER, amount=amount, reference=reference)
        self.pay(payment, by)
        return payment

    @transaction.atomic
    def take_and_return(self, payment: Payment, by: Any = None) -> None:
        """Book a payment that nobody asked for, and give back all of it."""
        self.lock()
        payment.close(PaymentStatus.PAID)
        self.tell(EventKind.PAID, payment.amount, payment.get_method_display(), by)
        self._give_back_of(
            payment, payment.refundable(), "Another amount than the order costs", RefundCause.SURPLUS, by
        )

    @transaction.atomic
    def refund(self, amount: Decimal, reason: str, *, lines: Sequence[OrderLine] = (), by: Any = None) -> list[Refund]:
        """Give back `amount` of what was paid, for a reason that the shopper is told: the refunds, one a payment.

        Where it is for some of its books, `lines` are those: what they cost is given back once. Raises ValidationError
        for nothing, for more than that, and for more than is left of what was paid.
        """
        self.lock()
        left = self._left()
        if amount <= 0:
            raise ValidationError("Write an amount above nothing.", code="nothing")
        if amount > left:
            raise ValidationError(f"At most {money(left)} of order {self.pk} can be refunded.", code="too_much")
        if lines:
            return self._give_back(amount, reason, RefundCause.LINES, by, self._note_refunded(amount, lines))
        return self._give_back(amount, reason, RefundCause.GOODWILL, by)

    def _left(self) -> Decimal:
        """What came and is not promised back; what the provider refused to give back is."""
        return self.paid_total - self.refunds().promised().total()

    def _note_refunded(self, amount: Decimal, lines: Sequence[OrderLine]) -> dict[str | None, Decimal]:
        """Note what of each line's price goes back; what of it was charged at which rate of VAT.

        Raises ValidationError for what is beyond their price and, with the last books of the order, its delivery.
        """
        before = dict(OrderLine.objects.filter(pk__in=[line.pk for line in lines]).values_list("pk", "refunded"))
        left = [line.price - before[line.pk] for line in lines]
        if again := [line.name for line, rest in zip(lines, left, strict=True) if line.price and not rest]:
            raise ValidationError(f"“{again[0]}” was refunded before.", code="refunded")
        books, delivery = sum(left, ZERO), self.delivery_beside(before)
        if amount > books + delivery:
            raise ValidationError(
                f"At most {money(books + delivery)} can be refunded for these books.", code="too_much"
            )
        rates: dict[str | None, Decimal] = defaultdict(lambda: ZERO)
        for line, part in zip(lines, shared(min(amount, books), left), strict=True):
            line.refunded = before[line.pk] + part
            rates[rate_of(line.vat_percent)] += part
        OrderLine.objects.bulk_update(lines, ["refunded"], batch_size=100)
        if amount > books:
            # Delivery bears the rates of all that was ordered, as on the invoice.
            charged = self._charged()
            for rate, part in zip(charged, shared(amount - books, list(charged.values())), strict=True):
                rates[rate] += part
        return rates

    def delivery_beside(self, lines: Collection[int]) -> Decimal:
        """What delivery cost, where these lines, by their keys, are the last; nothing while others are kept."""
        order: Any = self
        kept = order.lines.exclude(pk__in=lines).exclude(status=OrderLine.CANCELLED)
        kept = kept.exclude(returned_in__status="accepted").filter(refunded__lt=models.F("price"))
        return ZERO if kept.exists() else self.delivery_price

    def _charged(self) -> dict[str | None, Decimal]:
        """What was charged for its books at which rate of VAT."""
        order: Any = self
        charged: dict[str | None, Decimal] = defaultdict(lambda: ZERO)
        for percent, price in order.lines.exclude(status=OrderLine.CANCELLED).values_list("vat_percent", "price"):
            charged[rate_of(percent)] += price
        return charged

    def settle(self, cause: str) -> list[Refund]:
        """Give back what was paid beyond what the order costs, never more than was paid; with all there, it is paid.

        Needs the order's lock.
        """
        balance = self.balance()
        if self.status == OrderStatus.NEW and balance >= 0 and self.books_left() and self.payments.paid().exists():
            order: Any = self
            order.status = OrderStatus.PAID
            order.save(update_fields=["status", "date_updated"])
        surplus = min(balance, self._left())
        return self._give_back(surplus, REASONS[RefundCause(cause)], cause) if surplus > 0 else []

    def _give_back(
        self, amount: Decimal, reason: str, cause: str, by: Any = None, rates: Rates = NO_RATES
    ) -> list[Refund]:
        """Of the newest payment first: of two that paid the same, the second goes back."""
        made = []
        for payment in self.payments.paid().order_by("-pk"):
            if part := min(amount, payment.refundable()):
                made.append(self._give_back_of(payment, part, reason, cause, by, rates))
                amount -= part
        return made

    def _give_back_of(
        self,
        payment: Payment,
        amount: Decimal,
        reason: str,
        cause: str,
        by: Any = None,
        rates: Rates = NO_RATES,
    ) -> Refund:
        what = {"amount": amount, "reason": reason, "cause": cause, "by": by}
        parts = shared(amount, list(rates.values()))
        at_rates = [(rate, str(part)) for rate, part in zip(rates, parts, strict=True) if part]
        refund = Refund.objects.create(payment=payment, **what, at_rates=at_rates)
        self.tell(EventKind.REFUND, amount, reason, by)
        refund_begun.send(Refund, refund=refund)
        return refund

    @transaction.atomic
    def finish_refund(self, refund: Refund, reference: str | None = None, by: Any = None) -> bool:
        """Note that a refund was made; False where that was known."""
        self.lock()
        refund.refresh_from_db(fields=["status", "reference"])
        if refund.status == RefundStatus.DONE:
            return False
        refund.close(RefundStatus.DONE, reference)
        self.tell(EventKind.REFUNDED, refund.amount, refund.reason, by)
        refund_done.send(Refund, refund=refund)
        return True
