"""The office's page about money: what needs a person, what is awaited, what came in and goes back."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.models import Company, Order, OrderLine, Payment, PaymentProblem, Refund
from shop.payments import refunding
from shop.payments.paying import hear
from shop.payments.provider import PaymentTold
from staff.money.statement import REFERENCE, amount_of, entries
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory

pytestmark = pytest.mark.django_db
D = Decimal
MONEY = "/office-admin/money/"


@pytest.fixture
def order(alice):
    """Of two books, 10.00 and 5.50."""
    order = OrderFactory(user=alice, billing_name="Secret Payer")
    for price in ("10.00", "5.50"):
        OrderLineFactory(order=order, price=price)
    return order


def page_of(browser, path=MONEY):
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def pay_by_card(order, amount="15.50"):
    payment = order.payments.create(method="card", amount=D(amount), reference=f"cs_{order.pk}")
    order.pay(payment)
    return payment


@pytest.mark.parametrize("path", ["", "statement/", "orders/{}/"])
def test_the_two_offices_that_show_money_have_it_and_dispatch_has_not(erins, olgas, dans, alices, order, path):
    path = path.format(order.pk)
    assert erins.get(f"/office-admin/money/{path}").status_code == 200
    assert olgas.get(f"/admin/money/{path}").status_code == 200
    for browser in (dans, alices):
        assert browser.get(f"/office-admin/money/{path}").status_code == 403
    assert dans.get(f"/dispatch-admin/money/{path}").status_code == 404


def test_empty_it_says_so(erins):
    page = page_of(erins)
    assert "Nothing: payments" in page and "Nothing. What was paid" in page and "Every order is paid." in page


def test_awaited_order_is_paid_in_parts(erins, order):
    assert f"BT{order.pk}" in page_of(erins)
    answer = erins.post(f"{MONEY}orders/{order.pk}/received/", {"amount": "10.00"}, follow=True)
    assert "£10.00 recorded" in answer.content.decode() and "£5.50 are still to come" in answer.content.decode()
    assert Order.objects.get().status == Order.NEW
    erins.post(f"{MONEY}orders/{order.pk}/received/", {"amount": "5.50"})
    assert Order.objects.get().status == Order.PAID
    assert f"BT{order.pk}" not in page_of(erins)
    assert [p.amount for p in order.payments.all()] == [D("10.00"), D("5.50")]


def test_more_orders_take_no_more_queries(erins, order, django_assert_num_queries):
    paste = {"statement": f"Date;Amount;Text\n2026-11-27;15.50;BT{order.pk}"}
    page_of(erins)
    with CaptureQueriesContext(connection) as of_one:
        page_of(erins), erins.post(f"{MONEY}statement/", paste)
    more = [OrderLineFactory(price="3.00").order for _ in range(5)]
    paste["statement"] += "".join(f"\n2026-11-27;3.00;BT{each.pk}" for each in more)
    with django_assert_num_queries(len(of_one)):
        assert page_of(erins).count('value="3.00"') == 5
        assert erins.post(f"{MONEY}statement/", paste).content.decode().count("Pays order") == 6


@pytest.mark.parametrize("amount", ["", "0", "-1", "1.001", "abc", "1e9"])
def test_amount_that_is_none_is_told_and_nothing_recorded(erins, order, amount):
    answer = erins.post(f"{MONEY}orders/{order.pk}/received/", {"amount": amount})
    assert answer.status_code == 422 and "errorlist" in answer.content.decode()
    assert not Payment.objects.exists()


def test_transfers_refund_is_listed_until_it_is_sent(erins, order):
    order.mark_paid()
    order.refresh_from_db()
    order.cancel()
    refund = Refund.objects.get()
    page = page_of(erins)
    assert "BTC1" in page and "£15.50" in page and "Secret Payer" in page
    erins.post(f"{MONEY}refunds/{refund.pk}/done/")
    erins.post(f"{MONEY}refunds/{refund.pk}/done/")
    refund.refresh_from_db()
    assert refund.status == "done" and order.refunded_total == D("15.50")
    assert "BTC1" not in page_of(erins)


def test_refund_for_books_and_of_any_amount(erins, order):
    pay_by_card(order)
    line = order.lines.first()
    line.mark(OrderLine.SENT)
    where = f"{MONEY}orders/{order.pk}/refund/"
    erins.post(where, {"lines": [line.pk], "reason": "A torn page"})
    erins.post(where, {"amount": "1.25", "reason": "It came late"})
    assert [(r.amount, r.cause, r.reason) for r in order.refunds()] == [
        (D("10.00"), "lines", "A torn page"),
        (D("1.25"), "goodwill", "It came late"),
    ]
    for wrong in ({"reason": "Nothing"}, {"amount": "1"}, {"amount": "4.26", "reason": "More than is left"}):
        assert erins.post(where, wrong).status_code == 422
    assert order.refunds().count() == 2
    page = page_of(erins, f"{MONEY}orders/{order.pk}/")
    assert "A torn page" in page and "at most £4.25" in page and "Erin" in page


def wrong_amount(order, came="14.00", currency="GBP"):
    payment = order.payments.create(method="card", amount=D("15.50"), reference="cs_1")
    hear(payment, PaymentTold("paid", D(came), currency, "pi_1", "cs_1"))
    return PaymentProblem.objects.get()


def test_wrong_amount_booked_pays_a_part(erins, order):
    problem = wrong_amount(order)
    page = page_of(erins)
    assert "£14.00 came by card" in page and "£15.50 was asked for" in page
    erins.post(f"{MONEY}problems/{problem.pk}/", {"way": "book"})
    order.refresh_from_db()
    assert (order.status, order.paid_total, order.due) == (Order.NEW, D("14.00"), D("1.50"))
    problem.refresh_from_db()
    assert problem.settled_by.email == "erin@example.com" and "Nothing: payments" in page_of(erins)


def refused_refund(order):
    payment = pay_by_card(order)
    order.cancel()
    refunding.fail(order.refunds().get(), "The card is closed")
    return payment, PaymentProblem.objects.get()


def test_refused_refund_that_went_back_otherwise_is_done_and_never_given_back_again(erins, order):
    _, problem = refused_refund(order)
    erins.post(f"{MONEY}problems/{problem.pk}/", {"way": "otherwise"})
    assert [(refund.amount, refund.status) for refund in order.refunds()] == [(D("15.50"), "done")]
    order.receive(D("1.00"))
    assert order.refunds().claimed().total() == order.paid_total == D("16.50")


def test_refused_refund_of_which_a_part_went_back_at_the_bank_leaves_the_rest_to_give_back(erins, order):
    payment, problem = refused_refund(order)
    refunding.note_refund(payment, D("5.00"))
    for way in ("again", "by_transfer"):
        assert "the rest goes back anew" in page_of(
            erins, erins.post(f"{MONEY}problems/{problem.pk}/", {"way": way}).url
        )
    erins.post(f"{MONEY}problems/{problem.pk}/", {"way": "otherwise"})
    assert [(refund.amount, refund.cause) for refund in order.refunds().claimed()] == [
        (D("5.00"), "provider"),
        (D("10.50"), "cancelled"),
    ]


def test_wrong_amount_sent_back(erins, order):
    erins.post(f"{MONEY}problems/{wrong_amount(order).pk}/", {"way": "send_back"})
    order.refresh_from_db()
    assert (order.status, order.due) == (Order.NEW, D("15.50"))
    assert [(r.amount, r.cause) for r in order.refunds()] == [(D("14.00"), "surplus")]


def test_foreign_money_is_settled_at_the_providers_alone(erins, order):
    problem = wrong_amount(order, currency="USD")
    for way in ("book", "send_back", "", "nonsense"):
        erins.post(f"{MONEY}problems/{problem.pk}/", {"way": way})
    assert order.paid_total == 0 and PaymentProblem.objects.open().exists()
    erins.post(f"{MONEY}problems/{problem.pk}/", {"way": "seen"})
    assert not PaymentProblem.objects.open().exists()


STATEMENT = """Date;Amount;Text
2026-11-20;10,00;Invoice bt{0} thank you
2026-11-21;1.234,50;somebody else
2026-11-22;-3,00;bank fee BT{0}
2026-11-23;7.50;BT {0} rest and more
"""


def test_statement_shows_what_it_would_book_and_books_it_once(erins, order):
    text = STATEMENT.format(order.pk)
    answer = erins.post(f"{MONEY}statement/", {"statement": text})
    page = answer.content.decode()
    assert f"A part of order {order.pk}: £5.50 are still to come." in page
    assert f"Pays order {order.pk}. £2.00 too much" in page
    # What goes out is not listed; what was pasted stays in its field.
    assert "No order of ours is named in it." in page and page.count("bank fee") == 1
    assert not Payment.objects.exists()
    keys = [match.entry.key for match in answer.context["matches"]]
    for _ in range(2):
        erins.post(f"{MONEY}statement/", {"statement": text, "entry": keys, "book": "1"})
    order.refresh_from_db()
    assert (order.status, order.paid_total) == (Order.PAID, D("17.50"))
    assert [r.amount for r in order.refunds()] == [D("2.00")]
    assert "Booked before." in erins.post(f"{MONEY}statement/", {"statement": text}).content.decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-11-20,1.00", "It needs three"),
        ("2026-11-20,1.00,a\n2026-11-20,abc,b", "Line 2: “abc” is no amount."),
        ("x,1,2\n" * 1001, "Paste at most 1000"),
        ("", "required"),
    ],
)
def test_statement_that_cannot_be_read_says_what_to_do(erins, text, why):
    answer = erins.post(f"{MONEY}statement/", {"statement": text})
    assert answer.status_code == 422 and why in answer.content.decode()


def test_company_and_rates_are_the_owners(olgas, erins):
    fields = {
        "name": "Foyle & Co",
        "address": "1 Street",
        "vat_number": "GB1",
        "bank_details": "IBAN 1",
        "email": "a@b.example",
    }
    # Tests that commit empty every table, the one of this row, too.
    Company.objects.current().save()
    assert olgas.post("/admin/shop/company/1/change/", fields).status_code == 302
    assert Company.objects.get().name == "Foyle & Co"
    assert olgas.get("/admin/shop/company/add/").status_code == 403
    assert olgas.post("/admin/shop/vatrate/add/", {"country": "ie", "format": "", "percent": "9"}).status_code == 302
    assert erins.get("/office-admin/shop/company/").status_code == 404


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("£12", "12"),
        ("12,50 GBP", "12.50"),
        ("GBP12.50", "12.50"),
        ("−12.50", "-12.50"),
        ("(12.50)", "-12.50"),
        ("12.50 DR", "-12.50"),
        ("12,50-", "-12.50"),
        ("12,50 S", "-12.50"),
        ("12.50 CR", "12.50"),
        ("+12.5", "12.50"),
        ("1,234", "1234"),
    ],
)
def test_amounts_as_banks_write_them(cell, amount):
    assert amount_of(cell) == D(amount)


@pytest.mark.parametrize("cell", ["01.11.2026", "TFR 12345", "12,50 EUR", "€12", "", "twelve", "1.2.3", "9" * 40])
def test_what_is_no_amount_is_none(cell):
    with pytest.raises(ValueError, match=re.escape(cell)):
        amount_of(cell)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("01.11.2026;12,50;Anna, Bob, BT7", "7"),
        ("\ufeff2026-11-01,12.50,BT-7", "7"),
        ("2026-11-01\t12.50\tbt 7", "7"),
        ('2026-11-01,"1,234.50","Smith, BT7"', "7"),
        ("2026-11-01,12.50,J Smith BT9 5AB Belfast", None),
    ],
)
def test_orders_number_in_what_banks_write(line, number):
    (entry,) = entries(line)
    assert REFERENCE.findall(entry.text) == ([number] if number else [])


def test_statement_with_an_open_quotation_mark_is_told(erins):
    answer = erins.post(f"{MONEY}statement/", {"statement": '2026-11-01,12.50,"Smith\n2026-11-02,1.00,BT1'})
    assert answer.status_code == 422 and "Check the quotation marks" in answer.content.decode()


@pytest.mark.parametrize("what", [{"amount": "1.00"}, {"amount": "1.00", "reason": "Late"}])
def test_button_pressed_twice_counts_once(erins, order, what):
    pay_by_card(order)
    where = f"{MONEY}orders/{order.pk}/"
    seen = re.search(r'name="seen" value="([^"]+)"', page_of(erins, where))[1]
    path = f"{where}{'refund' if 'reason' in what else 'received'}/"
    assert erins.post(path, {**what, "seen": seen}).status_code == 302
    assert erins.post(path, {**what, "seen": seen}).status_code == 422
    assert order.events.filter(kind__in=("refund", "paid")).count() <= 3
    assert (order.refunds().count(), order.payments.count()) in {(1, 1), (1, 2)}


def test_order_added_in_the_office_as_paid_has_its_payment(olgas, alice):
    book = ProductFactory(price="10.00")
    texts = {
        f"{kind}_{name}": "x" for kind in ("billing", "shipping") for name in ("name", "address1", "zip_code", "city")
    }
    form = {
        **{"user": alice.pk, "status": Order.PAID, "billing_country": "uk", "shipping_country": "uk"},
        **texts,
        **{"lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0, "lines-0-product": book.pk, "lines-0-price": "10.00"},
        "lines-0-status": OrderLine.NEW,
    }
    answer = olgas.post("/admin/shop/order/add/", form)
    assert answer.status_code == 302, answer.context["errors"]
    order = Order.objects.get()
    assert (order.status, order.paid_total) == (Order.PAID, D("10.00"))
