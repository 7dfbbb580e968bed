"""Whatever is ordered, cancelled and refunded: every page, mail, paper and file has the same figures, to the penny."""

import csv
import re
from decimal import Decimal
from io import StringIO
from itertools import count

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop.models import Basket, DeliveryMethod, Order, OrderLine, OutgoingMail, Product, VatRate
from shop.payments import refunding
from shop.values.money import in_pence, money
from staff.papers.invoices import CreditNote, Invoice
from tests.factories import AddressFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.once]
ORDERS = 200
NAMES = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1, max_size=120)
BOOKS = st.tuples(
    NAMES.filter(str.strip),
    st.sampled_from(["", "hardcover", "paperback", "ebook", "audiobook"]),
    st.integers(1, 99_999).map(lambda pence: Decimal(pence).scaleb(-2)),
    st.integers(1, 3),
)
numbers = count()


@pytest.fixture
def office(erin, stripe):
    for format, percent in (("", "0"), ("audiobook", "20")):
        VatRate.objects.update_or_create(country="uk", format=format, defaults={"percent": Decimal(percent)})
    VatRate.objects.create(country="us", percent=Decimal("7.25"))
    office = Client()
    office.force_login(erin)
    return office


def place(user, books, country, delivery):
    basket = Basket.objects.create(user=user)
    for name, format, price, quantity in books:
        product = Product.objects.create(name=name, slug=f"book-{next(numbers)}", format=format, price=price)
        basket.lines.create(product=product, quantity=quantity)
    address = AddressFactory(user=user, country=country)
    # Beside one that would be cheaper, and is not chosen.
    DeliveryMethod.objects.create(name="Slow boat", price=0)
    chosen = DeliveryMethod.objects.create(name="Courier", price=delivery)
    order = Order.objects.place(basket, address, address, delivery_method=chosen)
    DeliveryMethod.objects.all().delete()
    return Order.objects.get(pk=order.pk)


def pay(shopper, stripe, order):
    session = stripe.pay(shopper.post(f"/orders/{order.pk}/pay/").url.rpartition("/")[2])
    shopper.get(f"/orders/{order.pk}/paid/")
    return session["payment_intent"]


@settings(
    max_examples=ORDERS, deadline=None, database=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    books=st.lists(BOOKS, min_size=1, max_size=4),
    country=st.sampled_from(["uk", "us", "ie"]),
    delivery=st.sampled_from([Decimal("0.00"), Decimal("2.99"), Decimal("4.01")]),
    is_paid=st.booleans(),
    steps=st.lists(st.tuples(st.sampled_from(["line", "all", "refund"]), st.integers(0, 11)), max_size=4),
)
def test_every_figure_agrees(office, stripe, books, country, delivery, is_paid, steps):
    # Whose lists are as short as can be.
    user, shopper = UserFactory(), Client()
    shopper.force_login(user)
    order = place(user, books, country, delivery)
    ordered = sum(price * quantity for _, _, price, quantity in books)
    intent = pay(shopper, stripe, order) if is_paid else None
    for step, number in steps:
        take(order, step, number)
    refunding.make_due()
    order = Order.objects.get(pk=order.pk)
    left = sum((line.price for line in order.lines.exclude(status=OrderLine.CANCELLED)), Decimal(0))
    total = left + (delivery if order.books_left() else 0)

    assert order.grand_total == total
    figures = text_of(shopper.get(f"/orders/{order.pk}/"))
    assert money(total) in figures
    assert not order.refunded_total or money(order.refunded_total) in figures
    assert invoice_of(office, order, total)
    assert credit_notes_of(office, order) == order.refunded_total
    assert total_in_csv(office, order) == total
    assert price_in_app(shopper, order) == total
    assert money(ordered + delivery) in OutgoingMail.objects.get(key=f"order-confirmation-{order.pk}").text
    for refund in order.refunds():
        assert money(refund.amount) in OutgoingMail.objects.get(key=f"order-refunded-{order.pk}-{refund.pk}").subject
    if is_paid:
        assert order.paid_total == ordered + delivery
        refunds = [r for r in stripe.refunds.values() if r["payment_intent"] == intent]
        assert sum(r["amount"] for r in refunds) == in_pence(order.refunded_total)
        assert order.refunded_total >= order.paid_total - total, "what is not sent is given back"
        assert order.refunded_total <= order.paid_total


def price_in_app(shopper, order):
    orders = shopper.get("/mobile-api/my-orders/").json()
    return next(Decimal(str(known["price"])) for known in orders if known["id"] == order.pk)


def take(order, step, number):
    order = Order.objects.get(pk=order.pk)
    if step == "refund" and order.paid_total:
        left = order.paid_total - order.refunds().claimed().total()
        if amount := min(Decimal(number) + Decimal("0.01"), left):
            order.refund(amount, f"Refund {number}")
    elif step == "all":
        for line in order.lines.exclude(status=OrderLine.CANCELLED):
            line.mark(OrderLine.CANCELLED)
    elif step == "line":
        lines = list(order.lines.exclude(status=OrderLine.CANCELLED))
        if lines:
            lines[number % len(lines)].mark(OrderLine.CANCELLED)


def text_of(answer):
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def invoice_of(office, order, total):
    text = text_of(office.get(f"/office-admin/invoice/{order.pk}/"))
    rows = Invoice(order).vat
    assert sum((row.gross for row in rows), Decimal(0)) == total
    for row in rows:
        assert row.vat + row.net == row.gross
        assert money(row.gross) in text and money(row.vat) in text and money(row.net) in text
    return money(total) in text


def credit_notes_of(office, order):
    notes = order.refunds()
    for note in notes:
        assert money(note.amount) in text_of(office.get(f"/office-admin/credit-note/{note.number}/"))
        assert sum((row.gross for row in CreditNote(note).vat), Decimal(0)) == note.amount
    return sum((note.amount for note in notes), Decimal(0))


def total_in_csv(office, order):
    answer = office.get("/order-dashboard/export/", {"user__email__icontains": order.user.email})
    rows = csv.DictReader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    return next(Decimal(row["Total"]) for row in rows if row["Order"] == str(order.pk))
