"""An order of 500 lines is read and saved in every office, and costs no list more than its titles."""

from contextlib import contextmanager, suppress
from functools import partial
from threading import Barrier, BrokenBarrierError
from urllib.parse import urlencode

import pytest
from django import forms
from django.db.models.signals import post_init
from django.forms.renderers import get_default_renderer
from django.test import Client
from django.test.html import parse_html

from shop.models import Order, OrderLine, Product
from staff.admin.plain_widgets import PLAIN_WIDGETS
from support.models import DeviceToken
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory
from tests.races import at_once, no_locks
from tests.staff.forms import change, form_of, texts_of

FORM = "order_form"
OFFICES = [("olga", "admin"), ("erin", "office-admin"), ("dan", "dispatch-admin")]
NEW, PROCESSING, SENT, CANCELLED = OrderLine.Status


@pytest.fixture
def large(alice):
    """Alice's paid order of 100 titles, five of each."""
    order = OrderFactory(user=alice, status=Order.PAID)
    books = Product.objects.bulk_create(Product(name=f"Volume {n:03}", slug=f"volume-{n}", price=1) for n in range(100))
    OrderLine.objects.bulk_create(OrderLine(order=order, product=book, price=1) for book in books for _ in range(5))
    return order


def path_of(office, order):
    return f"/{office}/shop/order/{order.pk}/change/"


def send(client, path, fields):
    """As a browser does."""
    return client.post(path, urlencode(fields), content_type="application/x-www-form-urlencoded")


def statuses(order):
    return list(order.lines.order_by("pk").values_list("status", flat=True))


@pytest.mark.parametrize(("person", "office"), OFFICES)
def test_is_read_and_saved_in_every_office(client_of, large, person, office, request, django_assert_max_num_queries):
    client, path = client_of(request.getfixturevalue(person)), path_of(office, large)
    with django_assert_max_num_queries(12):
        fields = form_of(client.get(path), FORM)
    assert "lines-499-status" in fields
    # Some send along what is only shown.
    fields |= {f"lines-{n}-{name}": "1.00" for n in range(500) for name in ("price", "product")}
    fields |= {"lines-499-status": SENT, "lines-7-carrier": "Royal Mail", "shipping_city": "Haworth"}
    # Its parcel and the mail about it are a dozen, however many lines are in it.
    with django_assert_max_num_queries(46):
        assert send(client, path, fields).status_code == 302
    assert statuses(large) == [NEW] * 499 + [SENT]
    assert [line.carrier for line in large.lines.order_by("pk")[6:9]] == ["", "Royal Mail", ""]
    large.refresh_from_db()
    assert large.shipping_city == "Haworth"


def test_all_of_its_lines_are_saved_together(dans, large, django_assert_max_num_queries):
    path = path_of("dispatch-admin", large)
    fields = form_of(dans.get(path), FORM)
    fields |= {f"lines-{n}-status": SENT if n % 2 else CANCELLED for n in range(500)}
    fields |= {f"lines-{n}-tracking_number": f"RM{n}" for n in range(500)}
    # A parcel for each number, and so a mail.
    with django_assert_max_num_queries(60):
        send(dans, path, fields)
    assert statuses(large) == [CANCELLED, SENT] * 250
    assert large.lines.get(tracking_number="RM3").status == SENT
    large.refresh_from_db()
    assert large.status == Order.DONE


def test_action_marks_them_together(erins, large, django_assert_max_num_queries):
    data = {"action": "mark_lines_sent", "_selected_action": [large.pk]}
    with django_assert_max_num_queries(46):
        erins.post("/office-admin/shop/order/", data)
    large.refresh_from_db()
    assert (large.status, set(statuses(large))) == (Order.DONE, {SENT})


@pytest.fixture
def older(parcel, monkeypatch):
    """An order from before there was a limit, which is 3 lines here; it has 8."""
    monkeypatch.setattr("staff.admin.order_lines.LINES_A_PAGE", 3)
    OrderLineFactory.create_batch(5, order=parcel)
    return parcel


@pytest.mark.parametrize(("person", "office"), OFFICES)
def test_order_beyond_the_limit_is_shown_and_saved_in_parts(client_of, older, person, office, request):
    client, path = client_of(request.getfixturevalue(person)), path_of(office, older)
    page = client.get(path).content.decode()
    assert "This order has 8 lines. Shown, and saved, are 1 to 3." in page
    assert 'href="?lines=2"' in page and 'href="?lines=3"' in page and "lines-3-status" not in page
    change(client, f"{path}?lines=3", FORM, **{"lines-1-status": SENT})
    assert statuses(older) == [NEW] * 7 + [SENT]
    change(client, path, FORM, **{f"lines-{n}-status": SENT for n in range(3)})
    assert statuses(older) == [SENT] * 3 + [NEW] * 4 + [SENT]
    older.refresh_from_db()
    assert older.status == Order.PAID
    change(client, f"{path}?lines=2", FORM, **{f"lines-{n}-status": SENT for n in range(3)})
    change(client, f"{path}?lines=3", FORM, **{"lines-0-status": SENT})
    older.refresh_from_db()
    assert older.status == Order.DONE


@pytest.mark.parametrize("page", ["0", "99", "x", "9" * 5000])
def test_part_that_there_is_not_is_the_nearest(erins, older, page):
    assert "lines-0-status" in erins.get(path_of("office-admin", older), {"lines": page}).content.decode()


def test_small_order_has_no_parts(erins, parcel):
    assert "Shown, and saved" not in erins.get(path_of("office-admin", parcel)).content.decode()


def test_form_of_dispatch_leads_to_no_invoice(dans, parcel):
    assert "invoice" not in dans.get(path_of("dispatch-admin", parcel)).content.decode().lower()


def test_office_adds_no_more_than_an_order_holds(erins, large):
    path = path_of("office-admin", large)
    fields = form_of(erins.get(path), FORM) | {"lines-TOTAL_FORMS": 501}
    fields |= {"lines-500-product": ProductFactory().pk, "lines-500-status": NEW, "lines-500-order": large.pk}
    fields |= {"lines-500-id": "", "lines-500-price": ""}
    assert "An order holds at most 500 books." in send(erins, path, fields).content.decode()
    assert large.lines.count() == 500


def test_line_that_somebody_removed_meanwhile_is_an_error(erins, parcel):
    path = path_of("office-admin", parcel)
    fields = form_of(erins.get(path), FORM)
    parcel.lines.first().delete()
    assert "Somebody removed a line meanwhile" in send(erins, path, fields).content.decode()


def test_line_that_somebody_sent_meanwhile_is_named(erins, parcel, monkeypatch):
    path = path_of("office-admin", parcel)
    fields = form_of(erins.get(path), FORM) | {"lines-0-status": PROCESSING}
    lock = Order.lock

    def too_late(self):
        parcel.lines.first().mark(SENT)
        lock(self)

    monkeypatch.setattr(Order, "lock", too_late)
    answer = erins.post(path, fields, follow=True)
    assert "A line that is sent cannot become processing. It is final." in texts_of(answer)
    assert statuses(parcel) == [SENT, NEW, NEW]


def test_visitor_who_sends_more_fields_than_any_form_has_is_refused(client, db):
    many = urlencode([(f"field{n}", "x") for n in range(5001)])
    answer = client.post("/contact-us/", many, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("widget", "value", "attrs"),
    [
        (forms.TextInput(), 'a"<b>', {"maxlength": "60", "class": "vText", "required": True, "disabled": False}),
        (forms.TextInput(), None, {}),
        (forms.NumberInput(), 1.5, {"step": "0.01"}),
        (forms.HiddenInput(), 3, {"id": "x"}),
        (forms.CheckboxInput(), True, {"id": "x"}),
        (forms.CheckboxInput(), False, {}),
        (forms.Select(choices=[("", "-"), (10, "New <1>"), (20, "Sent")]), 20, {"required": True, "id": "x"}),
    ],
)
def test_fields_look_as_django_writes_them(widget, value, attrs):
    plain, usual = (
        widget.render("lines-0-x", value, attrs, renderer) for renderer in (PLAIN_WIDGETS, get_default_renderer())
    )
    assert parse_html(plain) == parse_html(usual)


@pytest.fixture
def lines_made():
    """The order lines that were made of rows since."""
    made = []

    def note(sender, instance, **kwargs):
        made.append(instance)

    post_init.connect(note, sender=OrderLine, weak=False)
    yield made
    post_init.disconnect(note, sender=OrderLine)


@pytest.mark.parametrize(
    ("person", "path", "most"),
    [
        ("alice", "/orders/", 100), ("alice", "/orders/{}/", 600), ("alice", "/mobile-api/my-orders/?with=stage", 100),
        ("erin", "/customer-service/{}/", 600), ("erin", "/order-dashboard/", 1),
        ("erin", "/office-admin/shop/order/", 1), ("dan", "/dispatch-admin/shop/order/", 1),
        ("erin", "/order-dashboard/export/", 1),
    ],
)  # fmt: skip
def test_pages_read_a_title_and_not_each_copy(client_of, large, lines_made, person, path, most, request):
    person = request.getfixturevalue(person)
    client = client_of(person)
    if path.startswith("/mobile-api"):
        client = Client(headers={"Authorization": f"Token {DeviceToken.objects.issue(person, 'Phone')[1]}"})
    lines_made.clear()
    answer = client.get(path.format(large.pk))
    assert answer.status_code == 200 and answer.getvalue()
    assert 0 < len(lines_made) <= most


def test_figures_of_the_lists_are_those_of_all_lines(erins, dans, order):
    order.lines.update(price="0.10")
    order.mark_paid()
    order.lines.first().mark(SENT)
    page = erins.get("/office-admin/shop/order/").content.decode()
    assert "£0.30" in page
    assert "£0.30" in erins.get("/order-dashboard/").content.decode()
    assert "1 of 3" in dans.get("/dispatch-admin/shop/order/").content.decode()
    order.lines.all().delete()
    assert "£0.00" in erins.get("/order-dashboard/").content.decode()


@contextmanager
def meeting(monkeypatch, patience):
    """Two who mark a line meet after they looked at it."""
    door, look = Barrier(2), OrderLine.why_not

    def look_and_wait(now, new):
        with suppress(BrokenBarrierError):  # the other is held up by a lock
            door.wait(timeout=patience)
        return look(now, new)

    with monkeypatch.context() as patch:
        patch.setattr(OrderLine, "why_not", look_and_wait)
        yield


def marks_at_once(order):
    (pk,) = order.lines.values_list("pk", flat=True)
    one, other = Order.objects.get(), Order.objects.get()
    return at_once(partial(one.mark_lines, {pk: SENT}), partial(other.mark_lines, {pk: CANCELLED}))


@pytest.fixture
def single(transactional_db):
    return OrderLineFactory(order__status=Order.PAID).order


def test_of_two_who_mark_a_line_at_once_one_is_told(single, monkeypatch):
    with meeting(monkeypatch, patience=0.5):
        marked = marks_at_once(single)
    assert sorted((len(each.changed), len(each.refused)) for each in marked) == [(0, 1), (1, 0)]


@pytest.mark.postgres
def test_control_without_the_lock_both_believe_it_was_they(single, monkeypatch):
    with meeting(monkeypatch, patience=30), no_locks(monkeypatch):
        marked = marks_at_once(single)
    assert [len(each.changed) for each in marked] == [1, 1]
