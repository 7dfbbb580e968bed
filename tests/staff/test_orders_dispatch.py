import pytest
from django.contrib.admin.models import CHANGE, LogEntry

from shop.models import Order, OrderLine, Product
from tests.factories import OrderFactory, ProductFactory
from tests.staff.forms import change, form_of, texts_of

LIST = "/dispatch-admin/shop/order/"
SECRETS = ("Secret Payer", "9 Hidden Court", "ZZ9 9ZZ", "Moneytown", "alice@example.com", "12.34", "37.02")


def path_of(order):
    return f"{LIST}{order.pk}/change/"


def test_dispatcher_sees_parcels_only(dans, order):
    assert f"{order.pk}/change/" not in dans.get(LIST).content.decode()
    answer = dans.get(path_of(order), follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert texts_of(answer) == [f"Order {order.pk} is not waiting for dispatch."]
    order.mark_paid()
    assert f"{order.pk}/change/" in dans.get(LIST).content.decode()
    assert dans.get(path_of(order)).status_code == 200


@pytest.mark.parametrize("page", ["", "{pk}/change/", "{pk}/history/", "?q={pk}", "?q=Jane"])
def test_no_page_of_dispatch_holds_billing_data(dans, olgas, olga, parcel, page):
    change(olgas, f"/admin/shop/order/{parcel.pk}/change/", "order_form", billing_city="Moneytown ")
    LogEntry.objects.log_actions(olga.pk, [parcel], CHANGE, "Told Secret Payer, 9 Hidden Court")
    text = dans.get(LIST + page.format(pk=parcel.pk)).content.decode()
    assert f"Order {parcel.pk}" in text or f"{parcel.pk}/change/" in text
    for secret in SECRETS:
        assert secret not in text


@pytest.mark.parametrize(
    "lookup",
    [
        "billing_name__startswith=Secret", "billing_city=Moneytown", "user__email__startswith=alice", "user=1",
        "user__password__startswith=a", "lines__price=12.34", "lines__price__gte=1", "status__exact=10",
        "last_spoken_to=1", "basket__user__email=x", "shipping_name__in=x",
    ],
)  # fmt: skip
def test_list_cannot_be_filtered_by_what_dispatch_may_not_know(dans, parcel, lookup):
    assert dans.get(f"{LIST}?{lookup}").status_code == 400


@pytest.mark.parametrize("search", ["Secret", "alice@example.com", "Moneytown", "9 Hidden"])
def test_search_does_not_look_at_billing_data(dans, parcel, search):
    assert f"{parcel.pk}/change/" not in dans.get(LIST, {"q": search}).content.decode()


def test_dispatcher_filters_by_country(dans, parcel):
    assert f"{parcel.pk}/change/" in dans.get(f"{LIST}?shipping_country__exact=uk").content.decode()
    assert f"{parcel.pk}/change/" not in dans.get(f"{LIST}?shipping_country__exact=us").content.decode()


def test_last_line_sent_completes_the_order_and_leads_to_the_list(dans, parcel):
    sent = {f"lines-{n}-status": "30" for n in range(3)}
    answer = change(dans, path_of(parcel), "order_form", **sent, _continue="1")
    parcel.refresh_from_db()
    assert parcel.status == Order.DONE
    assert answer.redirect_chain[-1][0] == LIST
    assert f"Order {parcel.pk} is done: all of its lines are sent or cancelled." in texts_of(answer)


def test_dispatcher_notes_the_parcel_as_a_line_goes_out(dans, parcel):
    sent = {"lines-0-status": "30", "lines-0-carrier": "Royal Mail", "lines-0-tracking_number": "AB 123"}
    change(dans, path_of(parcel), "order_form", **sent)
    line = parcel.lines.first()
    assert (line.status, line.tracking) == (OrderLine.SENT, "Royal Mail AB 123")


def test_number_that_is_corrected_in_the_form_is_that_of_the_whole_parcel(dans, parcel):
    sent = parcel.send_parcel("DHL", "1", [line.pk for line in parcel.lines.all()[:2]])
    change(dans, path_of(parcel), "order_form", **{"lines-0-tracking_number": "2"})
    sent.refresh_from_db()
    assert (sent.carrier, sent.tracking_number) == ("DHL", "2")
    assert list(parcel.lines.values_list("tracking_number", flat=True)) == ["2", "2", ""]


def test_dispatcher_corrects_the_address_of_a_parcel_and_nothing_else(dans, parcel):
    sent = {"shipping_city": "Haworth", "billing_city": "Hacked", "lines-0-price": "0.01"}
    change(dans, path_of(parcel), "order_form", **sent)
    parcel.refresh_from_db()
    assert (parcel.shipping_city, parcel.billing_city) == ("Haworth", "Moneytown")
    assert not parcel.lines.filter(price="0.01").exists()


@pytest.mark.parametrize("status", ["10", "30"])
def test_form_has_the_status_of_a_parcel_and_takes_no_other(dans, parcel, status):
    assert form_of(dans.get(path_of(parcel)), "order_form")["status"] == "20"
    answer = change(dans, path_of(parcel), "order_form", status=status)
    parcel.refresh_from_db()
    assert parcel.status == Order.PAID
    assert "Select a valid choice" in answer.content.decode()


def test_dispatcher_neither_adds_nor_removes_lines(dans, parcel):
    added = {"lines-TOTAL_FORMS": "4", "lines-3-product": ProductFactory().pk, "lines-3-status": "10"}
    change(dans, path_of(parcel), "order_form", **added, **{"lines-0-DELETE": "on"})
    assert parcel.lines.count() == 3
    assert dans.post(f"{LIST}{parcel.pk}/delete/", {"post": "yes"}).status_code == 403
    assert dans.get(f"{LIST}add/").status_code == 403


def test_action_marks_the_lines_of_several_orders(dans, parcel):
    data = {"action": "mark_lines_processing", "_selected_action": [parcel.pk]}
    assert texts_of(dans.post(LIST, data, follow=True)) == ["3 order lines marked as processing."]
    assert {line.status for line in parcel.lines.all()} == {OrderLine.PROCESSING}


@pytest.mark.parametrize("action", ["mark_paid", "delete_selected"])
def test_actions_of_the_office_are_not_there(dans, parcel, action):
    new = OrderFactory()
    dans.post(LIST, {"action": action, "_selected_action": [new.pk, parcel.pk]})
    new.refresh_from_db()
    assert new.status == Order.NEW
    assert Order.objects.filter(pk=parcel.pk).exists()


def test_history_tells_what_dispatch_did(dans, parcel):
    dans.post(LIST, {"action": "mark_lines_processing", "_selected_action": [parcel.pk]})
    page = dans.get(f"{LIST}{parcel.pk}/history/").content.decode()
    assert "Marked lines as processing" in page
    assert "Dan Parcel" in page


def test_dispatcher_changes_of_a_book_only_whether_it_is_in_stock(dans):
    book = ProductFactory(name="Emma", price="9.99")
    path = f"/dispatch-admin/shop/product/{book.pk}/change/"
    assert "9.99" not in dans.get(path).content.decode()
    dans.post(path, {"name": "Hacked", "price": "0.01", "active": ""})
    saved = Product.objects.get()
    assert (saved.name, str(saved.price), saved.active, saved.in_stock) == ("Emma", "9.99", True, False)


@pytest.mark.parametrize("lookup", ["price__gte=1", "order_lines__order__billing_name=x", "active__exact=1"])
def test_books_cannot_be_filtered_by_price_or_orders(dans, lookup):
    assert dans.get(f"/dispatch-admin/shop/product/?{lookup}").status_code == 400
