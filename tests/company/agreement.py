"""What must agree, whatever happened: asked of the rows and of the bank's books, and added up here in plain Python.

None of the shop's own sums are asked: an error in them would agree with itself.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from shop.models import (
    Order,
    OrderLine,
    OutgoingMail,
    Parcel,
    Payment,
    PaymentProblem,
    Product,
    Refund,
    Return,
    StockMove,
)
from staff.integrity.rules import RULES, broken
from staff.models.sales import DaySales
from staff.reports.views import DAYS, per_day
from tests.company.bank import Bank

NEW, PAID, DONE = 10, 20, 30
LINE_NEW, PROCESSING, SENT, CANCELLED = 10, 20, 30, 40
CLOSED = (SENT, CANCELLED)
LESS_BOUGHT = ("cancelled", "surplus", "provider")
ZERO = Decimal(0)
INTEGRITY = ("copies", "payments", "refunds", "credit_notes", "done_orders", "paid_orders", "cancelled_orders", "sales")


@dataclass
class OrderRows:
    """All that is stored of an order."""

    pk: int
    status: int
    called_off: bool
    delivery: Decimal
    placed_at: datetime
    lines: list[dict[str, Any]] = field(default_factory=list)
    payments: list[dict[str, Any]] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    parcels: list[dict[str, Any]] = field(default_factory=list)
    returns: list[dict[str, Any]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kept_lines(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["status"] != CANCELLED]

    @property
    def worth(self) -> Decimal:
        """What is charged for it now."""
        books = sum((line["price"] for line in self.kept_lines), ZERO)
        return books + self.delivery if self.kept_lines else ZERO

    @property
    def came(self) -> Decimal:
        return sum((payment["amount"] for payment in self.payments if payment["status"] == "paid"), ZERO)

    @property
    def promised(self) -> list[dict[str, Any]]:
        """The refunds that were made, will be, or are owed since they were refused."""
        owed = {problem["refund"] for problem in self.problems if problem["settled_at"] is None}
        return [refund for refund in self.refunds if refund["status"] != "failed" or refund["pk"] in owed]

    def back(self, *causes: str) -> Decimal:
        return sum((refund["amount"] for refund in self.promised if not causes or refund["cause"] in causes), ZERO)

    def mails(self) -> set[str]:
        """The keys of those that its shopper gets."""
        keys = {f"order-confirmation-{self.pk}"}
        keys |= {f"order-paid-{self.pk}"} if self.status != NEW else set()
        keys |= {f"order-cancelled-{self.pk}"} if self.called_off or not self.kept_lines else set()
        keys |= {f"order-sent-{self.pk}-{parcel['pk']}" for parcel in self.parcels}
        keys |= {f"order-refunded-{self.pk}-{refund['pk']}" for refund in self.refunds if refund["status"] == "done"}
        for each in self.returns:
            steps = {"asked", each["status"]} | ({"received"} if each["received_at"] else set())
            keys |= {f"order-return-{self.pk}-{each['pk']}-{step}" for step in steps}
        return keys


def read(orders: Collection[int] | None = None) -> dict[int, OrderRows]:
    """The rows of these orders, or of all."""

    def rows(model: Any, *fields: str, order: str = "order") -> Iterator[dict[str, Any]]:
        found = model.objects.order_by("pk")
        if orders is not None:
            found = found.filter(**{f"{order}__in" if order != "pk" else "pk__in": orders})
        return found.values(order, "pk", *fields)

    found = {
        row["pk"]: OrderRows(
            row["pk"], row["status"], row["date_cancelled"] is not None, row["delivery_price"], row["date_added"]
        )
        for row in rows(Order, "status", "date_cancelled", "delivery_price", "date_added", order="pk")
    }
    line_fields = ("product", "price", "status", "parcel", "parcel__order", "refunded", "returned_in")
    for name, model, fields, order in (
        ("lines", OrderLine, (*line_fields, "returned_in__order", "returned_in__status"), "order"),
        ("payments", Payment, ("amount", "status", "method", "reference", "charge", "date_paid"), "order"),
        ("refunds", Refund, ("amount", "status", "cause", "reference", "payment"), "payment__order"),
        ("parcels", Parcel, ("date_sent",), "order"),
        ("returns", Return, ("status", "received_at", "amount", "restocked"), "order"),
        ("problems", PaymentProblem, ("kind", "payment", "refund", "settled_at", "amount"), "order"),
    ):
        for row in rows(model, *fields, order=order):
            if row[order] is not None:
                getattr(found[row[order]], name).append(row)
    return found


def faults(found: Iterable[OrderRows], bank: Bank) -> Iterator[str]:
    """What of these orders does not agree."""
    for order in found:
        for rule in (money, statuses, parcels, returns, at_the_bank):
            for fault in rule(order, bank):
                yield f"Order {order.pk}: {fault}"


def money(order: OrderRows, bank: Bank) -> Iterator[str]:
    """Nobody keeps more than the order costs, and nobody gives back more than came."""
    came, back, worth = order.came, order.back(), order.worth
    if (too_much := min(came - order.back(*LESS_BOUGHT) - worth, came - back)) > 0:
        yield f"the shop keeps {too_much} too much: {came} came, {back} goes back, it is worth {worth}"
    for payment in order.payments:
        claimed = [r["amount"] for r in order.refunds if r["payment"] == payment["pk"] and r["status"] != "failed"]
        if sum(claimed, ZERO) > (payment["amount"] if payment["status"] == "paid" else 0):
            yield f"more goes back of payment {payment['pk']} than came"
        if (payment["status"] == "paid") != (payment["date_paid"] is not None):
            yield f"payment {payment['pk']} is {payment['status']}, and came {payment['date_paid']}"
    # What was given back at the provider's has to be paid anew, but the order stays what it was.
    has_paid = any(payment["status"] == "paid" for payment in order.payments)
    if order.status == NEW and has_paid and order.kept_lines and came - order.back(*LESS_BOUGHT) >= worth:
        yield f"{came} came for what is worth {worth}, but it is not paid"
    if order.status != NEW and came - order.back("cancelled", "surplus") < worth:
        yield f"{came} came for what is worth {worth}, but it is paid"
    refunded = sum((line["refunded"] for line in order.lines), ZERO)
    if refunded > sum((r["amount"] for r in order.refunds if r["cause"] == "lines"), ZERO):
        yield f"{refunded} was refunded for its books, and no refunds say so"
    for line in order.lines:
        if not 0 <= line["refunded"] <= line["price"]:
            yield f"{line['refunded']} of {line['price']} was refunded for line {line['pk']}"


def statuses(order: OrderRows, bank: Bank) -> Iterator[str]:
    found = {line["status"] for line in order.lines}
    if not found:
        yield "it has no lines"
    is_closed = found <= set(CLOSED)
    if (order.status == DONE) != (order.status != NEW and is_closed):
        yield f"its status is {order.status}, those of its lines {found}"
    if order.called_off and found != {CANCELLED}:
        yield f"it was called off, its lines are {found}"


def parcels(order: OrderRows, bank: Bank) -> Iterator[str]:
    """What was sent is in a parcel of the order, and nothing else is."""
    for line in order.lines:
        if (line["status"] == SENT) != (line["parcel"] is not None):
            yield f"line {line['pk']} is {line['status']} and in parcel {line['parcel']}"
        elif line["parcel"] and line["parcel__order"] != order.pk:
            yield f"line {line['pk']} is in a parcel of order {line['parcel__order']}"
    for parcel in {parcel["pk"] for parcel in order.parcels} - {line["parcel"] for line in order.lines}:
        yield f"parcel {parcel} is empty"


def returns(order: OrderRows, bank: Bank) -> Iterator[str]:
    for line in order.lines:
        if line["returned_in"] is not None and (line["status"], line["returned_in__order"]) != (SENT, order.pk):
            yield f"line {line['pk']} is {line['status']} and in return {line['returned_in']}"
        if line["returned_in__status"] == "refused":
            yield f"line {line['pk']} is in a return that was refused"
    for each in order.returns:
        if each["status"] in ("asked", "received", "accepted") and not any(
            line["returned_in"] == each["pk"] for line in order.lines
        ):
            yield f"return {each['pk']} is of nothing"


def at_the_bank(order: OrderRows, bank: Bank) -> Iterator[str]:
    """What is booked by card came to the bank; what the bank told came into the books, or before a person."""
    by_reference = {payment["reference"]: payment for payment in order.payments if payment["method"] == "card"}
    for reference, payment in by_reference.items():
        session = bank.sessions.get(reference)
        if payment["status"] == "paid" and (
            session is None or (session.status, session.came) != ("paid", payment["amount"])
        ):
            yield f"payment {payment['pk']} of {payment['amount']} is booked, at the bank it is {session}"
        if payment["status"] in ("failed", "expired") and session is not None and session.status == "paid":
            yield f"payment {payment['pk']} is {payment['status']}, at the bank it is {session}"
    before_a_person = {problem["payment"] for problem in order.problems}
    for session in bank.sessions.values():
        if session.order == order.pk and session.heard:
            payment = by_reference.get(session.reference)
            if payment is None or (payment["status"] != "paid" and payment["pk"] not in before_a_person):
                yield f"what came is not booked: {session}"
    for refund in order.refunds:
        made = bank.given.get(refund["reference"] or "")
        if made is not None and made.amount != refund["amount"]:
            yield f"refund {refund['pk']} of {refund['amount']} is {made} at the bank"
        if refund["status"] == "done" and made is not None and made.status != "succeeded":
            yield f"refund {refund['pk']} is done, at the bank it is {made}"


def faults_of_copies(always_counted: Collection[int] = ()) -> Iterator[str]:
    """The ledger comes to the counts; a copy that was sold is with the shopper, or was given back once."""
    sums: Counter[int] = Counter()
    sold: Counter[int] = Counter()
    back: Counter[int] = Counter()
    for product, kind, delta, line in StockMove.objects.values_list("product", "kind", "delta", "line"):
        sums[product] += delta
        if kind == "sold":
            sold[line] += 1
        elif kind != "counted":
            back[line] += 1
    for pk, stock, in_stock in Product.objects.values_list("pk", "stock", "in_stock"):
        if sums[pk] != (stock or 0):
            yield f"Book {pk}: {stock} copies are left, its ledger comes to {sums[pk]}"
        if stock is not None and (stock < 0 or in_stock != (stock > 0)):
            yield f"Book {pk}: {stock} copies are left, and it is {'' if in_stock else 'not '}in stock"
    lines = OrderLine.objects.values_list("pk", "product", "status", "returned_in__restocked")
    for pk, product, status, restocked in lines:
        gone_back = status == CANCELLED or bool(restocked)
        if sold[pk] > 1 or back[pk] > sold[pk] or (back[pk] and not gone_back):
            yield f"Line {pk}: sold {sold[pk]} times, given back {back[pk]} times, its status is {status}"
        if product in always_counted and status != CANCELLED and sold[pk] != 1:
            yield f"Line {pk}: its copy was never taken"
        if product in always_counted and gone_back and not back[pk]:
            yield f"Line {pk}: its copy was not given back"


def faults_of_mails(found: Iterable[OrderRows]) -> Iterator[str]:
    """Each mail once, and none beside."""
    wanted = set().union(*(order.mails() for order in found))
    there = set(OutgoingMail.objects.filter(key__startswith="order-").values_list("key", flat=True))
    for key in sorted(wanted - there):
        yield f"There is no mail {key}"
    for key in sorted(there - wanted):
        yield f"There is a mail {key} for nothing"


def faults_of_reports(found: Iterable[OrderRows]) -> Iterator[str]:
    """They come to what the orders do, and `manage.py integrity` finds nothing either; of days that are over."""
    days: dict[date, list[Any]] = {}
    for order in found:
        day = days.setdefault(timezone.localtime(order.placed_at).date(), [0, ZERO])
        day[0] += 1
        if order.status != NEW:
            day[1] += sum((line["price"] for line in order.kept_lines), ZERO)
    shown = timezone.localdate() - timedelta(days=DAYS - 1)
    for figure, place in (("orders", 0), ("revenue", 1)):
        wanted = {day.isoformat(): each[place] for day, each in days.items() if each[place] and day >= shown}
        says = {day: Decimal(number) for day, number in per_day(figure) if number}
        if says != wanted:
            yield f"The report of {figure} says {says}, the orders {wanted}"
    kept = {row.day: [row.orders, row.revenue] for row in DaySales.objects.all()}
    if kept != days:
        yield f"Stored are the sales {kept}, the orders come to {days}"
    for each in RULES:
        if each.look.__name__ in INTEGRITY:
            yield from broken(each)


def faults_at_the_end(found: Iterable[OrderRows], bank: Bank) -> Iterator[str]:
    """Once the bank answers again and all is caught up: both have the same books."""
    booked: dict[str, Decimal] = defaultdict(lambda: ZERO)
    given: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for order in found:
        charges = {payment["pk"]: payment for payment in order.payments}
        for payment in order.payments:
            if payment["method"] == "card" and payment["status"] == "paid":
                booked[payment["charge"]] += payment["amount"]
        for refund in order.refunds:
            payment = charges[refund["payment"]]
            if payment["method"] != "card":
                continue
            if refund["status"] == "pending":
                made = bank.given.get(refund["reference"] or "")
                if made is None or made.status != "pending":
                    yield f"Order {order.pk}: refund {refund['pk']} waits, at the bank it is {made}"
            elif refund["status"] == "done" and (refund["reference"] or refund["cause"] == "provider"):
                given[payment["charge"]] += refund["amount"]
    for session in bank.sessions.values():
        if session.charge in booked:
            if booked[session.charge] != session.came:
                yield f"{booked[session.charge]} is booked of {session}"
            made = sum(
                (
                    each.amount
                    for each in bank.given.values()
                    if (each.charge, each.status) == (session.charge, "succeeded")
                ),
                ZERO,
            )
            if given[session.charge] != made:
                yield f"{given[session.charge]} went back of {session}, at the bank {made}"
