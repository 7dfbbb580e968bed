"""Copies are counted in the offices, with a reason, and everybody sees what became of them."""

import re

import pytest

from shop.models import OrderLine, Product, StockMove
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory
from tests.staff.forms import change, form_of, texts_of

pytestmark = [pytest.mark.django_db, pytest.mark.once]
LIST = "/office-admin/shop/product/"


@pytest.fixture
def emma():
    return ProductFactory(name="Emma", stock=3)


def stock_of(book):
    return Product.objects.values_list("stock", "in_stock").get(pk=book.pk)


def test_book_is_counted_and_corrected_with_a_reason(erins, erin):
    book = ProductFactory()
    path = f"{LIST}{book.pk}/change/"
    change(erins, path, "product_form", copies="12")
    assert stock_of(book) == (12, True)
    refused = change(erins, path, "product_form", copies="0")
    assert "Say why the count changes" in refused.content.decode()
    assert stock_of(book) == (12, True)
    change(erins, path, "product_form", copies="0", count_reason="Water damage")
    assert stock_of(book) == (0, False)
    change(erins, path, "product_form", name="Renamed")
    assert stock_of(book) == (0, False)
    ledger = erins.get(f"/office-admin/shop/stockmove/?product__id__exact={book.pk}").content.decode()
    assert "-12" in ledger and "Water damage" in ledger and "+12" in ledger and str(erin) in ledger
    change(erins, path, "product_form", copies="", count_reason="Print on demand")
    assert stock_of(book) == (None, False)


def test_sale_meanwhile_stays_where_an_office_saves_another_change(erins, emma):
    form = erins.get(f"{LIST}{emma.pk}/change/").content.decode()
    assert re.search('name="in_stock"[^>]* disabled', form)
    OrderLineFactory(product=emma)
    change(erins, f"{LIST}{emma.pk}/change/", "product_form", price="11.00")
    assert stock_of(emma) == (2, True)


def test_count_that_a_sale_overtook_is_told(erins, emma):
    path = f"{LIST}{emma.pk}/change/"
    seen = form_of(erins.get(path), "product_form")
    OrderLineFactory(product=emma)
    assert erins.post(path, {**seen, "price": "12.00"}).status_code == 302
    answer = erins.post(path, {**seen, "copies": "13", "count_reason": "Ten came"})
    assert "2 are left now" in answer.content.decode()
    assert stock_of(emma) == (2, True)


def test_counted_book_that_was_never_sold_is_deleted(olgas, emma):
    olgas.post(f"/admin/shop/product/{emma.pk}/delete/", {"post": "yes"})
    assert not Product.objects.exists()


def test_what_runs_low_is_listed(erins, emma):
    ProductFactory(name="Walden", stock=60), ProductFactory(name="Ulysses")
    page = erins.get(f"{LIST}?copies=few").content.decode()
    assert "Emma" in page and "Walden" not in page and "Ulysses" not in page


def test_empty_shelf_is_noted_by_dispatch_and_a_full_one_is_counted(dans, dan, emma):
    path = "/dispatch-admin/shop/product/"
    dans.post(path, {"action": "mark_out_of_stock", "_selected_action": [emma.pk]})
    assert stock_of(emma) == (0, False)
    assert StockMove.objects.last().by == dan
    said = texts_of(dans.post(path, {"action": "mark_in_stock", "_selected_action": [emma.pk]}, follow=True))
    assert any("No copy is left by its count" in text for text in said)
    assert stock_of(emma) == (0, False)


def test_office_is_told_where_a_line_is_of_a_book_that_is_sold_out(erins):
    order = OrderFactory()
    OrderLineFactory(order=order)
    gone = ProductFactory(name="Gone", stock=0)
    path = f"/office-admin/shop/order/{order.pk}/change/"
    line = {"lines-TOTAL_FORMS": "2", "lines-1-product": str(gone.pk), "lines-1-status": "10", "lines-1-price": ""}
    answer = change(erins, path, "order_form", **line)
    assert "“Gone” is sold out" in answer.content.decode()
    assert OrderLine.objects.filter(order=order).count() == 1
