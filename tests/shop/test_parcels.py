"""Whatever is sent is in a parcel, however it was said, and its shopper is mailed once for each."""

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from shop.models import Order, OrderLine, OutgoingMail, Parcel
from shop.payments import earlier_release
from shop.values.carriers import tracking_link
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory
from tests.shop.test_order_completion import WAYS

pytestmark = pytest.mark.django_db
SENT = OrderLine.SENT


@pytest.fixture
def order(alice):
    """Alice's paid order of two Emmas, a Persuasion and a Walden."""
    order = OrderFactory(user=alice, status=Order.PAID, site="https://shop.example")
    emma = ProductFactory(name="Emma", format="paperback")
    for product in (emma, emma, ProductFactory(name="Persuasion"), ProductFactory(name="Walden")):
        OrderLineFactory(order=order, product=product)
    return order


def mails(order):
    return list(OutgoingMail.objects.filter(key__startswith=f"order-sent-{order.pk}-").order_by("pk"))


def parcels(order):
    """Each parcel's label, and how many lines are in it."""
    return [(parcel.label, parcel.lines.count()) for parcel in order.parcels.all()]


@pytest.mark.parametrize("way", WAYS)
def test_sent_line_is_in_a_parcel_however_it_was_said(alice, way):
    order = OrderFactory(user=alice, status=Order.PAID)
    way(OrderLineFactory(order=order), SENT)
    assert parcels(order) == [("", 1)]
    assert [mail.to for mail in mails(order)] == ["alice@example.com"]


def test_lines_that_leave_one_by_one_with_one_number_are_one_parcel_and_one_mail(order):
    for line in order.lines.all()[:3]:
        line.track(carrier="Royal Mail", tracking_number="AB 123")
        line.mark(SENT)
    assert parcels(order) == [("Royal Mail AB 123", 3)]
    [mail] = mails(order)
    assert mail.subject == f"A parcel of your order {order.pk} is on its way"
    for text in (mail.text, mail.html):
        assert "Royal Mail" in text and "AB 123" in text and "royalmail.com" in text and "AB123" in text
        assert "Emma (paperback)" in text and "The rest of your order follows" in text
        assert f"https://shop.example/orders/{order.pk}/" in text
    assert [event.text for event in order.story() if event.kind == "sent"] == ["Royal Mail AB 123"]


def test_what_leaves_without_a_number_is_one_parcel_an_hour(order):
    first, second, third, _ = order.lines.all()
    first.mark(SENT), second.mark(SENT)
    assert parcels(order) == [("", 2)]
    Parcel.objects.update(date_sent=timezone.now() - timedelta(minutes=61))
    third.mark(SENT)
    assert parcels(order) == [("", 2), ("", 1)]
    assert len(mails(order)) == 2


def test_lines_of_several_numbers_that_leave_together_are_as_many_parcels(order, django_assert_max_num_queries):
    for number, line in enumerate(order.lines.all()):
        line.track(carrier="DHL", tracking_number=str(number % 2))
    with django_assert_max_num_queries(25):
        order.lines.update(status=SENT)
    assert parcels(order) == [("DHL 0", 2), ("DHL 1", 2)]
    one, other = mails(order)
    assert "Emma" in one.text and "Persuasion" in one.text and "Walden" not in one.text
    assert "Walden" in other.text and "The rest" not in other.text


def test_corrected_number_is_that_of_the_whole_parcel_and_mails_nobody_again(order):
    order.send_parcel("DHL", "1", [line.pk for line in order.lines.all()[:2]])
    assert order.lines.last().track(carrier="GLS")  # which is not sent yet
    assert order.lines.first().track(tracking_number="2")
    assert parcels(order) == [("DHL 2", 2)]
    assert list(order.lines.values_list("carrier", "tracking_number")) == [("DHL", "2")] * 2 + [("", ""), ("GLS", "")]
    assert len(mails(order)) == 1


def test_what_the_release_before_sent_comes_into_parcels(order):
    QuerySet(OrderLine).filter(order=order).update(status=SENT, carrier="UPS")
    for _ in range(2):
        earlier_release.mend()
    assert parcels(order) == [("UPS", 4)]
    assert len(mails(order)) == 1


def test_what_was_sent_before_there_were_parcels_comes_into_some_unmailed(order):
    lines = QuerySet(OrderLine).filter(order=order)
    lines.update(status=SENT)
    lines.filter(pk=order.lines.last().pk).update(carrier="UPS", tracking_number="1")
    migration = import_module("shop.migrations.0019_parcels_of_before")
    for _ in range(2):
        migration.parcels(apps, SimpleNamespace(connection=connection))
    assert parcels(order) == [("", 3), ("UPS 1", 1)]
    assert order.parcels.last().date_sent == order.lines.last().date_updated
    assert not mails(order)


def test_order_page_shows_each_parcel_with_its_books_and_where_it_is(client, order):
    client.force_login(order.user)
    lines = list(order.lines.all())
    order.send_parcel("royal-mail", "AB/1", [line.pk for line in lines[:2]])
    assert "Parcel 1 of" not in client.get(f"/orders/{order.pk}/").content.decode()
    order.send_parcel("Aunt Mary", "blue bag", [lines[2].pk])
    page = client.get(f"/orders/{order.pk}/").content.decode()
    assert "Parcel 1 of 2, sent on" in page and "<li>2 × Emma</li>" in page and "Parcel 2 of 2, sent on" in page
    assert 'href="https://www.royalmail.com/track-your-item#/tracking-results/AB%2F1"' in page
    assert "with Aunt Mary" in page and "blue bag" in page


@pytest.mark.once
@pytest.mark.parametrize(
    ("carrier", "link"),
    [
        ("Evri", "https://www.evri.com/track/parcel/A%261"), (" an  POST ", "A%261"), ("D.H.L.", "dhl.com"),
        ("Deutsche Post / DHL", "dhl.de"), ("Parcelforce", "parcelforce.com"), ("Aunt Mary", ""), ("", ""),
    ],
)  # fmt: skip
def test_known_carriers_say_where_a_parcel_is(carrier, link):
    made = tracking_link(carrier, "A& 1")
    assert link in made and bool(made) == bool(link)
    assert tracking_link(carrier, " ") == ""


def test_numbers_that_come_later_tell_parcels_apart(order):
    first, second = order.lines.all()[:2]
    for line in (first, second):
        line.mark(SENT)
    assert parcels(order) == [("", 2)]
    first.track(carrier="DPD", tracking_number="1")
    second.track(carrier="DPD", tracking_number="2")
    assert sorted(parcels(order)) == [("DPD 1", 1), ("DPD 2", 1)]
    assert [line.tracking for line in order.lines.all()[:2]] == ["DPD 1", "DPD 2"]
    assert len(mails(order)) == 1


def test_order_cancelled_line_by_line_is_mailed_once(order):
    for line in order.lines.all():
        line.mark(OrderLine.CANCELLED)
    [mail] = OutgoingMail.objects.filter(key=f"order-cancelled-{order.pk}")
    assert mail.to == "alice@example.com"
