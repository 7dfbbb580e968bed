"""How many copies are left: sold once, given back once, and written down each time."""

import re
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from threading import Barrier, BrokenBarrierError

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone

from shop.browsing.catalogue_cache import catalogue_now
from shop.database import catalogue_triggers
from shop.models import Basket, Order, OrderLine, Product, StockMove
from shop.models.stock_move import StockMoveQuerySet
from tests.factories import (
    AddressFactory,
    BasketFactory,
    BasketLineFactory,
    OrderFactory,
    OrderLineFactory,
    ProductFactory,
    UserFactory,
)
from tests.races import at_once, no_locks

pytestmark = pytest.mark.django_db


@pytest.fixture
def emma():
    emma = ProductFactory(name="Emma")
    emma.set_stock(3)
    return emma


def left(book):
    """What is left of a book, as the ledger says, too."""
    book.refresh_from_db()
    assert StockMove.objects.filter(product=book).left() == (book.stock or 0)
    return book.stock, book.in_stock


def basket_with(book, quantity=1, user=None):
    basket = BasketFactory(user=user or UserFactory())
    BasketLineFactory(basket=basket, product=book, quantity=quantity)
    return basket


def order_of(book, quantity=1):
    basket = basket_with(book, quantity)
    address = AddressFactory(user=basket.user)
    return Order.objects.place(basket, address, address)


def submit(client, user):
    address = AddressFactory(user=user)
    return client.post("/order/address_select/", {"billing_address": address.pk, "shipping_address": address.pk})


def test_book_that_nobody_counts_is_sold_and_stays_so():
    emma = ProductFactory()
    order = order_of(emma, 2)
    order.cancel()
    assert left(emma) == (None, True)
    assert not StockMove.objects.exists()


def test_order_takes_its_copies_and_gives_them_back_once(emma):
    order = order_of(emma, 3)
    assert left(emma) == (0, False)
    line = order.lines.first()
    line.mark(OrderLine.CANCELLED)
    assert left(emma) == (1, True)
    order.cancel()
    order.cancel()
    order.lines.update(status=OrderLine.CANCELLED)
    assert left(emma) == (3, True)


def test_refund_of_a_part_and_the_cancelling_after_it_give_a_copy_back_once(emma):
    order = order_of(emma, 2)
    order.mark_paid()
    order.refund(order.lines.first().price, "Torn cover")
    assert left(emma) == (1, True)
    order.cancel()
    assert left(emma) == (3, True)


def test_unpaid_order_that_expires_gives_its_copies_back(emma):
    order = order_of(emma, 3)
    assert order.cancel_unpaid("Not paid within a day")
    assert left(emma) == (3, True)


def test_sent_copies_do_not_come_back_with_a_deleted_line(emma):
    order = order_of(emma, 3)
    sent, open_line, last = order.lines.all()
    sent.mark(OrderLine.SENT)
    OrderLine.objects.filter(pk__in=[sent.pk, open_line.pk]).delete()
    assert left(emma) == (1, True)
    last.delete()
    assert left(emma) == (2, True)


def test_deleted_order_leaves_its_copies_to_others(emma):
    order_of(emma, 2).delete()
    assert left(emma) == (3, True)


def test_book_counted_after_it_was_sold_keeps_that_count():
    emma = ProductFactory()
    order = order_of(emma)
    emma.set_stock(5)
    order.cancel()
    assert left(emma) == (5, True)


def test_book_that_is_not_counted_any_more_stays_so(emma):
    order = order_of(emma)
    emma.set_stock(None)
    order.cancel()
    assert left(emma) == (None, True)


def test_cancelled_while_nobody_counted_a_copy_is_in_the_next_count(emma):
    order = order_of(emma, 2)
    emma.set_stock(None)
    first, second = order.lines.all()
    first.mark(OrderLine.CANCELLED)
    emma.set_stock(10)
    second.mark(OrderLine.CANCELLED)
    assert left(emma) == (11, True)


def test_count_is_noted_with_who_and_why_and_in_stock_follows(emma, erin):
    emma.set_stock(0, by=erin, text="Water damage")
    assert left(emma) == (0, False)
    move = StockMove.objects.last()
    assert (move.delta, move.kind, move.by, move.text) == (-3, "counted", erin, "Water damage")
    with pytest.raises(ValidationError):
        emma.set_stock(-1)
    emma.set_stock(2)
    assert left(emma) == (2, True)
    Product.objects.filter(pk=emma.pk).update(in_stock=False)
    assert left(emma) == (2, True)


def test_ledger_is_not_rewritten(emma):
    move = StockMove.objects.last()
    with pytest.raises(TypeError):
        move.save()


def test_counts_set_as_fields_are_noted_too(emma):
    made = ProductFactory(stock=4)
    assert left(made) == (4, True)
    [bulk] = Product.objects.bulk_create([Product(name="Bulk", price=1, stock=0)])
    assert left(bulk) == (0, False)
    emma.stock = 7
    emma.save()
    assert left(emma) == (7, True)
    Product.objects.filter(pk=emma.pk).update(stock=2)
    assert left(emma) == (2, True)


def test_late_save_of_a_book_does_not_bring_sold_copies_back(emma):
    late = Product.objects.get(pk=emma.pk)
    order_of(emma, 3)
    late.price = 12
    late.refresh_from_db(fields=["name"])
    late.save()
    Product.objects.only("name", "stock").get(pk=emma.pk).save()
    late.save(update_fields=["price", "in_stock"])
    assert left(emma) == (0, False)


def test_shopper_who_wants_more_than_is_left_is_told_how_many(client_of, alice, emma):
    basket_with(emma, 4, user=alice)
    answer = submit(client_of(alice), alice)
    assert answer.status_code == 422
    assert "Only 3 copies of “Emma” are left" in answer.content.decode()
    assert not Order.objects.exists()
    assert left(emma) == (3, True)


def test_book_sold_out_meanwhile_is_named(client_of, alice, emma):
    basket_with(emma, 1, user=alice)
    order_of(emma, 3)
    answer = submit(client_of(alice), alice)
    assert answer.status_code == 422
    assert "“Emma” is sold out: no copy is left" in answer.content.decode()


def test_all_that_is_short_is_named_at_once_and_nothing_is_taken(emma):
    walden = ProductFactory(name="Walden", stock=1)
    basket = basket_with(emma, 5)
    BasketLineFactory(basket=basket, product=walden, quantity=2)
    address = AddressFactory(user=basket.user)
    with pytest.raises(ValidationError) as refused:
        Order.objects.place(basket, address, address)
    assert [text[:6] for text in refused.value.messages] == ["Only 3", "Only 1"]
    assert (left(emma)[0], left(walden)[0]) == (3, 1)


def test_office_adds_a_line_from_what_is_left(emma):
    order = OrderFactory()
    OrderLineFactory(order=order, product=emma)
    assert left(emma) == (2, True)


def test_what_is_not_out_yet_is_ordered_and_kept_from_dispatch(emma, dans):
    emma.available_from = timezone.localdate() + timedelta(days=1)
    emma.save()
    order = order_of(emma)
    order.mark_paid()
    [line] = order.lines.all()
    paths = [f"/api/orders/{order.pk}/", f"/api/orderlines/{line.pk}/"]
    office = f"/dispatch-admin/shop/order/{order.pk}/change/"
    owner = Client()
    owner.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert [owner.get(path).status_code for path in paths] == [404, 404]
    assert owner.get("/api/orderlines/").json()["count"] == owner.get("/api/orders/").json()["count"] == 0
    assert dans.get(office).status_code == 302
    other = OrderLineFactory(order=order, product__name="Walden")
    assert [owner.get(path).status_code for path in paths] == [200, 404]
    page = dans.get(office).content.decode()
    assert "Walden" in page and "Emma" not in page
    send = {"action": "mark_lines_sent", "_selected_action": [order.pk]}
    dans.post("/dispatch-admin/shop/order/", send)
    line.refresh_from_db(), other.refresh_from_db()
    assert (line.status, other.status) == (OrderLine.NEW, OrderLine.SENT)
    with pytest.raises(ValidationError):
        order.send_parcel("", "")
    emma.available_from = timezone.localdate()
    emma.save()
    assert [owner.get(path).status_code for path in paths] == [200, 200]


@pytest.mark.django_db(transaction=True)
def test_hundred_buyers_of_three_copies_make_three_orders(client_of, emma):
    buyers = [UserFactory() for _ in range(100)]
    for buyer in buyers:
        basket_with(emma, user=buyer)
    answers = at_once(*(partial(submit, client_of(buyer), buyer) for buyer in buyers))
    assert sorted(answer.status_code for answer in answers) == [302] * 3 + [422] * 97
    assert all("“Emma”" in answer.content.decode() for answer in answers if answer.status_code == 422)
    assert Order.objects.count() == 3
    assert left(emma) == (0, False)
    assert Basket.objects.open().count() == 97


@contextmanager
def meeting(monkeypatch, number):
    """All who buy meet after they read what is left, unless a lock holds them up."""
    door, read = Barrier(number), StockMoveQuerySet.locked

    def read_and_wait(self, products):
        counted = read(self, products)
        with suppress(BrokenBarrierError):
            door.wait(timeout=3)
        return counted

    with monkeypatch.context() as patch:
        patch.setattr(StockMoveQuerySet, "locked", read_and_wait)
        yield


# SQLite lets one write at a time anyway.
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_copies_are_sold_twice(emma, monkeypatch):
    sales = [partial(order_of, emma) for _ in range(5)]
    with meeting(monkeypatch, 5), no_locks(monkeypatch):
        at_once(*sales)
    assert Order.objects.count() > 3


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_those_who_meet_over_the_last_copies_still_buy_them_once(emma, monkeypatch):
    sales = [partial(order_of, emma) for _ in range(5)]
    with meeting(monkeypatch, 5):
        at_once(*sales)
    assert Order.objects.count() == 3


def test_page_of_a_book_says_how_few_are_left_though_it_is_kept(client, emma, django_assert_num_queries):
    assert "3 left" in client.get("/product/emma/").content.decode()
    order_of(emma, 2)
    with django_assert_num_queries(2):
        assert "1 left" in client.get("/product/emma/").content.decode()
    order_of(emma)
    assert "Out of stock" in client.get("/product/emma/").content.decode()
    emma.set_stock(60)
    assert "In stock" in client.get("/product/emma/").content.decode()


def test_sale_throws_nothing_away_that_is_kept_of_the_catalogue(client, emma):
    page = catalogue_now().version
    order_of(emma, 2)
    assert catalogue_now().version == page
    order_of(emma)
    assert catalogue_now().version != page


def test_every_other_column_of_a_book_is_noted(db):
    noted = " ".join(catalogue_triggers.statements(connection, ["shop_product"]))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'shop_product_update_noted'"
            if connection.vendor == "sqlite"
            else "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'shop_catalogue_changed' "
            "AND tgrelid = 'shop_product'::regclass"
        )
        [(there,)] = cursor.fetchall()
    columns = {field.column for field in Product._meta.concrete_fields}
    for text in (noted, there):
        named = {name.strip(' "') for name in re.search("UPDATE OF (.*?) (?:OR|ON) ", text)[1].split(",")}
        assert columns - named == {"stock"}


def test_book_that_is_not_out_yet_says_from_when_it_is_sent(client, emma, alice, client_of):
    day = timezone.localdate() + timedelta(days=40)
    emma.available_from = day
    emma.save()
    said = f"sent from {day.day} {day:%B}"
    html = client.get("/product/emma/").content.decode()
    assert f"Can be ordered now, {said}" in html and "Pre-order" in html
    basket_with(emma, user=alice)
    assert f"Sent from {day.day} {day:%B %Y}" in client_of(alice).get("/basket/").content.decode()
    assert submit(client_of(alice), alice).status_code == 302
    order = Order.objects.get()
    assert f"Sent from {day.day} {day:%B %Y}" in client_of(alice).get(f"/orders/{order.pk}/").content.decode()
    emma.set_stock(0)
    assert f"Out of stock, back on {day.day} {day:%B}" in client.get("/product/emma/").content.decode()


def test_basket_says_of_what_too_few_are_left(client_of, alice, emma):
    basket_with(emma, 4, user=alice)
    html = client_of(alice).get("/basket/").content.decode()
    assert "Only 3 left: take fewer." in html
    assert "Check out</a>" not in html
