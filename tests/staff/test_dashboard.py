import csv
import re
from datetime import timedelta
from html import unescape
from io import StringIO

import pytest
from django.utils import timezone

from shop.models import Order, OrderLine
from tests.factories import OrderFactory, OrderLineFactory, UserFactory

pytestmark = pytest.mark.usefixtures("noon")

PATH = "/order-dashboard/"


def numbers(response):
    """The orders of the table, from top to bottom."""
    return [int(pk) for pk in re.findall(r"shop/order/(\d+)/change/", response.content.decode())]


def figures(response):
    """Each figure above the table, and the address that it leads to."""
    found = re.findall(r'<dt>(.*?)</dt><dd><a href="(.*?)">(.*?)</a></dd>', response.content.decode())
    return {label: (number, unescape(address)) for label, address, number in found}


def found(response):
    """How many orders the list says it holds."""
    return int(re.search(r"toolbar__count\">(\d+) order", response.content.decode())[1])


def states(response):
    return re.findall(r'<span class="badge badge--(\w+)">', response.content.decode())


@pytest.fixture
def orders():
    """Three orders, of the last ten days: new, paid, done."""
    made = []
    for days, status, email in ((10, 10, "anna@example.com"), (5, 20, "ben@example.com"), (0, 30, "anne@example.org")):
        order = OrderFactory(status=status, user=UserFactory(email=email))
        OrderLineFactory(order=order, price="10.00", status=30 if status == 30 else 10)
        moment = timezone.now() - timedelta(days=days)
        Order.objects.filter(pk=order.pk).update(date_added=moment, date_updated=moment)
        made.append(order.pk)
    return made


def test_all_orders_come_newest_first(erins, orders):
    assert numbers(erins.get(PATH)) == orders[::-1]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("user__email__icontains=ANN", [2, 0]), ("status=20", [1]), ("date_added__gt={7}", [2, 1]),
        ("date_added__lt={7}", [0]), ("date_updated__gt={3}", [2]), ("date_updated__lt={3}", [1, 0]),
        ("status=30&user__email__icontains=ben", []),
    ],
)  # fmt: skip
def test_filters_narrow_the_table(erins, orders, query, places):
    for days in (3, 7):
        query = query.replace(f"{{{days}}}", (timezone.localdate() - timedelta(days=days)).isoformat())
    assert numbers(erins.get(f"{PATH}?{query}")) == [orders[place] for place in places]


@pytest.mark.parametrize(
    "date", ["yesterday", "2026-02-30", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00%2B12:00"]
)
def test_wrong_date_is_an_error_and_hides_nothing(erins, orders, date):
    page = erins.get(f"{PATH}?date_added__gt={date}")
    assert "Placed since: Enter a valid date/time." in page.content.decode()
    assert len(numbers(page)) == 3


@pytest.fixture
def crossed_off(orders):
    """Four cancelled orders of today: as new, as paid, line by line, and none of these once it was done."""
    made = [OrderFactory(status=status) for status in (10, 20, 10, 20)]
    for order in made:
        OrderLineFactory.create_batch(2, order=order, price="7.00")
        Order.objects.filter(pk=order.pk).update(date_added=timezone.now() - timedelta(hours=1))
    made[0].cancel(), made[1].cancel()
    for order in made[2:]:
        for line in order.lines.all():
            line.mark(OrderLine.CANCELLED)
    return [order.pk for order in made]


@pytest.fixture
def unpaid_and_partly_cancelled(orders):
    """Two orders of today: one is not paid, of one that is a book was cancelled."""
    made = [OrderFactory(status=status) for status in (10, 20)]
    for order in made:
        OrderLineFactory.create_batch(2, order=order, price="30.00")
        Order.objects.filter(pk=order.pk).update(date_added=timezone.now() - timedelta(hours=1))
    made[1].lines.first().mark(OrderLine.CANCELLED)
    return [order.pk for order in made]


def test_revenue_is_what_was_paid_for_and_not_cancelled(erins, unpaid_and_partly_cancelled, crossed_off):
    numbers_of = {label: number for label, (number, _) in figures(erins.get(PATH)).items()}
    assert numbers_of == {
        "Placed today": "7", "New, not paid": "2", "Paid, to send": "2", "Revenue of today’s orders": "£40.00",
    }  # fmt: skip
    today = timezone.localdate().isoformat()
    report = erins.get("/office-admin/revenue_per_day/").content.decode()
    assert re.search(rf"<td>{today}</td><td[^>]*>40.00</td>", report)


@pytest.mark.parametrize(
    "query", ["", "?status=30&sort=pk", "?user__email__icontains=example.com&page=2", "?date_added__lt=2001-01-01"]
)
def test_figure_leads_to_the_orders_that_it_counts(erins, orders, unpaid_and_partly_cancelled, crossed_off, query):
    shown = figures(erins.get(f"{PATH}{query}"))
    for number, address in [shown[label] for label in ("Placed today", "New, not paid", "Paid, to send")]:
        page = erins.get(address)
        assert len(numbers(page)) == found(page) == int(number)
    revenue, address = shown["Revenue of today’s orders"]
    rows = list(csv.reader(StringIO(erins.get(address.replace(PATH, f"{PATH}export/")).getvalue().decode("utf-8-sig"))))
    assert f"£{sum(float(row[5]) for row in rows[1:]):.2f}" == revenue


def test_figures_follow_the_filter(erins, orders):
    shown = figures(erins.get(f"{PATH}?user__email__icontains=ben"))
    assert [number for number, _ in shown.values()] == ["0", "0", "1", "£0.00"]
    assert shown["Paid, to send"][1] == f"{PATH}?user__email__icontains=ben&status=20"


@pytest.mark.parametrize("status", ["10", "20", "30", "paid"])
def test_cancelled_orders_are_neither_new_nor_paid_nor_done(erins, orders, crossed_off, status):
    assert not set(numbers(erins.get(f"{PATH}?status={status}"))) & set(crossed_off)


def test_cancelled_orders_have_a_filter_and_a_word_of_their_own(erins, orders, crossed_off):
    page = erins.get(f"{PATH}?status=cancelled")
    assert sorted(numbers(page)) == crossed_off
    assert states(page) == ["cancelled"] * 4
    assert "Mark paid" not in page.content.decode()
    rows = csv.reader(StringIO(erins.get(f"{PATH}export/?status=cancelled").getvalue().decode("utf-8-sig")))
    assert [(row[2], row[5]) for row in rows][1:] == [("Cancelled", "0.00")] * 4


def test_order_without_lines_is_what_its_status_says(erins):
    empty = [OrderFactory(status=status).pk for status in (10, 20, 30)]
    for pk, status in zip(empty, (10, 20, 30), strict=True):
        assert numbers(erins.get(f"{PATH}?status={status}")) == [pk]


def test_table_is_sorted_by_its_columns(erins, orders):
    assert numbers(erins.get(f"{PATH}?sort=pk")) == orders
    assert numbers(erins.get(f"{PATH}?sort=user__email")) == [orders[0], orders[2], orders[1]]
    assert len(numbers(erins.get(f"{PATH}?sort=password"))) == 3


def test_fragment_holds_the_results_alone(erins, orders):
    fragment = erins.get(PATH, headers={"HX-Request": "true"})
    text = fragment.content.decode()
    assert text.lstrip().startswith("<title>Orders, BookTime</title>")
    assert '<div id="order-results" ' in text
    assert "site-header" not in text
    assert "<html" not in text
    assert "HX-Request" in fragment["Vary"]
    restored = erins.get(PATH, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in restored.content.decode()


def test_pages_keep_filter_and_sorting(erins, alice):
    OrderFactory.create_batch(30, user=alice)
    page = erins.get(f"{PATH}?status=10&sort=pk")
    assert len(numbers(page)) == 25
    assert "?status=10&amp;sort=pk&amp;page=2" in page.content.decode()
    assert len(numbers(erins.get(f"{PATH}?status=10&sort=pk&page=2"))) == 5
    assert len(numbers(erins.get(f"{PATH}?page=99"))) == 5
    assert all(len(numbers(erins.get(f"{PATH}?page={bad}"))) == 25 for bad in ("x", "0", "-1"))
    for length in (-1, 0, 1000):
        assert len(numbers(erins.get(f"{PATH}?per_page={length}"))) == 25


def test_order_is_marked_paid_in_place(erins, orders):
    headers = {"HX-Request": "true"}
    fragment = erins.post(f"{PATH}{orders[0]}/paid/?status=10", headers=headers)
    assert Order.objects.get(pk=orders[0]).status == Order.PAID
    assert numbers(fragment) == []
    assert f"Order {orders[0]} is paid." in fragment.content.decode()


def test_order_is_marked_paid_without_javascript(erins, orders):
    answer = erins.post(f"{PATH}{orders[0]}/paid/?sort=pk")
    assert answer["Location"] == "/order-dashboard/?sort=pk"
    assert Order.objects.get(pk=orders[0]).status == Order.PAID


def test_cancelled_order_cannot_be_marked_paid(erins, orders):
    Order.objects.get(pk=orders[0]).cancel()
    answer = erins.post(f"{PATH}{orders[0]}/paid/", follow=True)
    assert "cannot be paid" in answer.content.decode()
    assert Order.objects.get(pk=orders[0]).status == Order.NEW


def test_export_has_the_filtered_rows_and_no_formulas(erins, orders):
    Order.objects.filter(pk=orders[1]).update(billing_name="=cmd()")
    rows = list(csv.reader(StringIO(erins.get(f"{PATH}export/?status=20").getvalue().decode("utf-8-sig"))))
    assert rows[0][:4] == ["Order", "E-mail", "Status", "Name"]
    assert [row[:6] for row in rows[1:]] == [[str(orders[1]), "ben@example.com", "Paid", "'=cmd()", "1", "10.00"]]


def test_queries_do_not_grow_with_the_orders(erins, orders, django_assert_max_num_queries):
    OrderFactory.create_batch(20)
    with django_assert_max_num_queries(12):
        erins.get(PATH)
