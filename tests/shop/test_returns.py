"""Books that come back: asked for in time, refunded once, back in stock where somebody said so, each step mailed."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from shop.models import Order, OrderLine, OutgoingMail, Return, StockMove
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def emma():
    return ProductFactory(name="Emma", stock=5)


@pytest.fixture
def order(alice, emma):
    """Alice's order of two Emmas and a Walden, paid and sent."""
    order = OrderFactory(user=alice, site="https://shop.example")
    for product in (emma, emma, ProductFactory(name="Walden", price=D("7.50"))):
        OrderLineFactory(order=order, product=product, price=product.price)
    order.mark_paid()
    order.send_parcel("Royal Mail", "AB123")
    order.refresh_from_db()
    return order


def lines_of(order, number=None):
    return [line.pk for line in order.lines.all()[:number]]


def ask(browser, order, lines, reason="Not mine", **more):
    return browser.post(f"/orders/{order.pk}/return/", {"lines": lines, "reason": reason}, **more)


def subjects(order):
    return [
        mail.subject for mail in OutgoingMail.objects.filter(key__startswith=f"order-return-{order.pk}-").order_by("pk")
    ]


def refunded(order):
    return [refund.amount for refund in order.refunds()]


def left(book):
    book.refresh_from_db()
    assert StockMove.objects.filter(product=book).left() == (book.stock or 0)
    return book.stock


def test_shopper_asks_and_sees_where_it_stands(alices, order):
    page = alices.get(f"/orders/{order.pk}/").content.decode()
    assert f'href="/orders/{order.pk}/return/"' in page
    form = alices.get(f"/orders/{order.pk}/return/").content.decode()
    assert form.count('type="checkbox"') == 3 and "You may send books back" in form
    answer = ask(alices, order, lines_of(order, 2), follow=True)
    assert "We have your request" in answer.content.decode()
    asked = Return.objects.get()
    assert (asked.books, asked.reason, asked.status) == ("2 x Emma", "Not mine", "asked")
    assert subjects(order) == [f"You want to send back books of order {order.pk}"]
    page = alices.get(f"/orders/{order.pk}/").content.decode()
    assert "Asked for" in page and "2 x Emma" in page and f'href="/orders/{order.pk}/return/"' in page
    assert "<li>2 × Emma</li>" in page


def test_parcel_with_one_book_asked_back_still_holds_both(alices, order):
    ask(alices, order, lines_of(order, 1))
    assert "<li>2 × Emma</li>" in alices.get(f"/orders/{order.pk}/").content.decode()


@pytest.mark.parametrize("data", [{"lines": []}, {"reason": " "}, {"lines": ["x"]}, {"lines": [2**70]}])
def test_what_is_missing_is_told_and_nothing_asked(alices, order, data):
    answer = alices.post(f"/orders/{order.pk}/return/", {"lines": lines_of(order), "reason": "Torn", **data})
    assert answer.status_code == 422 and "field__error" in answer.content.decode()
    assert not Return.objects.exists()


def test_strangers_find_nothing(client_of, bob, order, client):
    assert ask(client_of(bob), order, lines_of(order)).status_code == 404
    assert ask(client, order, lines_of(order)).status_code == 302
    assert not Return.objects.exists()


def test_only_what_was_sent_lately_and_is_the_orders_own(alices, alice, order, settings):
    other = OrderLineFactory(order=OrderFactory(user=alice), status=OrderLine.SENT)
    unsent = OrderFactory(user=alice)
    OrderLineFactory(order=unsent)
    assert ask(alices, order, [other.pk]).status_code == 422
    assert ask(alices, unsent, lines_of(unsent)).status_code == 422
    order.parcels.update(date_sent=timezone.now() - timedelta(days=29, hours=23))
    assert ask(alices, order, lines_of(order, 1)).status_code == 302
    settings.RETURN_DAYS = 29
    assert ask(alices, order, lines_of(order)[1:]).status_code == 422
    assert "Send something back" not in alices.get(f"/orders/{order.pk}/").content.decode()
    assert "Nothing of this order can be sent back" in alices.get(f"/orders/{order.pk}/return/").content.decode()
    assert Return.objects.count() == 1


def test_line_is_asked_for_once(alices, order):
    ask(alices, order, lines_of(order, 1))
    assert ask(alices, order, lines_of(order, 2)).status_code == 422
    with pytest.raises(ValidationError):
        order.ask_return(lines_of(order, 1), "Again")
    assert Return.objects.count() == 1


def test_accepted_it_is_refunded_and_sold_again_only_where_somebody_said_so(order, emma, erin):
    first, second = order.ask_return(lines_of(order, 1), "Torn"), order.ask_return(lines_of(order)[1:2], "Torn")
    assert left(emma) == 3
    first.receive(by=erin)
    first.accept(by=erin)
    assert (refunded(order), left(emma)) == ([D("10.00")], 3)
    second.accept(by=erin, restock=True)
    assert (refunded(order), left(emma)) == ([D("10.00")] * 2, 4)
    assert StockMove.objects.last().by == erin
    for again in (lambda: first.accept(restock=True), lambda: second.refuse("No"), second.receive):
        with pytest.raises(ValidationError):
            again()
    assert (refunded(order), left(emma)) == ([D("10.00")] * 2, 4)
    assert [subject.rpartition(" order ")[0] for subject in subjects(order)] == [
        "You want to send back books of", "You want to send back books of", "Your books of",
        "Your return of", "Your return of",
    ]  # fmt: skip


def test_book_that_is_not_counted_does_not_become_one_that_has_one(order, erin):
    order.ask_return(lines_of(order)[2:], "Read it").accept(by=erin, restock=True)
    assert order.lines.last().product.stock is None


def test_refused_it_says_why_and_may_be_asked_for_again(alices, order, erin):
    asked = order.ask_return(lines_of(order, 1), "Torn")
    with pytest.raises(ValidationError):
        asked.refuse(" ")
    asked.refuse("It was read in the bath", by=erin)
    assert refunded(order) == []
    assert "It was read in the bath" in alices.get(f"/orders/{order.pk}/").content.decode()
    assert "It was read in the bath" in OutgoingMail.objects.get(key__endswith="-refused").text
    assert ask(alices, order, lines_of(order, 1)).status_code == 302


def test_what_went_back_for_a_book_before_is_not_given_twice(order, erin):
    line = order.lines.first()
    order.refund(D("4.00"), "Torn cover", lines=[line], by=erin)
    order.ask_return([line.pk], "Torn").accept(by=erin)
    assert refunded(order) == [D("4.00"), D("6.00")]
    with pytest.raises(ValidationError, match="refunded before"):
        order.refund(D("1.00"), "Once more", lines=[order.lines.first()], by=erin)


def test_with_the_last_book_what_its_delivery_cost_goes_back(alice, erin):
    order = OrderFactory(user=alice, delivery_price=D("2.95"))
    OrderLineFactory(order=order), OrderLineFactory(order=order)
    order.mark_paid()
    order.send_parcel("", "")
    keys = lines_of(order)
    order.ask_return(keys[:1], "Torn").accept(by=erin)
    order.ask_return(keys[1:], "Torn").accept(by=erin)
    assert refunded(order) == [D("10.00"), D("12.95")]


def test_more_than_was_paid_is_refused_and_nothing_changes(order, erin, emma):
    asked = order.ask_return(lines_of(order, 1), "Torn")
    with pytest.raises(ValidationError, match="At most"):
        asked.accept(by=erin, restock=True, amount=D("10.01"))
    asked.refresh_from_db()
    assert asked.status == "asked" and left(emma) == 3 and refunded(order) == []


def test_office_decides(erins, order, emma):
    asked = order.ask_return(lines_of(order, 2), "Both torn")
    other = order.ask_return(lines_of(order)[2:], "Too sad")
    listed = erins.get("/office-admin/returns/").content.decode()
    assert "Both torn" in listed and "2 x Emma" in listed
    path = f"/office-admin/returns/{asked.pk}/"
    assert 'value="20.00"' in erins.get(path).content.decode()
    erins.post(path, {"what": "receive"})
    assert erins.post(path, {"what": "accept", "amount": "99"}).status_code == 422
    assert erins.post(path, {"what": "accept", "amount": "20.00", "restock": "on"}).status_code == 302
    assert refunded(order) == [D("20.00")] and left(emma) == 5
    assert erins.post(path, {"what": "accept", "amount": "20.00", "restock": "on"}).status_code == 422
    assert refunded(order) == [D("20.00")] and left(emma) == 5
    assert erins.post(f"/office-admin/returns/{other.pk}/", {"what": "refuse", "answer": ""}).status_code == 422
    erins.post(f"/office-admin/returns/{other.pk}/", {"what": "refuse", "answer": "Sad is not torn"})
    assert "Nothing waits for a decision." in erins.get("/office-admin/returns/").content.decode()
    assert "Sad is not torn" in erins.get(f"/office-admin/returns/{other.pk}/").content.decode()
    assert Order.objects.get(pk=order.pk).status == Order.DONE


def test_what_was_refunded_is_not_taken_out_of_the_order(order, erin):
    order.ask_return(lines_of(order, 1), "Torn").accept(by=erin)
    with pytest.raises(ValidationError, match="stays in the order"):
        order.lines.first().delete()
    with pytest.raises(ValidationError, match="stays in the order"):
        order.lines.all().delete()
    assert refunded(order) == [D("10.00")]


def test_book_refunded_as_a_whole_does_not_stop_the_return_of_another(order, erin):
    first, second = order.lines.all()[:2]
    order.refund(first.price, "Torn", lines=[first], by=erin)
    asked = order.ask_return([first.pk, second.pk], "Both torn")
    assert asked.worth() == D("10.00")
    asked.accept(by=erin)
    assert refunded(order) == [D("10.00")] * 2


def test_copy_sold_before_it_was_counted_goes_into_the_count(order, erin):
    walden = order.lines.last().product
    walden.set_stock(3)
    order.ask_return(lines_of(order)[2:], "Read it").accept(by=erin, restock=True)
    assert left(walden) == 4


def test_delivery_goes_back_with_the_last_book_at_the_rates_of_the_invoice(alice, erin):
    order = OrderFactory(user=alice, delivery_price=D("4.00"))
    for percent in (D("0.00"), D("20.00")):
        line = OrderLineFactory(order=order)
        OrderLine.objects.filter(pk=line.pk).update(vat_percent=percent)
    order.mark_paid()
    order.send_parcel("", "")
    paper, audio = order.lines.all()
    with pytest.raises(ValidationError, match="At most £10"):
        order.refund(D("14.00"), "Torn", lines=[paper], by=erin)
    order.ask_return([paper.pk], "Torn").accept(by=erin)
    order.ask_return([audio.pk], "Torn").accept(by=erin)
    assert [dict(refund.at_rates) for refund in order.refunds()] == [
        {"0.00": "10.00"},
        {"20.00": "12.00", "0.00": "2.00"},
    ]


# SQLite lets one write at a time anyway.
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_return_and_cancelling_of_the_same_book_wait_in_one_sequence(alice, erin):
    book = ProductFactory(stock=20)
    pairs = []
    for _ in range(6):
        back, off = OrderFactory(user=alice), OrderFactory(user=alice)
        for order in (back, off):
            OrderLineFactory(order=order, product=book)
            order.mark_paid()
        back.send_parcel("", "")
        pairs += [partial(back.ask_return(lines_of(back), "Torn").accept, by=erin, restock=True), off.cancel]
    assert at_once(*pairs) == [None] * 12
    assert left(book) == 20
