import pytest
from django.core.exceptions import ValidationError

from shop.models import Order, OrderLine
from tests.factories import OrderFactory, OrderLineFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(client, alice):
    client.force_login(alice)
    order = OrderFactory(user=alice)
    OrderLineFactory.create_batch(2, order=order)
    return order


def cancel(client, order):
    return client.post(f"/orders/{order.pk}/cancel/", follow=True)


def lines(order):
    return {line.status for line in OrderLine.objects.filter(order=order)}


def test_shopper_cancels_what_nobody_packs_yet(client, order):
    assert f'action="/orders/{order.pk}/cancel/"' in client.get(f"/orders/{order.pk}/").content.decode()
    answer = cancel(client, order)
    assert answer.redirect_chain == [(f"/orders/{order.pk}/", 302)]
    page = answer.content.decode()
    assert f"Order {order.pk} is cancelled." in page and "This order was cancelled on" in page
    assert f'action="/orders/{order.pk}/cancel/"' not in page
    assert lines(order) == {OrderLine.CANCELLED}
    order.refresh_from_db()
    assert order.is_cancelled and order.status == Order.NEW


def test_paid_order_that_is_cancelled_is_done(client, order):
    order.mark_paid()
    cancel(client, order)
    order.refresh_from_db()
    assert order.is_cancelled and order.status == Order.DONE


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (OrderLine.PROCESSING, "This order is being processed and can no longer be cancelled."),
        (OrderLine.SENT, "Part of this order was sent already, so it can no longer be cancelled."),
    ],
)
def test_order_that_is_being_packed_is_not_cancelled(client, order, status, reason):
    order.lines.first().mark(status)
    assert f'action="/orders/{order.pk}/cancel/"' not in client.get(f"/orders/{order.pk}/").content.decode()
    assert reason in cancel(client, order).content.decode()
    assert lines(order) == {OrderLine.NEW, status}
    order.refresh_from_db()
    assert not order.is_cancelled


@pytest.mark.parametrize("is_paid", [False, True])
def test_rest_of_an_order_is_cancelled_where_a_book_was_called_off_already(client, order, is_paid):
    if is_paid:
        order.mark_paid()
    order.lines.first().mark(OrderLine.CANCELLED)
    page = client.get(f"/orders/{order.pk}/").content.decode()
    assert f'action="/orders/{order.pk}/cancel/"' in page and "Cancel the 1 book?" in " ".join(page.split())
    assert f"Order {order.pk} is cancelled." in cancel(client, order).content.decode()
    assert lines(order) == {OrderLine.CANCELLED}
    order.refresh_from_db()
    assert order.is_cancelled and order.status == (Order.DONE if is_paid else Order.NEW)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (OrderLine.SENT, "This order was sent already, so it can no longer be cancelled."),
        (OrderLine.CANCELLED, "Every book of this order is cancelled already."),
    ],
)
def test_order_of_which_nothing_is_left_says_what_is_true(client, order, status, reason):
    order.mark_paid()
    for line in order.lines.all():
        line.mark(status)
    assert f'action="/orders/{order.pk}/cancel/"' not in client.get(f"/orders/{order.pk}/").content.decode()
    page = cancel(client, order).content.decode()
    assert reason in page and "being processed" not in page


def test_packing_that_began_after_the_page_was_read_is_noticed(order):
    stale = Order.objects.for_page().get(pk=order.pk)
    assert stale.can_cancel()
    order.lines.first().mark(OrderLine.PROCESSING)
    with pytest.raises(ValidationError):
        stale.cancel()


def test_cancelled_twice_is_cancelled_once(client, order):
    cancel(client, order)
    first = Order.objects.get().date_cancelled
    assert "is cancelled" in cancel(client, order).content.decode()
    assert Order.objects.get().date_cancelled == first


def test_cancelled_order_cannot_be_paid(order):
    order.cancel()
    with pytest.raises(ValidationError, match="was cancelled"):
        order.mark_paid()


def test_outsider_gets_404(client_of, order, bob):
    assert client_of(bob).post(f"/orders/{order.pk}/cancel/").status_code == 404
    assert lines(order) == {OrderLine.NEW}


def test_visitor_is_led_to_the_login(client_of, order):
    assert client_of().post(f"/orders/{order.pk}/cancel/").url.startswith("/login/")


def test_order_cancelled_line_by_line_cannot_be_paid(order):
    for line in order.lines.all():
        line.mark(OrderLine.CANCELLED)
    with pytest.raises(ValidationError, match="was cancelled"):
        Order.objects.get().mark_paid()
    assert Order.objects.get().status == Order.NEW
