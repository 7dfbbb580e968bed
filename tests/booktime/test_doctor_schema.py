"""What the doctor says of a database that lacks what the code makes in it, and that it puts it back."""

from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from booktime.observing import doctor
from shop.models import Basket, User
from staff.integrity import database_schema
from staff.models import SalesSummary
from tests.broken import by_sql
from tests.factories import BasketFactory, ProductFactory
from tests.shop.shelves import page

pytestmark = pytest.mark.django_db(transaction=True)


def result(name):
    return doctor.result_of(next(check for check in doctor.checks(1) if check.name == name))


def missing():
    return [each.what for each in database_schema.missing()]


def mend():
    database_schema.put_back(database_schema.missing())


@pytest.fixture(autouse=True)
def whole_again():
    """Whatever a test took away is there for the next one."""
    yield
    mend()


BOTH = [
    ("DROP INDEX one_open_basket_a_user", "the constraint one_open_basket_a_user of shop_basket"),
    ("DROP INDEX order_by_status", "the index order_by_status of shop_order"),
    ("DROP INDEX webhook_delivery_pending", "the index webhook_delivery_pending of staff_webhookdelivery"),
    ("DROP INDEX user_email_any_case", "the constraint user_email_any_case of shop_user"),
]
ON_SQLITE = [
    ("DROP TRIGGER shop_product_UPDATE_noted", "the trigger shop_product_update_noted of shop_product, for catalogue"),
    ("DROP TRIGGER staff_orderline_update", "the trigger staff_orderline_update of shop_orderline, for sales"),
    ("DROP TRIGGER shop_product_search_update", "the trigger shop_product_search_update of shop_product, for search"),
    ("DROP TABLE shop_product_search", "the table shop_product_search"),
]
ON_POSTGRESQL = [
    ("DROP TRIGGER shop_catalogue_changed ON shop_product", "the trigger shop_catalogue_changed of shop_product"),
    ("DROP TRIGGER staff_line_changed ON shop_orderline", "the trigger staff_line_changed of shop_orderline"),
    ("DROP INDEX shop_product_search", "the index shop_product_search of shop_product"),
    ("DROP INDEX shop_order_name_words", "the index shop_order_name_words"),
    ("ALTER TABLE shop_order DROP CONSTRAINT order_status_known", "the check order_status_known of shop_order"),
    ("ALTER TABLE shop_basketline DROP CONSTRAINT one_line_a_product", "the constraint one_line_a_product of"),
]
OTHERWISE = [
    (
        "ALTER TABLE shop_product DISABLE TRIGGER shop_catalogue_changed",
        "the trigger shop_catalogue_changed of shop_product, for catalogue",
    ),
    (
        "CREATE OR REPLACE FUNCTION staff_note_order() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "the function staff_note_order, for sales",
    ),
    (
        "ALTER TABLE shop_order DROP CONSTRAINT order_status_known;"
        " ALTER TABLE shop_order ADD CONSTRAINT order_status_known CHECK (status > 0) NOT VALID",
        "the check order_status_known of shop_order",
    ),
]


def foreign_key():
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, "shop_orderline")
    return next(name for name, each in there.items() if each["foreign_key"] and each["columns"] == ["order_id"])


def test_what_was_dropped_is_named_with_its_mend_and_put_back():
    dropped = [*BOTH, *(ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE)]
    assert missing() == []
    for statement, _ in dropped:
        by_sql(statement)
    named = "; ".join(missing()).lower()
    assert [what for _, what in dropped if what.lower() not in named] == []
    state, sentence = result("schema")
    assert state == "FAILED"
    assert "The database lacks the " in sentence and "python manage.py doctor --mend puts back" in sentence
    mend()
    assert result("schema") == ("ok", "every table, index, constraint and trigger is there")


@pytest.mark.postgres
@pytest.mark.parametrize(("statement", "what"), OTHERWISE)
def test_what_does_not_do_its_work_is_named_and_put_back(statement, what):
    by_sql(statement)
    assert missing() == [what]
    mend()
    assert missing() == []


@pytest.mark.postgres
def test_what_a_field_brings_is_named_and_put_back():
    by_sql(f"ALTER TABLE shop_orderline DROP CONSTRAINT {foreign_key()}")
    by_sql("ALTER TABLE shop_product DROP CONSTRAINT shop_product_isbn_key")
    assert missing() == [
        "the unique constraint of shop_product.isbn",
        "the foreign key of shop_orderline.order_id",
    ]
    mend()
    with pytest.raises(IntegrityError), transaction.atomic():
        by_sql("INSERT INTO shop_product_tags (product_id, producttag_id) VALUES (0, 0)")
        by_sql("SET CONSTRAINTS ALL IMMEDIATE")


def test_trigger_that_does_something_else_is_named():
    if connection.vendor == "postgresql":
        pytest.skip("of SQLite")
    by_sql("DROP TRIGGER staff_order_delete")
    by_sql("CREATE TRIGGER staff_order_delete AFTER DELETE ON shop_order BEGIN SELECT 1; END")
    assert missing() == ["the trigger staff_order_delete of shop_order, for sales"]


def drop_trigger_of_products():
    names = {"sqlite": "shop_product_update_noted", "postgresql": "shop_catalogue_changed ON shop_product"}
    by_sql(f"DROP TRIGGER {names[connection.vendor]}")


def test_page_that_was_old_for_want_of_a_trigger_is_new_once_it_is_mended(client):
    ProductFactory(name="Emma", price=Decimal("8.99"))
    assert "£8.99" in page(client, "/product/emma/")
    drop_trigger_of_products()
    by_sql("UPDATE shop_product SET price = 58.99")
    assert "£8.99" in page(client, "/product/emma/")
    mend()
    assert "£58.99" in page(client, "/product/emma/")


def test_sales_that_were_missed_for_want_of_a_trigger_are_counted_once_it_is_mended():
    SalesSummary.refresh()
    names = {
        "sqlite": ["staff_order_insert", "staff_orderline_insert"],
        "postgresql": ["staff_order_changed ON shop_order", "staff_line_changed ON shop_orderline"],
    }
    for name in names[connection.vendor]:
        by_sql(f"DROP TRIGGER {name}")
    mend()
    assert SalesSummary.objects.get().time_zone == ""


def test_constraint_that_is_put_back_holds():
    by_sql("DROP INDEX one_open_basket_a_user")
    mend()
    basket = BasketFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        Basket.objects.create(user=basket.user)


def test_command_mends_and_says_what():
    by_sql("DROP INDEX order_by_status")
    output = StringIO()
    call_command("doctor", mend=True, wait=1, stdout=output)
    assert "mended   the index order_by_status of shop_order\n" in output.getvalue()
    assert "ok       schema:" in output.getvalue()


def test_constraint_that_rows_break_is_not_put_back_and_the_rest_is():
    by_sql("DROP INDEX one_open_basket_a_user")
    by_sql("DROP INDEX order_by_status")
    user = BasketFactory().user
    second = BasketFactory(user=user)
    output = StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", mend=True, wait=1, stdout=output)
    assert "missing  the constraint one_open_basket_a_user of shop_basket\n" in output.getvalue()
    assert "mended   the index order_by_status of shop_order\n" in output.getvalue()
    assert "python manage.py integrity names those" in output.getvalue()
    second.delete()


def test_group_that_was_renamed_is_named():
    Group.objects.filter(name=User.EMPLOYEES).update(name="Workers")
    try:
        state, sentence = result("roles")
    finally:
        Group.objects.filter(name="Workers").update(name=User.EMPLOYEES)
    assert state == "FAILED"
    assert "no group Employees" in sentence and "name it back at /admin/auth/group/" in sentence


def test_group_that_may_more_and_less_than_its_role_is_named_but_may_be_meant():
    dispatchers = Group.objects.get(name=User.DISPATCHERS)
    before = list(dispatchers.permissions.all())
    dispatchers.permissions.add(Permission.objects.get(codename="view_user"))
    dispatchers.permissions.remove(Permission.objects.get(codename="change_order"))
    output = StringIO()
    try:
        call_command("doctor", wait=1, stdout=output)
    finally:
        dispatchers.permissions.set(before)
    line = next(line for line in output.getvalue().splitlines() if "roles:" in line)
    assert line.startswith("differs  roles: Dispatchers may also shop.view_user and may not shop.change_order.")
    assert result("roles") == ("ok", "every group may do what its role is")
