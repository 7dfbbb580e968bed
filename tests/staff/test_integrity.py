from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from shop.demo.loading import load_demo
from shop.models import Basket, BasketLine, Order, OrderLine, Product, ProductImage
from shop.pictures import webp_name
from staff.models.sales import DaySales, ProductSales, SalesSummary
from tests.factories import BasketFactory, BasketLineFactory, OrderFactory, OrderLineFactory, ProductFactory
from tests.shop.test_pictures import picture_bytes, upload

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
    (sentence,) = text.splitlines()
    return sentence


def behind_the_models(model, pk, **values):
    """Write as no verb of ours does."""
    QuerySet(model).filter(pk=pk).update(**values)


def test_whole_demo_holds_and_is_told_in_one_line():
    load_demo()
    SalesSummary.refresh()
    assert integrity() == (True, f"All holds: 10 rules, {Order.objects.count()} orders.\n")


def test_price_that_is_no_amount():
    line = OrderLineFactory()
    behind_the_models(OrderLine, line.pk, price=-3)
    assert finding() == f"Order {line.order_id}: the price of its line {line.pk} is -3.00."


def test_done_order_with_open_lines():
    order = OrderFactory()
    first, second = OrderLineFactory(order=order), OrderLineFactory(order=order)
    OrderLineFactory(order=order, status=OrderLine.SENT)
    behind_the_models(Order, order.pk, status=Order.DONE)
    assert finding() == f"Order {order.pk} is done with open lines {first.pk}, {second.pk}."


def test_paid_order_with_all_lines_closed():
    order = OrderFactory(status=Order.PAID)
    for status in OrderLine.CLOSED:
        line = OrderLineFactory(order=order)
        behind_the_models(OrderLine, line.pk, status=status)
    OrderLineFactory(order__status=Order.PAID), OrderFactory(status=Order.PAID)
    assert finding() == f"Order {order.pk} is paid and all its lines are sent or cancelled, but it is not done."


def test_cancelled_order_with_a_line_that_is_sent():
    line = OrderLineFactory()
    line.order.cancel()
    behind_the_models(OrderLine, line.pk, status=OrderLine.SENT)
    assert finding() == f"Order {line.order_id} is cancelled, but for its line {line.pk}."


def test_second_open_basket():
    first, _ = BasketFactory(), BasketFactory(user=None)
    BasketFactory(user=first.user, status=Basket.SUBMITTED)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_open_basket_a_user")
    second = BasketFactory(user=first.user)
    assert finding() == f"User {first.user_id} has more than one open basket: {first.pk}, {second.pk}."


def test_open_basket_that_made_an_order():
    basket = BasketFactory()
    order = OrderFactory(basket=basket, user=basket.user)
    assert finding() == f"Basket {basket.pk} made order {order.pk}, but is open."


def test_quantity_beyond_99():
    line = BasketLineFactory(quantity=99)
    behind_the_models(BasketLine, line.pk, quantity=100)
    assert finding() == f"Basket {line.basket_id}: the quantity of its line {line.pk} is 100."


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


def test_picture_without_a_file():
    picture = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    behind_the_models(ProductImage, picture.pk, thumbnail="")
    assert finding() == f"Picture {picture.pk} of product {picture.product_id} names no file."


def test_search_text_of_an_old_title():
    product = ProductFactory(name="Emma")
    behind_the_models(Product, product.pk, name="Persuasion")
    assert finding() == f"Product {product.pk}: sort_name, search_text is not up to date."


def yesterdays_line():
    line = OrderLineFactory(price=Decimal("7.00"), order__status=Order.PAID)
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

    line = BasketLineFactory()
    behind_the_models(BasketLine, line.pk, quantity=100)
    ProductImage.objects.create(product=line.product, image=upload(picture_bytes()))
    monkeypatch.setattr(default_storage, "listdir", away)
    holds, text = integrity()
    assert not holds
    assert "could not be checked: ConnectionError: the bucket does not answer" in text
    assert f"Basket {line.basket_id}" in text


def test_change_in_the_middle_of_a_look_is_no_fault(monkeypatch):
    picture = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    real, looks = default_storage.listdir, []

    def before_it_was_stored(folder):
        looks.append(folder)
        return ([], []) if folder not in looks[:-1] else real(folder)

    monkeypatch.setattr(default_storage, "listdir", before_it_was_stored)
    assert integrity()[0]
    assert picture.THUMBNAILS in looks
