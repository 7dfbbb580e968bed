"""What dispatch prints, and that none of it tells prices or who pays."""

import re

import pytest

from shop.models import Order, OrderLine
from staff.papers import pdf_process
from staff.papers.barcodes import code_128
from staff.papers.dispatch_papers import AddressLabel
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory
from tests.staff.forms import texts_of
from tests.staff.test_invoices import pages_of, text_of
from tests.staff.test_orders_dispatch import SECRETS

LIST = "/dispatch-admin/shop/order/"


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """What stands on a paper is asked here, not how long a busy machine takes to make it."""
    monkeypatch.setattr(pdf_process, "PATIENCE", 300)


@pytest.fixture
def books(parcel):
    """The order's own books, which are two Emmas and a Walden now."""
    parcel.lines.all().delete()
    emma = ProductFactory(name="Emma & Friends", isbn="9780141439587", format="paperback")
    return [
        OrderLineFactory(order=parcel, product=each, price="12.34")
        for each in (emma, emma, ProductFactory(name="Walden"))
    ]


def slip_of(client, order):
    return text_of(client.get(f"/dispatch-admin/packing-slip/{order.pk}/").content)


def test_packing_slip_has_books_and_address_and_neither_price_nor_payer(dans, parcel, books):
    answer = dans.get(f"/dispatch-admin/packing-slip/{parcel.pk}/")
    assert answer["Content-Type"] == "application/pdf"
    text = text_of(answer.content)
    for part in (f"BT{parcel.pk}", "Emma & Friends", "9780141439587", "paperback", "Walden", "Jane Eyre", "LS1 4AP"):
        assert part in text
    assert "Emma & Friends paperback 9780141439587 2" in text
    for secret in (*SECRETS, "£"):
        assert secret not in text


def test_packing_slip_tells_what_is_in_this_parcel_and_what_is_not(dans, parcel, books):
    books[0].mark(OrderLine.SENT)
    books[2].mark(OrderLine.CANCELLED)
    text = slip_of(dans, parcel)
    assert re.search(r"In this parcel.*Emma & Friends.* 1 Sent before.*Emma & Friends", text) and "Walden" not in text
    parcel.send_parcel("Royal Mail", "AB 123")
    parcel.refresh_from_db()
    assert parcel.status == Order.DONE
    text = slip_of(dans, parcel)
    assert re.search(r"Parcel Royal Mail AB 123.*In this parcel.*In other parcels", text)


def test_packing_slip_of_an_order_that_is_not_paid_is_not_found(dans, order):
    assert dans.get(f"/dispatch-admin/packing-slip/{order.pk}/").status_code == 404


def test_bar_code_is_what_a_search_finds(dans, parcel):
    assert f'aria-label="{parcel.reference}"' in code_128(parcel.reference)
    assert f"{parcel.pk}/change/" in dans.get(LIST, {"q": parcel.reference}).content.decode()


def test_labels_of_the_chosen_orders_are_on_sheets_or_one_by_one(dans, parcel):
    keys = [parcel.pk] + [OrderFactory(status=Order.PAID, shipping_name=f"Reader {n}").pk for n in range(15)]
    chosen = {"_selected_action": keys}
    sheets = pages_of(dans.post(LIST, {"action": "print_address_labels", **chosen}, follow=True).content)
    assert len(sheets) == 2 and "Reader 14" in sheets[1] and "Page" not in sheets[0]
    single = pages_of(dans.post(LIST, {"action": "print_address_labels_4x6", **chosen}, follow=True).content)
    assert len(single) == 16 and "Reader 0" in single[1]
    for secret in SECRETS:
        assert secret not in " ".join(sheets + single)
    assert dans.get(f"/dispatch-admin/address-labels/?orders={OrderFactory().pk},x,{'9' * 30}").status_code == 404


@pytest.mark.once
@pytest.mark.parametrize(("name", "size"), [("Jane Eyre", ""), ("W" * 60, "small"), ("挪" * 60, "small")])
def test_long_addresses_are_set_smaller(name, size):
    order = OrderFactory.build(shipping_name=name, shipping_address1=name, shipping_country="uk")
    assert AddressLabel(order).size == size


def test_pick_list_adds_up_each_book_in_the_order_of_the_shelves(dans, parcel, books):
    other = OrderLineFactory(order__status=Order.PAID, product=books[0].product).order
    OrderLineFactory(order=other, product=ProductFactory(name="Aesop"), status=OrderLine.SENT)
    chosen = {"_selected_action": [parcel.pk, other.pk]}
    text = text_of(dans.post(LIST, {"action": "print_pick_list", **chosen}, follow=True).content)
    assert "4 books for 2 orders" in text and "Aesop" not in text and text.index("Emma") < text.index("Walden")
    assert re.search(rf"9780141439587 BT{parcel.pk} × 2, BT{other.pk} 3", text)
    for secret in (*SECRETS, "£"):
        assert secret not in text


def test_too_many_orders_for_a_paper_are_refused(dans, parcel, monkeypatch):
    monkeypatch.setattr("staff.admin.orders.MOST_ORDERS", 1)
    chosen = {"_selected_action": [parcel.pk, OrderFactory(status=Order.PAID).pk]}
    answer = dans.post(LIST, {"action": "print_pick_list", **chosen}, follow=True)
    assert texts_of(answer) == ["Choose at most 1 orders."]
