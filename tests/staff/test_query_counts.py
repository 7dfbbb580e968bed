"""No list and no form asks more of the database as it grows."""

import pytest
from django.db import connection

from shop.models import Order, User
from staff.admin.searching import find_orders, find_people
from tests.factories import AddressFactory, OrderFactory, OrderLineFactory, ProductFactory

MOST = 12


@pytest.fixture
def many(order):
    order.mark_paid()
    for _ in range(15):
        OrderLineFactory(order=order)
        OrderLineFactory(order=OrderFactory(status=20))
        AddressFactory()
    return order


@pytest.mark.parametrize("model", ["order", "product", "producttag", "productimage", "author", "series", "address"])
def test_lists_of_the_office(erins, many, model, django_assert_max_num_queries):
    with django_assert_max_num_queries(MOST):
        assert erins.get(f"/office-admin/shop/{model}/").status_code == 200
    with django_assert_max_num_queries(MOST):
        assert erins.get(f"/office-admin/shop/{model}/?q=j").status_code == 200


@pytest.mark.parametrize("model", ["order", "product"])
def test_lists_of_dispatch(dans, many, model, django_assert_max_num_queries):
    with django_assert_max_num_queries(MOST):
        assert dans.get(f"/dispatch-admin/shop/{model}/?q=j").status_code == 200


@pytest.mark.parametrize("model", ["user", "basket"])
def test_lists_of_the_owners(olgas, many, model, django_assert_max_num_queries):
    with django_assert_max_num_queries(MOST):
        assert olgas.get(f"/admin/shop/{model}/").status_code == 200


def test_forms(erins, dans, many, django_assert_max_num_queries):
    book = ProductFactory()
    paths = [f"shop/order/{many.pk}/change/", f"shop/product/{book.pk}/change/"]
    for browser, office in ((erins, "office-admin"), (dans, "dispatch-admin")):
        for path in paths:
            with django_assert_max_num_queries(MOST):
                assert browser.get(f"/{office}/{path}").status_code == 200


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("find", "indexes"),
    [
        (lambda: find_orders(Order.objects.order_by("-pk"), "17", "shipping_name", email=True), ["shop_order_pkey"]),
        (
            lambda: find_orders(Order.objects.order_by("-pk"), "jane ey", "shipping_name", email=True),
            ["shop_order_name_words", "shop_user_email"],
        ),
        (lambda: find_people(User.objects.order_by("-pk"), "jane"), ["shop_user_name_words", "shop_user_email"]),
    ],
)
def test_search_reads_indexes(many, find, indexes):
    # In an index of one page nothing is found sooner than by reading all of it, so any index would do.
    Order.objects.bulk_create(OrderFactory.build_batch(2000, user=many.user))
    with connection.cursor() as cursor:
        # As autovacuum does a minute later: without it the planner takes the tables for almost empty.
        cursor.execute("ANALYZE shop_order, shop_user")
        # So few rows are read through faster than looked up; a bitmap is made by a condition that an index answers.
        for way in ("seqscan", "indexscan", "indexonlyscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    plan = find()[:50].explain()
    assert all(index in plan for index in indexes), plan
