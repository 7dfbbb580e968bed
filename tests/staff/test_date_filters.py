"""Days are those of the shop, in London: also in summer, and when the clocks change."""

import csv
import re
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import timezone

from shop.models import Order, OrderLine
from staff.models import SalesSummary
from support.models import ChatMessage
from tests.factories import OrderFactory, OrderLineFactory

# The first moment of a day and its last second, in UTC. On 29 March an hour is missing, on 25 October one comes twice.
DAYS = {
    "2026-03-28": ("2026-03-28T00:00:00Z", "2026-03-28T23:59:59Z"),
    "2026-03-29": ("2026-03-29T00:00:00Z", "2026-03-29T22:59:59Z"),
    "2026-03-30": ("2026-03-29T23:00:00Z", "2026-03-30T22:59:59Z"),
    "2026-07-02": ("2026-07-01T23:00:00Z", "2026-07-02T22:59:59Z"),
    "2026-10-24": ("2026-10-23T23:00:00Z", "2026-10-24T22:59:59Z"),
    "2026-10-25": ("2026-10-24T23:00:00Z", "2026-10-25T23:59:59Z"),
    "2026-10-26": ("2026-10-26T00:00:00Z", "2026-10-26T23:59:59Z"),
}
ROW = re.compile(r"<tr><td>(.*?)</td><td[^>]*>(.*?)</td></tr>")


@pytest.fixture
def at(monkeypatch):
    """`at("2026-07-02T12:00:00Z")`: it is this moment, and stays so."""

    def stop(moment):
        now = datetime.fromisoformat(moment)
        monkeypatch.setattr(timezone, "now", lambda: now)

    return stop


def order_at(moment, **values):
    order = OrderFactory(status=Order.PAID, **values)
    OrderLineFactory(order=order, price="10.00")
    Order.objects.filter(pk=order.pk).update(date_added=moment, date_updated=moment)
    return order


def listed(answer):
    return sorted(set(map(int, re.findall(r"shop/order/(\d+)/change/", answer.content.decode()))))


def report(client, name):
    return dict(ROW.findall(client.get(f"/office-admin/{name}/").content.decode()))


@pytest.fixture
def night(alice, at):
    """Alice's order of half past midnight on 2 July."""
    at("2026-07-05T12:00:00Z")
    return order_at("2026-07-01T23:30:00Z", user=alice)


def test_every_page_has_the_day_of_the_shop(erins, dans, alices, night):
    for browser, path, text in (
        (alices, f"/orders/{night.pk}/", "2 July 2026"),
        (alices, "/orders/", "2 July 2026"),
        (erins, f"/office-admin/invoice/{night.pk}/", "2 July 2026"),
        (erins, f"/customer-service/{night.pk}/", "Placed on 2 July 2026"),
        (erins, "/order-dashboard/", "2 Jul 2026, 00:30"),
        (erins, "/office-admin/shop/order/", "2 Jul 2026, 00:30"),
        (erins, f"/office-admin/shop/order/{night.pk}/change/", "2 Jul 2026, 00:30"),
        (dans, "/dispatch-admin/shop/order/", "2 Jul 2026, 00:30"),
    ):
        page = browser.get(path).content.decode()
        assert text in page, path
        assert not re.search(r"\b1 Jul", page), path


def test_file_of_the_dashboard_has_the_time_of_the_shop(erins, night):
    [_, row] = csv.reader(StringIO(erins.get("/order-dashboard/export/").getvalue().decode("utf-8-sig")))
    assert row[-2:] == ["2026-07-02T00:30:00+01:00"] * 2


def test_reports_count_it_on_the_day_of_the_shop(erins, night):
    for name, none, number in (("orders_per_day", "0", "1"), ("revenue_per_day", "0.00", "10.00")):
        table = report(erins, name)
        assert (table["2026-07-01"], table["2026-07-02"]) == (none, number)


@pytest.mark.parametrize(("browser", "office"), [("erins", "office-admin"), ("dans", "dispatch-admin")])
def test_offices_find_it_under_the_day_of_the_shop(request, night, browser, office):
    for day, expected in ((1, []), (2, [night.pk])):
        query = f"date_added__year=2026&date_added__month=7&date_added__day={day}"
        assert listed(request.getfixturevalue(browser).get(f"/{office}/shop/order/?{query}")) == expected


def test_programs_get_utc(alices, night, dispatch):
    assert dispatch.get(f"/api/orders/{night.pk}/").json()["date_added"] == "2026-07-01T23:30:00Z"
    assert alices.get("/mobile-api/my-orders/").json()[0]["date_added"] == "2026-07-01T23:30:00Z"
    alices.post(f"/mobile-api/my-orders/{night.pk}/messages/", {"message": "Hello"})
    ChatMessage.objects.update(sent_at="2026-07-01T23:30:00Z")
    [message] = alices.get(f"/mobile-api/my-orders/{night.pk}/messages/").json()
    assert message["sent_at"] == "2026-07-01T23:30:00Z"


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("past", [True, False], ids=["counted later", "counted on the day"])
def test_day_begins_and_ends_when_it_does_in_london(erins, at, day, past):
    first, last = map(datetime.fromisoformat, DAYS[day])
    at("2026-10-31T12:00:00Z" if day > "2026-10" else f"{day[:5]}{int(day[5:7]) + 1:02}-10T12:00:00Z")
    if not past:
        at(last.isoformat())
    for moment in (first.timestamp() - 1, first.timestamp(), last.timestamp()):
        order_at(datetime.fromtimestamp(moment, UTC))
    if past:
        order_at(datetime.fromtimestamp(last.timestamp() + 1, UTC))
    assert (report(erins, "orders_per_day")[day], report(erins, "revenue_per_day")[day]) == ("2", "20.00")
    year, month, number = map(int, day.split("-"))
    query = f"date_added__year={year}&date_added__month={month}&date_added__day={number}"
    assert len(listed(erins.get(f"/office-admin/shop/order/?{query}"))) == 2


def test_both_hours_of_the_night_the_clocks_go_back_are_found(erins, dispatch):
    summer, winter = order_at("2026-10-25T00:30:00Z"), order_at("2026-10-25T01:30:00Z")
    both = {summer.pk, winter.pk}
    assert erins.get("/order-dashboard/").content.decode().count("25 Oct 2026, 01:30") == 4
    for query, expected in (
        ("date_added__gt=2026-10-25T01:15&date_added__lt=2026-10-25T01:45", both),
        ("date_added__gt=2026-10-25&date_added__lt=2026-10-26", both),
        ("date_added__gt=2026-10-25T01:00:00Z", {winter.pk}),
        ("date_added__lt=2026-10-25T01:45:00%2B01:00", {summer.pk}),
    ):
        assert set(listed(erins.get(f"/order-dashboard/?{query}"))) == expected
        assert {order["id"] for order in dispatch.get(f"/api/orders/?{query}").json()["results"]} == expected


def test_hour_that_the_clocks_skip_is_no_error(erins, dispatch):
    before, after = order_at("2026-03-29T00:15:00Z"), order_at("2026-03-29T01:45:00Z")
    for lookup, expected in (("gt", after), ("lt", before)):
        query = f"date_added__{lookup}=2026-03-29T01:30"
        assert listed(erins.get(f"/order-dashboard/?{query}")) == [expected.pk]
        assert [order["id"] for order in dispatch.get(f"/api/orders/?{query}").json()["results"]] == [expected.pk]


def test_sums_of_another_definition_are_counted_anew(erins, night):
    assert report(erins, "revenue_per_day")["2026-07-02"] == "10.00"
    # As they stood before: by the time zone alone, and with what was not paid.
    SalesSummary.objects.update(time_zone="Europe/London")
    night.lines.all().delete()
    night.lines.create(product=OrderLineFactory(order=OrderFactory()).product, price="7.00", status=OrderLine.SENT)
    assert report(erins, "revenue_per_day")["2026-07-02"] == "7.00"


def test_offices_write_the_time_in_one_way(erins, dans, olgas, olga, at, order):
    at("2026-07-01T14:11:00Z")
    order.cancel()
    parcel = order_at("2026-07-01T14:11:00Z")
    LogEntry.objects.log_actions(olga.pk, [order], CHANGE, "Looked at it")
    LogEntry.objects.update(action_time=timezone.now())
    LogEntry.objects.log_actions(dans.get("/dispatch-admin/").wsgi_request.user.pk, [parcel], CHANGE, "Packed it")
    LogEntry.objects.update(action_time=timezone.now())
    for browser, path in (
        (erins, f"/office-admin/shop/order/{order.pk}/change/"),
        (olgas, f"/admin/shop/order/{order.pk}/history/"),
        (dans, f"/dispatch-admin/shop/order/{parcel.pk}/history/"),
        (olgas, "/admin/shop/user/"),
        (erins, "/office-admin/shop/product/"),
        (erins, "/order-dashboard/"),
    ):
        page = browser.get(path).content.decode()
        assert "1 Jul 2026, 15:11" in page or "/shop/user/" in path or "/shop/product/" in path, path
        assert re.search(r"\d{1,2} \w{3} \d{4}, \d\d:\d\d", page), path
        assert not re.search(r"\b[ap]\.m\.", page), path
