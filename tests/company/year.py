"""A company's year, step by step: whatever its people do, and whatever breaks, everything agrees."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.contrib.messages.storage.cookie import CookieStorage
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction
from django.test import RequestFactory, override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from booktime.worker import catch_up
from shop.models import (
    Basket,
    BasketLine,
    DeliveryMethod,
    Order,
    OrderLine,
    OutgoingMail,
    Payment,
    PaymentProblem,
    Product,
    Refund,
    Return,
    User,
)
from shop.models.payment_problem import BOOK, BY_TRANSFER, OTHERWISE, WayOut
from shop.payments import inbox, paying, refunding, unpaid
from shop.payments.provider import ProviderAway
from shop.payments.reconciling import differences
from staff.admin_sites import office_admin
from staff.money.views import problem_settle
from tests.company import agreement
from tests.company.bank import TROUBLES, Bank
from tests.company.expected import METHODS, ZERO, Book, Line, Purchase, delivery_of
from tests.factories import AddressFactory, ProductFactory, UserFactory

# Seconds that it may take to find the shortest story of a failure.
SHRINK = 30
# Some of these find nothing to do; at least so many do.
STEPS, REAL_STEPS = 240, 200
# Everything is looked at so often; what a step touched after each.
ALL_EVERY = 50
BOOKS = [("9.99", 3), ("25.00", 1), ("12.50", None), ("4.01", 20), ("31.40", 0), ("0.99", None)]

small = st.integers(0, 7)
orders = st.integers(0, 5)
masks = st.integers(0, 15)
PENCE = st.sampled_from([Decimal(pence) for pence in ("0.01", "1.00", "5.37", "12.99", "40.00")])


class Clock:
    """The time of the machine, and what passed since."""

    passed = timedelta(0)

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.now(tz) + cls.passed


class MailServer(EmailBackend):
    is_away = False

    def send_messages(self, messages: Any) -> int:
        if self.is_away:
            raise ConnectionRefusedError("No mail server is here.")
        return super().send_messages(messages)


class Complaints(logging.Handler):
    """What the site says went wrong, where nothing may."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().startswith("Payments: "):
            self.said.append(self.format(record))


class World:
    """What a year is lived in. One at a time: its bank is the provider of this process."""

    bank = Bank()


@contextmanager
def a_company() -> Iterator[None]:
    """A bank, a mail server and a clock that are the company's own."""
    with ExitStack() as stack:
        for module in (paying, refunding, unpaid):
            stack.enter_context(patch.object(module, "provider", lambda: World.bank))
        stack.enter_context(patch("django.utils.timezone.datetime", Clock))
        stack.enter_context(override_settings(EMAIL_BACKEND="tests.company.year.MailServer"))
        # Long enough to be read, and no longer.
        stack.enter_context(patch("hypothesis.internal.conjecture.engine.MAX_SHRINKING_SECONDS", SHRINK))
        # What goes wrong on purpose is told often.
        logging.disable(logging.WARNING)
        stack.callback(logging.disable, logging.NOTSET)
        yield


def chosen(things: list[Any], mask: int) -> list[Any]:
    """Those of them that the bits of `mask` name."""
    return [thing for number, thing in enumerate(things) if mask >> number % 4 & 1]


def has_orders(year: Any) -> bool:
    return bool(year.orders)


def has_returns(year: Any) -> bool:
    return any(order.returns for order in year.orders)


def settle_problem(problem: PaymentProblem, way_out: WayOut) -> None:
    """As a person in the office presses the button."""
    pressed = RequestFactory().post("/", {"way": way_out.name})
    pressed.user, pressed._messages = None, CookieStorage(pressed)
    problem_settle(pressed, problem.pk, office_admin)


def reconcile(bank: Bank) -> None:
    """As `manage.py reconcile --fix` does: what was told too late for an event to be taken in."""
    for difference in list(differences(bank, None)):
        if difference.fix:
            difference.fix()


class EveryRule:
    def is_enabled(self, name: str) -> bool:
        return True


class Year(RuleBasedStateMachine):
    """Each rule does something, says what that should make of the company, and which orders it touched."""

    # How many things happened in each year.
    lived: list[int] = []

    def __init__(self) -> None:
        super().__init__()
        # Hypothesis would leave out rules at random, most of them in many a year: then nothing much happens.
        self._rules_strategy.enabled_rules_strategy = st.just(EveryRule())
        World.bank = self.bank = Bank()
        Clock.passed, MailServer.is_away = timedelta(0), False
        mail.outbox = []
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        connection.run_on_commit = []
        self.complaints = Complaints()
        logging.getLogger().addHandler(self.complaints)
        self.dies_after: int | None = None
        self.steps = 0
        self.has_failed = False
        self.orders: list[Purchase] = []
        self.shoppers = [UserFactory(password="!"), UserFactory(password="!")]
        self.addresses = {
            (user.pk, country): AddressFactory(user=user, country=country)
            for user in self.shoppers
            for country in ("uk", "us")
        }
        self.methods = {
            name: DeliveryMethod.objects.create(name=name, price=price, free_from=free_from, countries=list(countries))
            for name, (price, free_from, countries) in METHODS.items()
        }
        self.books = []
        for price, stock in BOOKS:
            product = ProductFactory(price=Decimal(price), stock=stock)
            self.books.append(Book(product.pk, Decimal(price), stock, stock != 0))

    def teardown(self) -> None:
        self.lived.append(self.steps)
        try:
            if self.steps and not self.has_failed:
                self.end()
        finally:
            logging.getLogger().removeHandler(self.complaints)
            connection.run_on_commit = []
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)
            Clock.passed = timedelta(0)

    # --- How a step is done

    @contextmanager
    def step(self, *touched: Purchase) -> Iterator[None]:
        """Do it, then the work that is left for the commit, unless the worker dies; then look whether all agrees."""
        self.steps += 1
        self.has_failed = True
        yield
        self.commit()
        self.look(touched)
        if self.steps % ALL_EVERY == 0:
            self.look(self.orders)
            self.look_at_all()
        self.has_failed = False

    def commit(self) -> None:
        left, self.dies_after = self.dies_after, None
        while connection.run_on_commit and left != 0:
            work, connection.run_on_commit = connection.run_on_commit, []
            for _, call, _ in work[:left]:
                call()
            left = None if left is None else max(left - len(work), 0)
        connection.run_on_commit = []

    def refused(self, wanted: bool, do: Callable[[], Any]) -> Any:
        """What it gives; None where it was refused, as it should be just where it is not `wanted`."""
        try:
            with transaction.atomic():
                result = do()
        except ValidationError as error:
            assert not wanted, f"refused: {error.messages}"
            return None
        assert wanted, "it should have been refused"
        return result if result is not None else True

    # --- Whether all agrees

    def look(self, purchases: Iterable[Purchase]) -> None:
        known = {purchase.pk: purchase for purchase in purchases}
        if not known:
            return
        found = agreement.read(list(known))
        for purchase in known.values():
            self.compare(purchase, found[purchase.pk])
        self.compare_books({line.book.pk: line.book for each in known.values() for line in each.lines}.values())
        assert not (wrong := list(agreement.faults(found.values(), self.bank))), wrong

    def compare(self, purchase: Purchase, rows: agreement.OrderRows) -> None:
        """An order with what it should be."""
        transfers = [p["amount"] for p in rows.payments if p["status"] == "paid" and p["method"] == "transfer"]
        assert sum(transfers, ZERO) == sum(purchase.transfers, ZERO), "what came by transfer"
        purchase.came = rows.came
        purchase.provider = rows.back("provider")
        purchase.settle()
        assert {line.pk: line.status for line in purchase.lines} == {row["pk"]: row["status"] for row in rows.lines}
        assert rows.worth == purchase.worth
        back = rows.back("cancelled", "surplus"), rows.back("lines", "goodwill")
        assert back == (purchase.less, purchase.other), (purchase, rows)
        assert (rows.status, rows.called_off) == (purchase.status, purchase.called_off)
        assert {row["pk"]: row["status"] for row in rows.returns} == purchase.returns
        for line, row in zip(purchase.lines, rows.lines, strict=True):
            assert (row["price"], row["returned_in"]) == (line.price, line.returned_in)
            line.refunded = row["refunded"]

    def compare_books(self, books: Iterable[Book]) -> None:
        wanted = {book.pk: (book.stock, book.in_stock) for book in books}
        found = Product.objects.filter(pk__in=wanted).values_list("pk", "stock", "in_stock")
        assert {pk: (stock, in_stock) for pk, stock, in_stock in found} == wanted

    def look_at_all(self) -> None:
        self.compare_books(self.books)
        found = agreement.read()
        assert found.keys() == {order.pk for order in self.orders}
        faults = [*agreement.faults_of_copies(), *agreement.faults_of_mails(found.values()), *self.complaints.said]
        assert not faults, faults

    def end(self) -> None:
        """The trouble is over, everything is caught up, and the reports are read."""
        self.bank.troubled_calls, MailServer.is_away, self.dies_after = 0, False, None
        for _ in range(3):
            self.hear_all()
            Clock.passed += timedelta(hours=5)
            self.caught_up()
            reconcile(self.bank)
            self.commit()
            for problem in PaymentProblem.objects.open():
                for way in (BOOK, BY_TRANSFER, OTHERWISE):
                    self.decides(problem, way)
        self.look(self.orders)
        self.look_at_all()
        assert not (found := [each.text for each in differences(self.bank, None)]), found
        assert not (wrong := list(agreement.faults_at_the_end(agreement.read().values(), self.bank))), wrong
        assert not OutgoingMail.objects.pending().exists()
        names = [message.extra_headers["Message-ID"] for message in mail.outbox]
        assert len(names) == len(set(names)) == OutgoingMail.objects.exclude(date_sent=None).count()
        Clock.passed += timedelta(days=1)
        assert not (wrong := list(agreement.faults_of_reports(agreement.read().values()))), wrong

    @rule()
    def quiet_day(self) -> None:
        """The simplest of all years, with which Hypothesis always begins, is one of these."""

    # --- Shoppers

    def order(self, number: int) -> Purchase:
        """One of the last, that things may happen to the same again and again."""
        return self.orders[-1 - number % len(self.orders)]

    @rule(
        shopper=st.integers(0, 1),
        picks=st.dictionaries(st.integers(0, 5), st.integers(1, 3), min_size=1, max_size=3),
        country=st.sampled_from(["uk", "uk", "us"]),
        method=st.sampled_from([None, "Post", "Courier"]),
    )
    def orders_books(self, shopper: int, picks: dict[int, int], country: str, method: str | None) -> None:
        self.buys(self.shoppers[shopper], picks, country, method)

    def buys(self, user: User, picks: dict[int, int], country: str, method: str | None) -> None:
        basket = Basket.objects.create(user=user)
        wanted = [(self.books[number], copies) for number, copies in picks.items()]
        BasketLine.objects.bulk_create(
            BasketLine(basket=basket, product_id=book.pk, quantity=copies, price_seen=book.price)
            for book, copies in wanted
        )
        delivery = delivery_of(sum((book.price * copies for book, copies in wanted), ZERO), country, method)
        can = bool(wanted) and delivery is not None and all(book.can_sell(copies) for book, copies in wanted)
        address, chosen_method = self.addresses[user.pk, country], self.methods[method] if method else None
        touched: list[Purchase] = []
        with self.step():
            placed = self.refused(
                can, lambda: Order.objects.place(basket, address, address, delivery_method=chosen_method)
            )
            if placed is None or delivery is None:
                basket.delete()
            else:
                # Pressed twice, it is one order.
                assert Order.objects.place(basket, address, address).pk == placed.pk
                counted = {book.pk: book.stock is not None for book, _ in wanted}
                for book, copies in wanted:
                    if book.stock is not None:
                        book.count(book.stock - copies)
                products = dict(OrderLine.objects.filter(order=placed).values_list("pk", "product"))
                books = {book.pk: book for book in self.books}
                assert Counter(products.values()) == Counter({book.pk: copies for book, copies in wanted})
                lines = [
                    Line(pk, books[product], books[product].price, took=counted[product])
                    for pk, product in sorted(products.items())
                ]
                touched.append(Purchase(placed.pk, timezone.localtime().date(), delivery, lines))
                self.orders += touched

    @rule(shopper=st.integers(0, 1), number=small, copies=st.integers(1, 3))
    def buys_what_is_there(self, shopper: int, number: int, copies: int) -> None:
        there = [place for place, book in enumerate(self.books) if book.can_sell(copies)]
        self.buys(self.shoppers[shopper], dict.fromkeys(there[number % 2 :: 2], copies), "uk", None)

    @precondition(has_orders)
    @rule(number=orders)
    def begins_to_pay(self, number: int) -> None:
        order = self.order(number)
        with self.step(order), suppress(ValidationError, ProviderAway):
            paying.begin(Order.objects.get(pk=order.pk), "https://shop/back", "https://shop/given-up")

    @precondition(lambda self: self.bank.having("open"))
    @rule(number=small, wrong=st.sampled_from([0, 0, 0, 0, 1, -1]), comes_back=st.booleans(), twice=st.booleans())
    def pays_by_card(self, number: int, wrong: int, comes_back: bool, twice: bool) -> None:
        session = self.bank.pick("open", number)
        (order,) = self.known([session.order])
        with self.step(order):
            self.bank.shopper_pays(session, Decimal(wrong) if session.asked > 1 else ZERO)
            for _ in range(comes_back + (comes_back and twice)):
                self.asks(order)

    @precondition(has_orders)
    @rule(number=orders)
    def looks_whether_it_is_paid(self, number: int) -> None:
        order = self.order(number)
        with self.step(order):
            self.asks(order)

    def asks(self, order: Purchase) -> None:
        with suppress(ProviderAway):
            paying.look(Order.objects.get(pk=order.pk))

    @precondition(has_orders)
    @rule(number=orders, how=st.sampled_from(["due", "due", "part", "too much"]), again=st.booleans())
    def sends_a_transfer(self, number: int, how: str, again: bool) -> None:
        order = self.order(number)
        part = {"due": ZERO, "part": Decimal("-2.50"), "too much": Decimal("4.44")}[how]
        amount = max(order.due + part, Decimal("0.01"))
        reference = f"transfer-{order.pk}-{self.steps}"
        with self.step(order):
            for _ in range(1 + again):
                Order.objects.get(pk=order.pk).receive(amount, reference=reference)
            order.transfers.append(amount)

    @precondition(has_orders)
    @rule(number=orders)
    def is_marked_paid(self, number: int) -> None:
        order = self.order(number)
        with self.step(order):
            # What was called off as a whole has none left either.
            can = bool(order.kept_lines)
            self.refused(can, Order.objects.get(pk=order.pk).mark_paid)
            if can and order.status == agreement.NEW and order.due:
                order.transfers.append(order.due)

    @precondition(has_orders)
    @rule(number=orders)
    def calls_it_off(self, number: int) -> None:
        order = self.order(number)
        with self.step(order):
            can = order.can_be_called_off()
            self.refused(can or order.called_off, Order.objects.get(pk=order.pk).cancel)
            if can:
                self.call_off(order)

    def call_off(self, order: Purchase) -> None:
        order.called_off = True
        for line in order.lines:
            order.mark(line, agreement.CANCELLED, timezone.now())

    # --- Dispatch

    @precondition(has_orders)
    @rule(number=orders, place=small, status=st.sampled_from([20, 30, 40, 40, 10]))
    def marks_a_line(self, number: int, place: int, status: int) -> None:
        order = self.order(number)
        line = order.lines[place % len(order.lines)]
        with self.step(order):
            can = order.mark(line, status, timezone.now())
            self.refused(can, lambda: OrderLine.objects.get(pk=line.pk).mark(status))

    @precondition(has_orders)
    @rule(number=orders, mask=masks, status=st.sampled_from([20, 30, 40]))
    def marks_lines(self, number: int, mask: int, status: int) -> None:
        order = self.order(number)
        lines = chosen(order.lines, mask)
        with self.step(order):
            marked = Order.objects.get(pk=order.pk).mark_lines({line.pk: status for line in lines})
            refused = {line.pk for line in lines if not order.mark(line, status, timezone.now())}
            assert {pk for keys in marked.refused.values() for pk in keys} == refused

    @precondition(has_orders)
    @rule(number=orders, mask=masks, label=st.sampled_from(["", "", "RM1", "RM2"]))
    def sends_a_parcel(self, number: int, mask: int, label: str) -> None:
        order = self.order(number)
        today = timezone.localdate()
        ready = [
            line
            for line in order.lines
            if line.status not in agreement.CLOSED
            and (line.book.available_from is None or line.book.available_from <= today)
        ]
        # No bit is set: all that is left.
        lines = chosen(order.lines, mask) if mask else ready
        with self.step(order):
            can = bool(lines) and all(line in ready for line in lines)
            keys = [line.pk for line in lines] if mask else None
            parcel = self.refused(can, lambda: Order.objects.get(pk=order.pk).send_parcel("Royal Mail", label, keys))
            if parcel is not None:
                for line in lines:
                    order.mark(line, agreement.SENT, timezone.now())

    # --- Returns and refunds

    @precondition(has_orders)
    @rule(number=orders, mask=masks)
    def asks_to_return(self, number: int, mask: int) -> None:
        order = self.order(number)
        lines = chosen(order.lines, mask)
        with self.step(order):
            now = timezone.now()
            can = bool(lines) and all(order.returnable(line, now) for line in lines)
            asked = self.refused(
                can, lambda: Order.objects.get(pk=order.pk).ask_return([line.pk for line in lines], "Too long")
            )
            if asked is not None:
                order.returns[asked.pk] = "asked"
                for line in lines:
                    line.returned_in = asked.pk

    def a_return(self, number: int) -> tuple[Purchase, int]:
        found = [(order, pk) for order in self.orders for pk in order.returns]
        return found[-1 - number % len(found)]

    @precondition(has_returns)
    @rule(number=small)
    def receives_a_return(self, number: int) -> None:
        order, pk = self.a_return(number)
        with self.step(order):
            if self.refused(order.returns[pk] in ("asked", "received"), Return.objects.get(pk=pk).receive):
                order.returns[pk] = "received"

    @precondition(has_returns)
    @rule(number=small, restock=st.booleans(), amount=st.sampled_from([None, None, ZERO, Decimal("1.50")]))
    def accepts_a_return(self, number: int, restock: bool, amount: Decimal | None) -> None:
        order, pk = self.a_return(number)
        with self.step(order):
            lines = [line for line in order.lines if line.returned_in == pk]
            back = order.worth_of_return(pk) if amount is None else amount
            owed = [line for line in lines if line.refunded < line.price]
            can = order.returns[pk] in ("asked", "received") and (not back or self.can_refund(order, back, owed))
            if self.refused(can, lambda: Return.objects.get(pk=pk).accept(restock=restock, amount=amount)):
                order.returns[pk] = "accepted"
                order.other += back
                for line in lines:
                    line.is_back = True
                    if restock:
                        line.restock()

    @precondition(has_returns)
    @rule(number=small)
    def refuses_a_return(self, number: int) -> None:
        order, pk = self.a_return(number)
        with self.step(order):
            if self.refused(
                order.returns[pk] in ("asked", "received"), lambda: Return.objects.get(pk=pk).refuse("Torn")
            ):
                order.returns[pk] = "refused"
                for line in order.lines:
                    line.returned_in = None if line.returned_in == pk else line.returned_in

    def can_refund(self, order: Purchase, amount: Decimal, lines: list[Line]) -> bool:
        left = order.most_for(lines)
        again = any(line.price == line.refunded for line in lines)
        return 0 < amount <= order.left and (not lines or (amount <= left and not again))

    @precondition(has_orders)
    @rule(number=orders, amount=PENCE, mask=masks)
    def refunds(self, number: int, amount: Decimal, mask: int) -> None:
        """Any amount, or for books that were sent."""
        order = self.order(number)
        lines = [line for line in chosen(order.lines, mask) if line.status == agreement.SENT]
        with self.step(order):
            can = self.can_refund(order, amount, lines)
            rows = [OrderLine.objects.get(pk=line.pk) for line in lines]
            if self.refused(can, lambda: Order.objects.get(pk=order.pk).refund(amount, "Torn", lines=rows)):
                order.other += amount

    @rule(number=small)
    def sends_a_refund_by_transfer(self, number: int) -> None:
        waiting = list(Refund.objects.to_make_by_hand().select_related("payment__order"))
        if waiting:
            refund = waiting[number % len(waiting)]
            with self.step(*self.known([refund.payment.order_id])):
                assert refund.payment.order.finish_refund(refund)
                assert not refund.payment.order.finish_refund(refund)

    def known(self, keys: Iterable[int | None]) -> list[Purchase]:
        return [order for order in self.orders if order.pk in set(keys)]

    # --- The bank

    @rule(kind=st.sampled_from(TROUBLES), calls=st.integers(1, 3))
    def bank_is_in_trouble(self, kind: str, calls: int) -> None:
        self.steps += 1
        self.bank.trouble, self.bank.troubled_calls = kind, calls

    @precondition(lambda self: self.bank.untold)
    @rule(number=small, times=st.integers(1, 2))
    def bank_tells(self, number: int, times: int) -> None:
        body, order = self.bank.event(number)
        with self.step(*self.known([order])):
            for _ in range(times):
                self.tell(body)

    def tell(self, body: bytes) -> None:
        if inbox.take_in(inbox.receive(body)):
            self.bank.event_taken_in(body)

    def hear_all(self) -> None:
        while self.bank.untold:
            self.tell(self.bank.event(0)[0])

    @precondition(lambda self: self.bank.having("paid"))
    @rule(number=small, amount=PENCE)
    def people_refund_at_the_bank(self, number: int, amount: Decimal) -> None:
        """What they know of."""
        session = self.bank.pick("paid", number)
        with self.step():
            if Payment.objects.paid().filter(reference=session.reference).exists():
                self.bank.people_refund(session.charge, amount)

    @precondition(lambda self: self.bank.slow())
    @rule(number=small, fails=st.booleans())
    def bank_finishes_a_refund(self, number: int, fails: bool) -> None:
        with self.step():
            slow = self.bank.slow()
            self.bank.finish(slow[number % len(slow)], "failed" if fails else "succeeded")

    @rule(number=small, way=small)
    def person_decides(self, number: int, way: int) -> None:
        problems = list(PaymentProblem.objects.open())
        if problems:
            problem = problems[number % len(problems)]
            ways = [each for each in problem.ways_out() if each.name != "seen"]
            self.decides(problem, ways[way % len(ways)])

    def decides(self, problem: PaymentProblem, way_out: WayOut) -> None:
        """Who looks at the bank's pages first, and so sees what others gave back there."""
        (order,) = self.known([problem.order_id])
        with self.step(*self.orders):
            self.hear_all()
            reconcile(self.bank)
            problem.refresh_from_db()
            was_open = problem.settled_at is None
            settle_problem(problem, way_out)
            problem.refresh_from_db()
            if problem.settled_at is None or not was_open:
                return
            if way_out.name == "send_back":
                order.less += problem.amount
            elif problem.refund and problem.refund.status == "failed":
                # It went back otherwise, or some of it: it is not owed any more.
                if problem.refund.cause in agreement.LESS_BOUGHT:
                    order.less -= problem.refund.amount
                else:
                    order.other -= problem.refund.amount

    # --- The shop

    @rule(calls=st.integers(0, 2))
    def worker_dies(self, calls: int) -> None:
        """In the middle of what the next step leaves to it."""
        self.steps += 1
        self.dies_after = calls

    @rule(away=st.booleans())
    def mail_server_goes_and_comes(self, away: bool) -> None:
        self.steps += 1
        MailServer.is_away = away

    @rule(hours=st.sampled_from([1, 3, 25, 25, 24 * 8, 24 * 31]))
    def time_passes(self, hours: int) -> None:
        with self.step(*self.orders):
            Clock.passed += timedelta(hours=hours)
            self.caught_up()

    def caught_up(self) -> None:
        catch_up()
        for order in self.known(Order.objects.exclude(date_cancelled=None).values_list("pk", flat=True)):
            # Not paid in time.
            if not order.called_off:
                assert order.status == agreement.NEW and order.can_be_called_off() and not order.came
                self.call_off(order)

    @rule(number=small, stock=st.sampled_from([None, 0, 1, 2, 5, 30]))
    def counts_a_book(self, number: int, stock: int | None) -> None:
        book = self.books[number % len(self.books)]
        with self.step():
            Product.objects.get(pk=book.pk).set_stock(stock)
            book.count(stock)
            self.compare_books([book])

    @rule(number=small, more=st.sampled_from([Decimal("1.10"), Decimal("-0.49")]))
    def changes_a_price(self, number: int, more: Decimal) -> None:
        book = self.books[number % len(self.books)]
        with self.step():
            book.price = max(book.price + more, Decimal("0.01"))
            product = Product.objects.get(pk=book.pk)
            product.price = book.price
            product.save()
            self.compare_books([book])

    @rule(number=small, days=st.sampled_from([None, 0, 5, 40]))
    def is_available_from(self, number: int, days: int | None) -> None:
        book = self.books[number % len(self.books)]
        with self.step():
            book.available_from = None if days is None else timezone.localdate() + timedelta(days=days)
            product = Product.objects.get(pk=book.pk)
            product.available_from = book.available_from
            product.save()


def live(number: int) -> None:
    """One of the years."""

    class Seeded(Year):
        lived = []

    run_state_machine_as_test(
        seed(number)(Seeded),
        settings=settings(
            # The first is a year of quiet days.
            max_examples=2,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert max(Seeded.lived) >= REAL_STEPS
