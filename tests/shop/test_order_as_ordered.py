"""An order says what was ordered, whatever becomes of the book afterwards."""

from decimal import Decimal

import pytest

from shop.models import Order, OrderLine
from tests.factories import AuthorFactory, OrderFactory, OrderLineFactory, ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(alice):
    """Of a book that has another title, author, format and ISBN since then."""
    book = ProductFactory(name="A Doll's House", format="paperback", isbn="9780140447927")
    book.authors.add(AuthorFactory(name="Henrik Ibsen"))
    book.refresh_from_db()
    order = OrderFactory(user=alice, status=Order.PAID)
    OrderLineFactory(order=order, product=book, price="8.99")
    book.name, book.format, book.isbn = "Nora", "audiobook", "9780307962911"
    book.save()
    book.authors.set([AuthorFactory(name="Somebody Else")])
    return order


def test_page_and_summary_show_the_book_as_it_was_ordered(alices, order):
    page = alices.get(f"/orders/{order.pk}/").content.decode()
    assert "A Doll&#x27;s House" in page and "Henrik Ibsen, paperback, 1 × £8.99" in page
    assert "Nora" not in page and "Somebody Else" not in page
    assert order.summary == "1 x A Doll's House"


def test_invoice_and_agents_see_it_as_it_was_ordered(erins, order):
    for path in (f"/office-admin/invoice/{order.pk}/", f"/customer-service/{order.pk}/"):
        page = erins.get(path).content.decode()
        assert "A Doll&#x27;s House" in page and "Nora" not in page


def test_dispatch_is_told_of_it_as_it_was_ordered(order, client, olga):
    client.force_login(olga)
    (line,) = client.get("/api/orderlines/").json()["results"]
    assert (line["product"], line["isbn"], line["format"]) == ("A Doll's House", "9780140447927", "paperback")


def test_lines_that_are_made_together_know_their_books(alice):
    order, book = OrderFactory(user=alice), ProductFactory(name="Emma", format="ebook")
    OrderLine.objects.bulk_create(OrderLine(order=order, product=book, price=1) for _ in range(2))
    assert set(order.lines.values_list("name", "isbn", "format")) == {("Emma", "", "ebook")}


def test_delivery_is_paid_for_as_long_as_anything_is_delivered(alice):
    order = OrderFactory(user=alice, delivery_name="Royal Mail", delivery_price=Decimal("3.50"))
    first, second = (OrderLineFactory(order=order, price="10.00") for _ in range(2))
    assert (order.total_price, order.grand_total) == (Decimal("20.00"), Decimal("23.50"))
    first.mark(OrderLine.CANCELLED)
    assert (order.total_price, order.grand_total) == (Decimal("20.00"), Decimal("13.50"))
    second.mark(OrderLine.CANCELLED)
    assert (order.total_price, order.grand_total) == (Decimal("20.00"), Decimal("0.00"))
