from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.utils import timezone

from shop.demo.loading import load_demo
from shop.models import Basket, BasketLine, Order, OrderLine, Payment, Product, ProductImage, Refund
from shop.values.picture_files import webp_name
from staff.integrity import database_schema
from staff.integrity.rules import RULES
from staff.models import WebhookDelivery
from staff.models.sales import DaySales, ProductSales, SalesSummary
from support.models import Chat
from tests.broken import by_sql, unchecked
from tests.factories import (
    BasketFactory,
    BasketLineFactory,
    OrderFactory,
    OrderLineFactory,
    ProductFactory,
    ProductTagFactory,
)
from tests.shop.test_picture_files import picture_bytes, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def integrity():
    """Whether all holds, and what the command says."""
    output = StringIO()
    try:
        call_command("integrity", stdout=output)
    except CommandError as error:
        assert error.returncode == 1
        return False, output.getvalue()
    return True, output.getvalue()


def finding():
    """The one thing that does not hold."""
    holds, text = integrity()
    assert not holds
    (line,) = text.splitlines()
    sentence, _, mend = line.partition(" Mend: ")
    assert mend
    return sentence


def behind_the_models(model, pk, **values):
    """Write as no verb of ours does."""
    QuerySet(model).filter(pk=pk).update(**values)


@pytest.fixture
def no_checks(monkeypatch):
    """A database without checks, which is not what is looked for."""
    real = database_schema.missing
    monkeypatch.setattr(database_schema, "missing", lambda: [each for each in real() if "the check" not in each.what])
    with unchecked(Order, OrderLine, Basket, BasketLine, Product, WebhookDelivery):
        yield


def test_whole_demo_holds_and_is_told_in_one_line():
    load_demo()
    SalesSummary.refresh()
    assert integrity() == (True, f"All holds: {len(RULES)} rules, {Order.objects.count()} orders.\n")


BY_SQL = [
    ("UPDATE shop_orderline SET price = -3", "Order line {line}: price is -3.00, which order_line_price_not_negative"),
    ("UPDATE shop_orderline SET status = 50", "Order line {line}: status is 50, which order_line_status_known"),
    ("UPDATE shop_order SET status = 99", "Order {order}: status is 99, which order_status_known"),
    ("UPDATE shop_basket SET status = 30", "Basket {basket}: status is 30, which basket_status_known"),
    (
        "UPDATE shop_basketline SET quantity = 100",
        "Basket line {item}: quantity is 100, which basket_line_quantity_at_",
    ),
    ("UPDATE shop_product SET price = 0", "Product {product}: price is 0.00, which product_price_above_zero"),
    ("UPDATE shop_product SET format = 'scroll'", "Product {product}: format is scroll, which product_format_known"),
]


@pytest.mark.parametrize(("statement", "sentence"), BY_SQL)
def test_value_that_there_is_none_of(no_checks, statement, sentence):
    line = OrderLineFactory()
    item = BasketLineFactory(product=line.product)
    by_sql(statement)
    keys = {"line": line.pk, "order": line.order_id, "product": line.product_id}
    assert finding().startswith(sentence.format(**keys, basket=item.basket_id, item=item.pk))


def test_order_without_lines():
    order = OrderLineFactory().order
    by_sql("DELETE FROM shop_orderline")
    assert finding() == f"Order {order.pk} has no lines."


def ordered(user):
    basket = BasketFactory(user=user, status=Basket.SUBMITTED)
    return OrderLineFactory(order__user=user, order__basket=basket).order


def test_order_that_was_moved_to_another_user(alice, bob):
    order = ordered(alice)
    assert integrity()[0]
    by_sql("UPDATE shop_order SET user_id = %s", bob.pk)
    assert finding() == f"Order {order.pk} is of user {bob.pk}, but its basket {order.basket_id} of user {alice.pk}."


def test_basket_that_was_moved_to_another_user(alice, bob):
    order = ordered(alice)
    by_sql("UPDATE shop_basket SET user_id = NULL")
    assert finding() == f"Order {order.pk} is of user {alice.pk}, but its basket {order.basket_id} of a visitor."


def test_order_without_a_basket_that_was_moved_with_its_chat(alice, bob, erin):
    order = OrderLineFactory(order__user=alice, order__last_spoken_to=erin).order
    for person in (alice, erin):
        Chat.objects.of(order).post(person, "Hello")
    erin.is_staff = False
    erin.save()
    assert integrity()[0]
    by_sql("UPDATE shop_order SET user_id = %s", bob.pk)
    sentence = f"Order {order.pk}: user {alice.pk} wrote in its chat, who is neither its shopper nor of the staff."
    assert finding() == sentence


def test_closed_basket_whose_order_is_lost(alice):
    basket = BasketFactory(user=alice)
    by_sql("UPDATE shop_basket SET status = 20")
    assert finding() == f"Basket {basket.pk} of user {alice.pk} was ordered, but there is no order of it."


def test_subject_whose_address_is_that_of_all_books():
    tag = ProductTagFactory(name="Old")
    by_sql("UPDATE shop_producttag SET slug = 'all'")
    assert finding().startswith(f"Product tag {tag.pk} cannot be reached: its address all is that of a page")


def test_done_order_with_open_lines():
    order = OrderFactory()
    first, second = OrderLineFactory(order=order), OrderLineFactory(order=order)
    OrderLineFactory(order=order, status=OrderLine.SENT)
    order.mark_paid()
    behind_the_models(Order, order.pk, status=Order.DONE)
    assert finding() == f"Order {order.pk} is done with open lines {first.pk}, {second.pk}."


def test_paid_order_with_all_lines_closed():
    order = OrderFactory()
    for status in OrderLine.CLOSED:
        line = OrderLineFactory(order=order)
        behind_the_models(OrderLine, line.pk, status=status)
    behind_the_models(Order, order.pk, status=Order.PAID)
    OrderLineFactory().order.mark_paid()
    order.record_payment()
    assert finding() == f"Order {order.pk} is paid and all its lines are sent or cancelled, but it is not done."


def test_cancelled_order_with_a_line_that_is_sent():
    line = OrderLineFactory()
    line.order.cancel()
    behind_the_models(OrderLine, line.pk, status=OrderLine.SENT)
    assert finding() == f"Order {line.order_id} is cancelled, but for its line {line.pk}."


def test_paid_order_without_a_payment():
    line = OrderLineFactory()
    behind_the_models(Order, line.order_id, status=Order.PAID)
    assert finding() == f"Order {line.order_id} is paid, but no payment says so."


def test_more_that_goes_back_than_came():
    order = OrderLineFactory(price="8.00").order
    order.mark_paid()
    order.refund(Decimal("8.00"), "Torn")
    payment = order.payments.get()
    behind_the_models(Payment, payment.pk, amount="5.00")
    assert finding() == f"Payment {payment.pk} of order {order.pk}: £8.00 goes back of £5.00."


def test_refunds_that_make_up_a_payment_break_nothing():
    """Though numbers of floating point come to 6.470000000000001."""
    order = OrderFactory()
    OrderLineFactory(order=order, price="6.47")
    payment = order.payments.create(method="card", amount=Decimal("6.47"))
    order.pay(payment)
    for amount in ("5.37", "1.10"):
        order.refund(Decimal(amount), "Torn")
    assert integrity()[0]


def test_credit_note_that_is_missing():
    order = OrderLineFactory(price="8.00").order
    order.mark_paid()
    for _ in range(2):
        order.refund(Decimal("1.00"), "Torn")
    first, second = order.refunds()
    QuerySet(Refund).filter(pk=first.pk).delete()
    assert finding() == f"There are 1 credit notes, and the last is {second.credit_note}."


def test_count_that_its_ledger_does_not_bear_out():
    book = ProductFactory(stock=3)
    behind_the_models(Product, book.pk, stock=2)
    assert finding() == f"Product {book.pk}: 2 copies are left, but its ledger comes to 3."


def test_second_open_basket():
    first, _ = BasketFactory(), BasketFactory(user=None)
    ordered(first.user)
    by_sql("DROP INDEX one_open_basket_a_user")
    second = BasketFactory(user=first.user)
    _, text = integrity()
    assert "The database lacks the constraint one_open_basket_a_user of shop_basket. Mend: " in text
    assert f"User {first.user_id} has more than one open basket: {first.pk}, {second.pk}. Mend: " in text


def test_open_basket_that_made_an_order():
    basket = BasketFactory()
    order = OrderLineFactory(order__basket=basket, order__user=basket.user).order
    assert finding() == f"Basket {basket.pk} made order {order.pk}, but is open."


@pytest.mark.parametrize(
    "name_of",
    [lambda p: p.image.name, lambda p: p.thumbnail.name, lambda p: webp_name(p.thumbnail.name)],
    ids=["picture", "thumbnail", "webp"],
)
def test_file_that_is_missing(name_of):
    picture = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    assert integrity()[0]
    default_storage.delete(name_of(picture))
    assert finding() == f"Picture {picture.pk} of product {picture.product_id}: {name_of(picture)} is missing."


@pytest.mark.parametrize(("content", "fault"), [(b"", "is empty"), (b"<html>not found", "is no picture")])
def test_file_that_was_emptied_or_is_something_else(content, fault):
    picture = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    Path(default_storage.path(picture.thumbnail.name)).write_bytes(content)
    sentence = f"Picture {picture.pk} of product {picture.product_id}: {picture.thumbnail.name} {fault}."
    assert finding() == sentence


def test_file_that_was_emptied_in_a_bucket(monkeypatch):
    picture = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    stored = {name: 0 if name == picture.image.name else 900 for name in picture.file_names()}

    def sizes(folder):
        return {name.rpartition("/")[2]: size for name, size in stored.items() if name.startswith(f"{folder}/")}

    monkeypatch.setattr(FileSystemStorage, "sizes", staticmethod(sizes), raising=False)
    assert finding().endswith(f"{picture.image.name} is empty.")


@pytest.mark.parametrize("folder", [ProductImage.IMAGES, ProductImage.THUMBNAILS])
def test_file_that_belongs_to_no_picture(folder):
    ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    name = default_storage.save(f"{folder}/left.jpg", ContentFile(picture_bytes()))
    assert finding() == f"The file {name} belongs to no picture."


def test_every_rule_says_what_holds_and_how_to_mend_it():
    assert all(rule.holds.endswith(".") and rule.mend.endswith((".", ")", "it")) for rule in RULES)


def test_picture_without_a_file():
    picture = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    behind_the_models(ProductImage, picture.pk, thumbnail="")
    for name in (picture.thumbnail.name, webp_name(picture.thumbnail.name)):
        default_storage.delete(name)
    assert finding() == f"Picture {picture.pk} of product {picture.product_id} names no file."


def test_search_text_of_an_old_title():
    product = ProductFactory(name="Emma")
    behind_the_models(Product, product.pk, name="Persuasion")
    assert finding() == f"Product {product.pk}: sort_name, search_text is not up to date."


def yesterdays_line():
    line = OrderLineFactory(price=Decimal("7.00"))
    line.order.mark_paid()
    Order.objects.filter(pk=line.order_id).update(date_added=timezone.now() - timedelta(days=1))
    SalesSummary.refresh()
    assert integrity()[0]
    return line


def test_sales_of_a_day_that_its_orders_do_not_bear_out():
    yesterdays_line()
    day = timezone.localdate() - timedelta(days=1)
    DaySales.objects.filter(day=day).update(revenue=8)
    sentence = f"Sales of {day}: stored are 1 orders for £8.00, the orders of that day are 1 orders for £7.00."
    assert finding() == sentence


def test_sales_of_a_product_that_its_lines_do_not_bear_out():
    line = yesterdays_line()
    ProductSales.objects.filter(period=60).update(quantity=5)
    assert finding().startswith(f"Sales of product {line.product_id}: stored are 5, but 1 were bought in 60 days")


def test_sales_that_wait_to_be_counted_anew_are_no_fault():
    line = yesterdays_line()
    line.mark(OrderLine.CANCELLED)
    assert integrity()[0]


def test_rule_that_cannot_be_asked_is_told_beside_the_others(monkeypatch):
    def away(folder):
        raise ConnectionError("the bucket does not answer")

    line = BasketLineFactory(basket__status=Basket.SUBMITTED)
    ProductImage.objects.create(product=line.product, image=upload(picture_bytes()))
    monkeypatch.setattr(default_storage, "listdir", away)
    holds, text = integrity()
    assert not holds
    assert "could not be checked: ConnectionError: the bucket does not answer" in text
    assert f"Basket {line.basket_id} of user" in text


def test_change_in_the_middle_of_a_look_is_no_fault(monkeypatch):
    picture = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    real, looks = default_storage.listdir, []

    def before_it_was_stored(folder):
        looks.append(folder)
        return ([], []) if folder not in looks[:-1] else real(folder)

    monkeypatch.setattr(default_storage, "listdir", before_it_was_stored)
    assert integrity()[0]
    assert picture.THUMBNAILS in looks
