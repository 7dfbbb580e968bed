"""A company's year with everybody at work at once, and whether everything agrees when it is over.

    python -m tests.servers -- python -m benchmarks.year [--actors 8] [--seconds 60] [--years 20] [--seed 1]

First `--years` years as the tests live them, one thing after the other, with seeds that the tests do not have. Then
actors, each a thread with a connection of its own, do whatever comes to their mind to the same orders and books for
`--seconds`. Prints what they did, how often it was refused as the rules say, and what broke. Ends with status 1 where
anything does not agree (`tests/company/agreement.py` says what has to), or something failed that was no refusal.
"""

import argparse
import os
import random
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
import benchmarks.django_ready  # isort: skip  # noqa: F401

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction

from benchmarks.measuring import scratch_database
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
)
from shop.payments import inbox, paying
from shop.payments.provider import ProviderAway
from shop.payments.reconciling import differences
from tests.company import agreement
from tests.company.bank import TROUBLES, Bank
from tests.company.expected import METHODS
from tests.company.year import Clock, MailServer, World, a_company, live, reconcile, settle_problem
from tests.factories import AddressFactory, ProductFactory, UserFactory

STOCKS = [3, 1, None, 20, 0, 5, 8, None, 50, 2]
# So many of the newest are talked about.
ORDERS = 20
PENCE = [Decimal(pence) for pence in ("0.01", "1.00", "5.37", "12.99", "40.00")]
Verb = Callable[["Actor"], object]
VERBS: dict[str, tuple[Verb, int]] = {}


def verb(weight: int = 1) -> Callable[[Verb], Verb]:
    """Something that actors do, so many times as often as others."""

    def of(do: Verb) -> Verb:
        VERBS[do.__name__.replace("_", " ")] = do, weight
        return do

    return of


class Nothing(Exception):
    """There is nothing yet to do it to."""


class Shop:
    """What all actors have in common."""

    def __init__(self) -> None:
        World.bank = self.bank = Bank()
        self.shoppers = [UserFactory(password="!") for _ in range(6)]
        self.addresses = {user.pk: AddressFactory(user=user) for user in self.shoppers}
        for name, (price, free_from, countries) in METHODS.items():
            DeliveryMethod.objects.create(name=name, price=price, free_from=free_from, countries=list(countries))
        self.books = [ProductFactory(price=Decimal("9.99") + number, stock=s) for number, s in enumerate(STOCKS)]
        self.counted = [book.pk for book in self.books if book.stock is not None]


class Actor(threading.Thread):
    def __init__(self, shop: Shop, seed: int, ends: float) -> None:
        super().__init__()
        self.shop, self.bank, self.chance, self.ends = shop, shop.bank, random.Random(seed), ends
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.conflicts: Counter[str] = Counter()
        self.failed: list[str] = []

    def run(self) -> None:
        names = list(VERBS)
        weights = [VERBS[name][1] for name in names]
        while time.monotonic() < self.ends:
            self.do(*self.chance.choices(names, weights))
        connection.close()

    def do(self, name: str) -> None:
        try:
            VERBS[name][0](self)
            self.done[name] += 1
        except Nothing:
            pass
        except (ValidationError, ProviderAway):
            self.refused[name] += 1
        except OperationalError:
            self.conflicts[name] += 1
        except Exception:
            self.failed.append(f"{name}: {traceback.format_exc()}")

    def one_of(self, found: object) -> object:
        found = list(found)  # type: ignore[call-overload]
        if not found:
            raise Nothing
        return self.chance.choice(found)

    def order(self) -> Order:
        return self.one_of(Order.objects.order_by("-pk")[:ORDERS])

    def some_lines(self, order: Order) -> list[OrderLine]:
        lines = list(order.lines.all())
        return self.chance.sample(lines, self.chance.randint(0, len(lines)))


# --- Shoppers


@verb(4)
def order_books(actor: Actor) -> None:
    user = actor.chance.choice(actor.shop.shoppers)
    with transaction.atomic():
        basket = Basket.objects.current(user)
        for book in actor.chance.sample(actor.shop.books, actor.chance.randint(1, 3)):
            BasketLine.objects.update_or_create(
                basket=basket, product=book, defaults={"quantity": actor.chance.randint(1, 3)}
            )
    address = actor.shop.addresses[user.pk]
    try:
        Order.objects.place(basket, address, address)
    except ValidationError:
        basket.lines.all().delete()
        raise


@verb(3)
def begin_to_pay(actor: Actor) -> None:
    paying.begin(actor.order(), "https://shop/back", "https://shop/given-up")


@verb(3)
def pay_by_card(actor: Actor) -> None:
    session = actor.one_of(actor.bank.having("open"))
    actor.bank.shopper_pays(session, Decimal(actor.chance.choice([0, 0, 0, 0, 1])))
    if actor.chance.random() < 0.7:
        paying.look(Order.objects.get(pk=session.order))


@verb(2)
def look_whether_it_is_paid(actor: Actor) -> None:
    paying.look(actor.order())


@verb(2)
def send_a_transfer(actor: Actor) -> None:
    order = actor.order()
    amount = order.due + actor.chance.choice([Decimal(0), Decimal(0), Decimal("-2.50"), Decimal("4.44")])
    reference = f"transfer-{order.pk}-{actor.chance.randint(1, 3)}"
    order.receive(max(amount, Decimal("0.01")), reference=reference)


@verb()
def mark_paid(actor: Actor) -> None:
    actor.order().mark_paid()


@verb()
def call_it_off(actor: Actor) -> None:
    actor.order().cancel()


# --- Dispatch


@verb(3)
def mark_a_line(actor: Actor) -> None:
    actor.one_of(actor.order().lines.all()).mark(actor.chance.choice([20, 30, 30, 40]))


@verb(2)
def mark_lines(actor: Actor) -> None:
    order = actor.order()
    order.mark_lines({line.pk: actor.chance.choice([20, 30, 30, 40]) for line in actor.some_lines(order)})


@verb(3)
def send_a_parcel(actor: Actor) -> None:
    order = actor.order()
    lines = [line.pk for line in actor.some_lines(order)] or None
    order.send_parcel("Royal Mail", actor.chance.choice(["", "RM1", "RM2"]), lines)


# --- Returns and refunds


@verb(3)
def ask_to_return(actor: Actor) -> None:
    order = actor.order()
    sent = [line.pk for line in actor.some_lines(order) if line.status == OrderLine.SENT]
    order.ask_return(sent, "Too long")


def a_return(actor: Actor) -> Return:
    return actor.one_of(Return.objects.filter(order__in=list(Order.objects.order_by("-pk")[:ORDERS])))


@verb()
def receive_a_return(actor: Actor) -> None:
    a_return(actor).receive()


@verb(2)
def accept_a_return(actor: Actor) -> None:
    a_return(actor).accept(
        restock=actor.chance.random() < 0.5, amount=actor.chance.choice([None, None, Decimal("1.5")])
    )


@verb()
def refuse_a_return(actor: Actor) -> None:
    a_return(actor).refuse("Torn")


@verb(2)
def refund(actor: Actor) -> None:
    order = actor.order()
    lines = [line for line in actor.some_lines(order) if line.status == OrderLine.SENT]
    order.refund(actor.chance.choice(PENCE), "Torn", lines=lines)


@verb()
def send_a_refund_by_transfer(actor: Actor) -> None:
    waiting = actor.one_of(Refund.objects.to_make_by_hand().select_related("payment__order")[:ORDERS])
    waiting.payment.order.finish_refund(waiting)


# --- The bank, and who watches it


@verb()
def trouble_at_the_bank(actor: Actor) -> None:
    actor.bank.trouble, actor.bank.troubled_calls = actor.chance.choice(TROUBLES), actor.chance.randint(1, 3)


@verb(4)
def bank_tells(actor: Actor) -> None:
    if actor.bank.untold:
        tell(actor.bank, actor.chance.randrange(50), times=actor.chance.randint(1, 2))


def tell(bank: Bank, number: int, times: int = 1) -> None:
    try:
        body, _ = bank.event(number)
    except (IndexError, ZeroDivisionError):
        raise Nothing from None
    for _ in range(times):
        if inbox.take_in(inbox.receive(body)):
            bank.event_taken_in(body)


@verb()
def people_refund_at_the_bank(actor: Actor) -> None:
    payment = actor.one_of(Payment.objects.paid().exclude(charge="").order_by("-pk")[:ORDERS])
    actor.bank.people_refund(payment.charge, min(actor.chance.choice(PENCE), payment.refundable()))


@verb()
def bank_finishes_a_refund(actor: Actor) -> None:
    actor.bank.finish(actor.one_of(actor.bank.slow()), actor.chance.choice(["succeeded", "failed"]))


@verb(2)
def decide_what_needs_a_person(actor: Actor) -> None:
    problem = actor.one_of(PaymentProblem.objects.open())
    settle_problem(problem, actor.chance.choice([way for way in problem.ways_out() if way.name != "seen"]))


# --- The shop


@verb()
def work_that_was_left(actor: Actor) -> None:
    catch_up()


@verb()
def mail_server_goes_and_comes(actor: Actor) -> None:
    MailServer.is_away = not MailServer.is_away


@verb()
def time_passes(actor: Actor) -> None:
    Clock.passed += timedelta(minutes=actor.chance.choice([5, 60, 300]))


@verb(3)
def count_a_book(actor: Actor) -> None:
    book = actor.chance.choice(actor.shop.counted)
    Product.objects.get(pk=book).set_stock(actor.chance.choice([0, 2, 5, 30]))


@verb()
def change_a_price(actor: Actor) -> None:
    book = Product.objects.get(pk=actor.chance.choice(actor.shop.books).pk)
    book.price += actor.chance.choice([Decimal("1.10"), Decimal("-0.49")])
    book.save()


# --- What is left in the end


def end(bank: Bank) -> None:
    """The trouble is over, everything is told and caught up, and people decide what they have to."""
    bank.troubled_calls, MailServer.is_away = 0, False
    for _ in range(3):
        while bank.untold:
            tell(bank, 0)
        Clock.passed += timedelta(hours=5)
        catch_up()
        reconcile(bank)
        for problem in PaymentProblem.objects.open():
            for name in ("book", "by_transfer", "otherwise"):
                settle_problem(
                    problem, next((way for way in problem.ways_out() if way.name == name), problem.ways_out()[0])
                )
    Clock.passed += timedelta(days=1)
    catch_up()


def faults(shop: Shop) -> list[str]:
    found = agreement.read()
    wrong = [*agreement.faults(found.values(), shop.bank), *agreement.faults_of_copies(shop.counted)]
    wrong += [*agreement.faults_of_mails(found.values()), *agreement.faults_at_the_end(found.values(), shop.bank)]
    wrong += agreement.faults_of_reports(found.values())
    wrong += [difference.text for difference in differences(shop.bank, None)]
    return wrong + [str(mail) for mail in OutgoingMail.objects.pending()]


def at_once(actors: int, seconds: float, seed: int) -> bool:
    shop = Shop()
    began = time.monotonic()
    crew = [Actor(shop, seed * 1000 + number, began + seconds) for number in range(actors)]
    for actor in crew:
        actor.start()
    for actor in crew:
        actor.join()
    took = time.monotonic() - began
    done, refused, conflicts = (sum((getattr(a, n) for a in crew), Counter()) for n in ("done", "refused", "conflicts"))
    total = sum(done.values()) + sum(refused.values()) + sum(conflicts.values())
    print(f"{actors} actors, {took:.0f} s: {total} steps, {total / took:.0f} a second; {Order.objects.count()} orders")
    for name in VERBS:
        share = (done[name] + refused[name] + conflicts[name]) / total
        print(
            f"  {name:32} {share:6.1%}  done {done[name]:6}  refused {refused[name]:6}  conflicts {conflicts[name]:4}"
        )
    end(shop.bank)
    failed = [failure for actor in crew for failure in actor.failed]
    wrong = faults(shop)
    for sentence in [*failed[:5], *wrong[:20]]:
        print(sentence)
    print(f"conflicts {sum(conflicts.values())}, failures {len(failed)}, disagreements {len(wrong)}")
    return not (failed or wrong or conflicts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actors", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--years", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if connection.vendor != "postgresql":
        sys.exit("It needs PostgreSQL.")
    with scratch_database(), a_company():
        for number in range(asked.years):
            live(asked.seed * 1000 + number)
        print(f"{asked.years} years, one thing after the other: all agrees", flush=True)
        return 0 if at_once(asked.actors, asked.seconds, asked.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
