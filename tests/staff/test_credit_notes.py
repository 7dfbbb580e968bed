"""Invoices and credit notes as they are kept: what was stored when it happened, to the penny."""

from decimal import Decimal

import pytest

from shop.models import Company, Order, OrderLine, Refund
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db
D = Decimal
COMPANY = {
    "name": "Foyle & Co",
    "address": "1 Charing Cross\nLondon",
    "vat_number": "GB 123",
    "bank_details": "IBAN GB00 1",
    "email": "books@foyle.example",
}


def paper(browser, path):
    answer = browser.get(f"/office-admin/{path}/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def order(alice):
    """A book at 0 % and an audiobook at 20 %, with delivery, sold by the company."""
    Company(**COMPANY).save()
    order = OrderFactory(user=alice, delivery_name="Courier", delivery_price=D("4.00"))
    for format, price, percent in (("paperback", "10.00", "0"), ("audiobook", "20.00", "20")):
        line = OrderLineFactory(order=order, price=price, product=ProductFactory(name=f"A {format}", format=format))
        OrderLine.objects.filter(pk=line.pk).update(vat_percent=D(percent))
    return order


def test_invoice_asks_for_what_is_due_and_says_where(erins, order):
    page = paper(erins, f"invoice/{order.pk}")
    for text in (
        "Foyle &amp; Co",
        "1 Charing Cross",
        "GB 123",
        "IBAN GB00 1",
        f"BT{order.pk}",
        "Please pay within 30 days",
    ):
        assert text in page
    for text in ("£34.00", "£22.67", "£3.78", "£18.89", "£11.33", "Courier"):
        assert text in page


def test_paid_invoice_says_so_and_asks_for_nothing(erins, order):
    order.mark_paid()
    page = paper(erins, f"invoice/{order.pk}")
    assert "Paid on" in page and "Please pay" not in page and "IBAN" not in page


def test_part_paid_invoice_asks_for_the_rest(erins, order):
    order.receive(D("4.00"))
    page = paper(erins, f"invoice/{order.pk}")
    assert "Please pay" in page and "£30.00" in page


def test_cancelled_invoice_says_so_and_asks_for_nothing(erins, order):
    order.cancel()
    page = paper(erins, f"invoice/{order.pk}")
    assert "Cancelled" in page and "Please pay" not in page and "£0.00" in page


def test_cancelled_book_is_shown_with_its_amount(erins, order):
    order.lines.first().mark(OrderLine.CANCELLED)
    assert "Cancelled, not charged: £10.00" in paper(erins, f"invoice/{order.pk}")


def test_later_change_of_company_and_book_changes_no_old_paper(erins, order):
    order.mark_paid()
    order.refund(D("1.00"), "A torn page")
    before = [paper(erins, f"invoice/{order.pk}"), paper(erins, "credit-note/1")]
    Company(name="Somebody Else", address="Elsewhere", bank_details="IBAN 2").save()
    for line in order.lines.all():
        line.product.name = "Renamed"
        line.product.save()
    assert [paper(erins, f"invoice/{order.pk}"), paper(erins, "credit-note/1")] == before


def test_credit_note_of_a_cancelled_book_has_its_rate(erins, order):
    order.mark_paid()
    order.lines.get(price="20.00").mark(OrderLine.CANCELLED)
    (row,) = Refund.objects.get().vat_table()
    assert (row.percent, row.gross, row.vat) == (D(20), D("20.00"), D("3.33"))
    page = paper(erins, "credit-note/1")
    assert "BTC1" in page and f"BT{order.pk}" in page and "£3.33" in page
    order.lines.get(price="10.00").mark(OrderLine.CANCELLED)
    assert sum(row.gross for refund in Refund.objects.all() for row in refund.vat_table()) == D("34.00")


def test_shopper_gets_the_credit_note_and_others_do_not(alices, client_of, bob, order):
    order.mark_paid()
    order.refresh_from_db()
    order.cancel()
    path = f"/orders/{order.pk}/credit-notes/1/"
    assert path in alices.get(f"/orders/{order.pk}/").content.decode()
    assert client_of(bob).get(path).status_code == 404
    assert alices.get(f"/orders/{order.pk}/credit-notes/2/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_credit_notes_have_no_gap_whoever_refunds_at_once(order):
    orders = [order, *(OrderFactory() for _ in range(5))]
    for each in orders[1:]:
        OrderLineFactory(order=each)
    for each in orders:
        each.mark_paid()
    wanted = [
        lambda each=each, n=n: Order.objects.get(pk=each.pk).refund(D("1.00"), f"{n}")
        for each in orders
        for n in range(2)
    ]
    wanted.append(lambda: order.refund(D("1000.00"), "Too much"))
    at_once(*wanted)
    assert sorted(Refund.objects.values_list("number", flat=True)) == list(range(1, 13))
