import csv
import json
import re
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.utils import timezone

from shop.models import Order, OrderLine
from staff.reports import views
from staff.reports.csv_download import safe_cell
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory

pytestmark = pytest.mark.usefixtures("noon")

ROW = re.compile(r"<tr><td>(.*?)</td><td[^>]*>(.*?)</td></tr>")


def table_of(response):
    return dict(ROW.findall(response.content.decode()))


def order_on(moment, *prices, product=None, status=Order.PAID):
    order = OrderFactory(status=status)
    for price in prices:
        OrderLineFactory(order=order, price=price, **({"product": product} if product else {}))
    Order.objects.filter(pk=order.pk).update(date_added=moment)
    return order


def days_ago(days):
    return timezone.now() - timedelta(days=days)


@pytest.mark.parametrize("office", ["office-admin", "admin"])
def test_orders_per_day_counts_180_days_and_shows_empty_ones_as_zero(olgas, office):
    order_on(days_ago(0), "5.00"), order_on(days_ago(0)), order_on(days_ago(179)), order_on(days_ago(180))
    table = table_of(olgas.get(f"/{office}/orders_per_day/"))
    today = timezone.localdate()
    assert len(table) == 180
    assert table[today.isoformat()] == "2"
    assert table[(today - timedelta(days=1)).isoformat()] == "0"
    assert table[(today - timedelta(days=179)).isoformat()] == "1"


def test_day_begins_in_the_sites_time_zone(erins, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    order_on(midnight - timedelta(minutes=1)), order_on(midnight + timedelta(seconds=1))
    table = table_of(erins.get("/office-admin/orders_per_day/"))
    assert table[midnight.date().isoformat()] == "1"
    assert table[(midnight.date() - timedelta(days=1)).isoformat()] == "1"


def test_new_time_zone_moves_what_was_counted_before(erins, settings):
    settings.TIME_ZONE = "UTC"
    moment = timezone.now().replace(hour=23, minute=30) - timedelta(days=3)
    order_on(moment)
    assert table_of(erins.get("/office-admin/orders_per_day/"))[moment.date().isoformat()] == "1"
    settings.TIME_ZONE = "Asia/Tokyo"
    table = table_of(erins.get("/office-admin/orders_per_day/"))
    assert table[(moment.date() + timedelta(days=1)).isoformat()] == "1"
    assert table[moment.date().isoformat()] == "0"


def test_revenue_is_of_paid_orders_alone(erins):
    for back in (0, 2):
        order = order_on(days_ago(back), "10.00", status=Order.NEW)
        label = timezone.localtime(days_ago(back)).date().isoformat()
        assert table_of(erins.get("/office-admin/orders_per_day/"))[label] == "1"
        assert table_of(erins.get("/office-admin/revenue_per_day/"))[label] == "0.00"
        order.refresh_from_db()
        order.mark_paid()
        assert table_of(erins.get("/office-admin/revenue_per_day/"))[label] == "10.00"
        order.lines.get().mark(OrderLine.SENT)
        assert table_of(erins.get("/office-admin/revenue_per_day/"))[label] == "10.00"
        Order.objects.update(status=Order.NEW)
        assert table_of(erins.get("/office-admin/revenue_per_day/"))[label] == "0.00"


def test_revenue_is_what_was_charged_and_not_cancelled(erins):
    day = days_ago(2)
    order = order_on(day, "10.10", "0.20", "3.00")
    line = order.lines.get(price="3.00")
    label = timezone.localtime(day).date().isoformat()
    assert table_of(erins.get("/office-admin/revenue_per_day/"))[label] == "13.30"
    line.mark(OrderLine.CANCELLED)
    assert table_of(erins.get("/office-admin/revenue_per_day/"))[label] == "10.30"
    order.lines.filter(price="0.20").delete()
    assert table_of(erins.get("/office-admin/revenue_per_day/"))[label] == "10.10"
    Order.objects.filter(pk=order.pk).delete()
    assert table_of(erins.get("/office-admin/revenue_per_day/"))[label] == "0.00"


@pytest.mark.parametrize(("period", "expected"), [(30, "2"), (60, "3"), (90, "5")])
def test_most_bought_products_of_a_period(erins, period, expected):
    emma, rare = ProductFactory(name="Emma"), ProductFactory(name="Rare")
    order_on(days_ago(1), "1", "1", product=emma), order_on(days_ago(45), "1", product=emma)
    order_on(days_ago(75), "1", "1", product=emma), order_on(days_ago(200), "1", product=emma)
    order_on(days_ago(2), "1", product=rare)
    table = table_of(erins.post("/office-admin/most_bought_products/", {"period": period}))
    assert list(table.items()) == [("Emma", expected), ("Rare", "1")]


def test_book_bought_today_overtakes_the_leaders_of_before(erins, monkeypatch):
    monkeypatch.setattr(views, "MOST_BOOKS", 2)
    for name, before, today in (("First", 3, 0), ("Second", 2, 0), ("Rising", 1, 3), ("New", 0, 1)):
        product = ProductFactory(name=name)
        order_on(days_ago(1), *["1"] * before, product=product), order_on(days_ago(0), *["1"] * today, product=product)
    table = table_of(erins.get("/office-admin/most_bought_products/"))
    assert list(table.items()) == [("Rising", "4"), ("First", "3")]


def test_cancelled_books_were_not_bought(erins):
    order_on(days_ago(1), "1").lines.get().mark(OrderLine.CANCELLED)
    assert "Nothing was bought" in erins.get("/office-admin/most_bought_products/").content.decode()


def test_other_period_is_an_error(erins):
    page = erins.post("/office-admin/most_bought_products/", {"period": "7"}).content.decode()
    assert "Choose 30, 60 or 90 days." in page


def test_chart_has_the_figures_of_the_table(erins):
    order_on(days_ago(0), product=ProductFactory(name="</script><b>Emma"))
    OrderLineFactory(order=Order.objects.get(), product=ProductFactory(name="</script><b>Emma"))
    page = erins.get("/office-admin/most_bought_products/").content.decode()
    data = re.search(r'<script id="report-data" type="application/json">(.*?)</script>', page).group(1)
    assert json.loads(data)["labels"] == ["</script><b>Emma"]
    assert json.loads(data)["numbers"] == [1.0]
    assert "</script><b>Emma" not in page


def test_csv_has_all_rows_and_no_formulas(erins):
    order_on(days_ago(0), "1", product=ProductFactory(name='=HYPERLINK("http://evil")'))
    answer = erins.get("/office-admin/most_bought_products/?period=60&format=csv")
    text = answer.getvalue().decode("utf-8-sig")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    assert list(csv.reader(StringIO(text))) == [["Book", "Bought"], ['\'=HYPERLINK("http://evil")', "1"]]
    # Each in quotes, so that nothing in it ends a cell.
    assert text.splitlines()[0] == '"Book","Bought"'
    days = erins.get("/office-admin/orders_per_day/?format=csv").getvalue().decode("utf-8-sig")
    assert len(days.strip().splitlines()) == 181


@pytest.mark.parametrize(
    "text",
    [
        *("=1", "+1", "-1", "@a", "\t=1", "\r=1", "\tEmma", " =1", "\xa0 =1", "\n=1", "\x00=1", "\u3000-1"),
        *("\N{ZERO WIDTH SPACE}=1", "\ufeff=1", "\N{RIGHT-TO-LEFT MARK}@a", "\N{COMBINING ACUTE ACCENT}=1"),
        *("\N{FULLWIDTH EQUALS SIGN}1", "\N{FULLWIDTH PLUS SIGN}1", "\N{FULLWIDTH HYPHEN-MINUS}1", "\N{MINUS SIGN}1"),
        *("\N{FULLWIDTH COMMERCIAL AT}a", "\N{SMALL EQUALS SIGN}1", "\N{SUPERSCRIPT EQUALS SIGN}1"),
    ],
)
def test_formula_becomes_text(text):
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a;=1+1", "'a;'=1+1"),
        ("a; =1+1", "'a; '=1+1"),
        ("a\t\N{FULLWIDTH EQUALS SIGN}1", "'a\t'\N{FULLWIDTH EQUALS SIGN}1"),
        ("a\n@b", "'a\n'@b"),
    ],
)
def test_formula_in_what_another_country_takes_for_the_next_cell_becomes_text(text, safe):
    """Spreadsheets that separate by semicolons read ours as well."""
    assert safe_cell(text) == safe


@pytest.mark.parametrize("value", ["Emma", -3, Decimal("-12.50"), -0.5, None, "", "1 = 1", "E-mail", "a;b", "jo@b.c"])
def test_other_cells_stay_as_they_are(value):
    assert safe_cell(value) == value


def test_dispatch_has_no_reports(dans):
    assert dans.get("/dispatch-admin/orders_per_day/").status_code == 404
