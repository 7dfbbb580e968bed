"""A dispatcher scans an order's copies into a box, and sends it."""

import re
from contextlib import contextmanager, suppress
from functools import partial
from threading import Barrier, BrokenBarrierError
from types import SimpleNamespace

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.utils import timezone

from shop.models import Order, OrderLine, Parcel
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory
from tests.races import at_once, no_locks

EMMA, WALDEN = "9780141439587", "9780691096124"


@pytest.fixture
def boxed(alice):
    """Alice's paid order of two Emmas, a Walden without an ISBN of its own and one that is cancelled."""
    order = OrderFactory(user=alice, status=Order.PAID, billing_name="Secret Payer")
    emma = ProductFactory(name="Emma", isbn=EMMA)
    for product in (emma, emma, ProductFactory(name="Pamphlet")):
        OrderLineFactory(order=order, product=product, price="12.34")
    OrderLineFactory(order=order, product=ProductFactory(name="Walden", isbn=WALDEN), status=OrderLine.CANCELLED)
    return order


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def post(client, order, **fields):
    return text_of(client.post(f"/dispatch-admin/pack/{order.pk}/", fields, follow=True))


def test_copies_are_scanned_one_by_one_and_sent(dans, alices, boxed):
    assert "0 of 3 books in the box" in text_of(dans.get(f"/dispatch-admin/pack/{boxed.pk}/"))
    # With hyphens, and as the ten digits of old.
    assert "In the box: Emma" in post(dans, boxed, isbn="978-0-14-143958-7")
    assert "2 of 3 books in the box" in post(dans, boxed, isbn="0141439580")
    assert "Too many of Emma: all 2 copies are in the box already." in post(dans, boxed, isbn=EMMA)
    # From now on the shopper cannot call it off.
    assert "Cancel order" not in alices.get(f"/orders/{boxed.pk}/").content.decode()
    pamphlet = boxed.lines.get(name="Pamphlet").product_id
    page = post(dans, boxed, put=pamphlet)
    assert "3 of 3 books in the box: all there" in page
    assert "Secret" not in page and "12.34" not in page
    page = post(dans, boxed, carrier="Royal Mail", tracking_number="AB 1")
    assert "Sent: Royal Mail AB 1. The shopper is told." in page and f"Order {boxed.pk} is done" in page
    [parcel] = boxed.parcels.all()
    assert (parcel.label, parcel.lines.count()) == ("Royal Mail AB 1", 3)
    answer = dans.get(f"/dispatch-admin/pack/{boxed.pk}/")
    assert answer["Location"] == "/dispatch-admin/shop/order/"
    assert LogEntry.objects.get(object_id=boxed.pk).change_message == "Sent a parcel: Royal Mail AB 1"


@pytest.mark.parametrize(
    ("isbn", "said"),
    [
        ("978014143958", "is not an ISBN"), ("9780141439588", "its check digit is wrong"), ("\0", "is not an ISBN"),
        ("9780000000002", "9780000000002 is not in this order."),
        (WALDEN, "Walden is cancelled already: leave it out."),
    ],
)  # fmt: skip
def test_what_does_not_belong_into_the_box_is_refused(dans, boxed, isbn, said):
    assert said in post(dans, boxed, isbn=isbn)
    assert not boxed.lines.packed().exists()


def test_what_was_put_in_by_mistake_is_taken_out_and_the_rest_sent_later(dans, boxed):
    assert "The box is empty" in post(dans, boxed, carrier="DHL", tracking_number="")
    emma, pamphlet = (boxed.lines.filter(name=name).first().product_id for name in ("Emma", "Pamphlet"))
    post(dans, boxed, isbn=EMMA), post(dans, boxed, put=pamphlet)
    assert "Taken out: Emma" in post(dans, boxed, take=emma)
    assert "No copy of this book lies in the box." in post(dans, boxed, take=emma)
    assert "This field is required." in post(dans, boxed, carrier="", tracking_number="1")
    page = post(dans, boxed, carrier="DHL", tracking_number="")
    assert "0 of 2 books in the box. 1 of this order was sent before." in page
    assert list(Parcel.objects.get().lines.values_list("name", flat=True)) == ["Pamphlet"]


def test_order_that_is_not_paid_has_no_box(dans, order):
    assert dans.get(f"/dispatch-admin/pack/{order.pk}/").status_code == 404


@pytest.fixture
def single(transactional_db):
    return OrderLineFactory(order__status=Order.PAID, product=ProductFactory(isbn=EMMA)).order


def scan(order):
    try:
        return order.pack_isbn(EMMA).pk
    except ValidationError as error:
        return error.messages[0]


@contextmanager
def meeting(monkeypatch, patience):
    """Two who scan a copy meet after they found it."""
    door = Barrier(2)

    def wait_and_tell():
        with suppress(BrokenBarrierError):  # the other is held up by a lock
            door.wait(timeout=patience)
        return timezone.now()

    with monkeypatch.context() as patch:
        patch.setattr("shop.models.order_parcels.timezone", SimpleNamespace(now=wait_and_tell))
        yield


def both_scan(order):
    return at_once(*[partial(scan, Order.objects.get(pk=order.pk)) for _ in range(2)])


def test_of_two_who_scan_the_last_copy_at_once_one_is_told(single, monkeypatch):
    with meeting(monkeypatch, patience=0.5):
        said = both_scan(single)
    assert sorted(map(type, said), key=str) == [int, str]


@pytest.mark.postgres
def test_control_without_the_lock_both_believe_it_was_theirs(single, monkeypatch):
    with meeting(monkeypatch, patience=30), no_locks(monkeypatch):
        said = both_scan(single)
    assert list(map(type, said)) == [int, int]
