"""What a row may hold by itself, the database holds to, whatever writes it."""

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.executor import MigrationExecutor

from shop.models import Basket, Order, OrderLine, Product
from staff.models import WebhookDelivery
from staff.reports.sales_triggers import lift_triggers
from tests.broken import by_sql, set_column
from tests.factories import BasketLineFactory, OrderFactory, OrderLineFactory, ProductFactory, UserFactory

OURS = ("shop", "support", "staff")
# Text of its moment: an order keeps the country that it was sent to, and the countries served may change.
TEXT = {"shop.Address.country", "shop.Order.billing_country", "shop.Order.shipping_country"}


def fields_with_choices():
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            name = f"{model._meta.label}.{field.name}"
            if model._meta.app_label in OURS and field.choices and name not in TEXT:
                yield pytest.param(model, field, id=name)


@pytest.mark.parametrize(("model", "field"), list(fields_with_choices()))
def test_every_field_with_choices_has_a_check_of_exactly_those(model, field):
    values = {value for value, _ in field.flatchoices} | ({""} if field.blank else set())
    checks = [check for check in model._meta.constraints if isinstance(check, models.CheckConstraint)]
    wanted = [check for check in checks if check.condition.children[0][0] == f"{field.name}__in"]
    assert [set(check.condition.children[0][1]) for check in wanted] == [values], (
        f"Give {model._meta.label} a constraint shop.database.constraints.one_of for {field.name}."
    )


WRONG = [
    ("shop_order", "status", 99),
    ("shop_orderline", "status", 50),
    ("shop_orderline", "price", -3),
    ("shop_basket", "status", 30),
    ("shop_basketline", "quantity", 0),
    ("shop_basketline", "quantity", 100),
    ("shop_product", "price", 0),
    ("shop_product", "format", "scroll"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("table", "column", "value"), WRONG)
def test_statement_by_hand_cannot_write_it(table, column, value):
    OrderLineFactory(), BasketLineFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        by_sql(f"UPDATE {table} SET {column} = %s", value)  # noqa: S608


@pytest.mark.django_db
def test_event_of_no_kind_cannot_be_written():
    with pytest.raises(IntegrityError), transaction.atomic():
        by_sql(
            "INSERT INTO staff_webhookdelivery (event_id, kind, attempts, answer, date_added, order_id, webhook_id)"
            " VALUES ('a7e1c7a2-1111-4111-8111-111111111111', 'order.lost', 0, '', '2026-01-01', 1, 1)"
        )
    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db
def test_form_of_a_line_asks_no_query_for_its_checks(django_assert_num_queries):
    line = OrderLineFactory()
    with django_assert_num_queries(0):
        line.validate_constraints()


@pytest.fixture
def earlier_release(transactional_db):
    """The database as the release before left it; the present one again afterwards."""
    migrate([("shop", "0007_catalogue_change"), ("staff", "0005_webhook_delivery_pending")])
    yield
    call_command("migrate", verbosity=0)


def migrate(targets):
    lift_triggers()
    MigrationExecutor(connection).migrate(targets)


@pytest.mark.django_db(transaction=True)
def test_rows_of_an_earlier_release_that_break_a_check_are_named_with_the_mend(earlier_release):
    by_sql(
        "INSERT INTO shop_product (name, slug, description, price, active, in_stock, date_added, date_updated,"
        " publisher, language, format, authors_text, series_text, sort_name, search_text)"
        " VALUES ('Emma', 'emma', '', 0, true, true, '2026-01-01', '2026-01-01', '', '', '', '', '', 'emma', 'emma')"
    )
    [pk] = Product.objects.values_list("pk", flat=True)
    with pytest.raises(CommandError) as refusal:
        call_command("migrate", verbosity=0)
    sentence = str(refusal.value)
    assert (
        f"1 rows of shop_product break the rule product_price_above_zero, which this release brings: product {pk}."
        in sentence
    )
    assert "UPDATE shop_product SET price = …" in sentence
    by_sql("UPDATE shop_product SET price = 5")
    call_command("migrate", verbosity=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        by_sql("UPDATE shop_product SET price = 0")


@pytest.mark.django_db(transaction=True)
def test_earlier_release_writes_into_the_migrated_database():
    """It names the columns that it knows, and no others."""
    user = UserFactory()
    by_sql("INSERT INTO shop_basket (user_id, status, date_added) VALUES (%s, 10, '2026-01-01')", user.pk)
    assert Basket.objects.get().date_updated


@pytest.fixture
def line_of_no_status(alice):
    line = OrderLineFactory(order=OrderFactory(user=alice, status=Order.PAID), product=ProductFactory(name="Emma"))
    OrderLineFactory(order=line.order)
    set_column(line, status=50)
    return line


PAGES = [
    ("alice", "/orders/"),
    ("alice", "/orders/{}/"),
    ("alice", "/orders/{}/invoice/"),
    ("alice", "/customer-service/{}/"),
    ("alice", "/mobile-api/my-orders/"),
    ("erin", "/order-dashboard/"),
    ("erin", "/office-admin/shop/order/{}/change/"),
    ("erin", "/customer-service/{}/"),
    ("dan", "/dispatch-admin/shop/order/"),
    ("dan", "/dispatch-admin/shop/order/{}/change/"),
    ("olga", "/admin/shop/order/{}/change/"),
    ("olga", "/api/orderlines/"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("person", "path"), PAGES)
def test_pages_outlive_a_line_of_no_status(request, client, line_of_no_status, person, path):
    client.force_login(request.getfixturevalue(person))
    assert client.get(path.format(line_of_no_status.order_id)).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("person", "path"), PAGES)
def test_pages_outlive_an_order_of_no_status(request, client, alice, person, path):
    order = OrderLineFactory(order__user=alice).order
    set_column(order, status=99)
    client.force_login(request.getfixturevalue(person))
    # Dispatch is shown paid orders alone.
    gone = person == "dan" and "{}" in path
    assert client.get(path.format(order.pk)).status_code == (302 if gone else 200)


@pytest.mark.django_db
def test_office_mends_a_line_of_no_status(client, line_of_no_status, erin):
    assert line_of_no_status.order.lines.last().mark(OrderLine.SENT)
    line = OrderLine.objects.get(pk=line_of_no_status.pk)
    client.force_login(erin)
    page = client.get(f"/office-admin/shop/order/{line.order_id}/change/").content.decode()
    assert '<option value="50" selected>50, which is none: choose another</option>' in page
    assert line.mark(OrderLine.CANCELLED)
    assert Order.objects.get(pk=line.order_id).status == Order.DONE
