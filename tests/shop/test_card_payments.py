"""Paying by card, at a stand-in for the provider: to its page and back, however either side fails."""

from decimal import Decimal

import pytest

from shop.models import Basket, Order, OrderEvent, Payment
from shop.payments import paying, unpaid
from tests.factories import AddressFactory, BasketFactory, BasketLineFactory
from tests.shop.paying import age, an_order, begin, session_of, status_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
D = Decimal


@pytest.fixture
def order(alice):
    return an_order(alice)


@pytest.fixture
def checkout(alices, alice):
    basket = BasketFactory(user=alice)
    BasketLineFactory(basket=basket, product__name="Emma", product__price="8.50", quantity=2)
    home = AddressFactory(user=alice)

    def send(**more):
        fields = {"shipping_address": home.pk, "billing_address": home.pk, "basket": basket.pk, "payment": "card"}
        return alices.post("/order/address_select/", {**fields, **more}, headers=more.pop("headers", {}))

    return send


def test_checkout_with_card_leads_to_the_providers_page(checkout, stripe):
    answer = checkout()
    order = Order.objects.get()
    assert (answer.status_code, answer.url) == (303, f"{stripe.url}/pay/{session_of(stripe, order)['id']}")
    asked = next(asked for method, path, asked, key in stripe.asked if key)
    assert asked["mode"] == "payment" and asked["client_reference_id"] == str(order.pk)
    assert asked["line_items[0][price_data][unit_amount]"] == "1700"
    assert asked["success_url"] == f"http://testserver/orders/{order.pk}/paid/"
    assert order.status == Order.NEW
    payment = order.payments.get()
    assert (payment.method, payment.amount, payment.status) == ("card", D("17.00"), "pending")


def test_checkout_from_a_fragment_sends_the_whole_page_there(alices, checkout, stripe):
    answer = checkout(headers=HTMX)
    assert answer.headers["HX-Redirect"].startswith(f"{stripe.url}/pay/")


def test_checkout_sent_twice_makes_one_order_and_one_payment(checkout, stripe):
    assert checkout().url == checkout().url
    assert (Order.objects.count(), Payment.objects.count(), len(stripe.sessions)) == (1, 1, 1)


@pytest.mark.parametrize("payment", ["transfer", "", "gold"])
def test_checkout_without_card_is_as_ever(checkout, stripe, payment):
    assert checkout(payment=payment).url == "/order/done/"
    assert not stripe.asked


def test_checkout_of_a_shop_without_a_provider_takes_transfers_alone(checkout, settings):
    settings.IS_DEMO = False
    assert checkout().url == "/order/done/"


def test_checkout_while_the_provider_is_away_keeps_the_order_to_pay_later(alices, checkout, stripe):
    stripe.fail("500", "/v1/checkout", times=9)
    answer = checkout()
    order = Order.objects.get()
    page = alices.get(answer.url).content.decode()
    assert "our payment provider does not answer" in page and "Pay £17.00 by card" in page
    stripe.faults.clear()
    begin(alices, order)
    assert Payment.objects.count() == 1


def test_answer_that_was_lost_begins_one_session(alices, order, stripe):
    stripe.fail("drop", "/v1/checkout", times=9)
    assert alices.post(f"/orders/{order.pk}/pay/").url == f"/orders/{order.pk}/"
    stripe.faults.clear()
    begin(alices, order)
    assert len(stripe.sessions) == 1


def test_page_with_the_pay_button_may_lead_to_the_provider_and_others_may_not(alices, order, stripe, checkout):
    def form_action(path):
        policy = alices.get(path).headers["Content-Security-Policy"]
        return next(part.strip() for part in policy.split(";") if part.strip().startswith("form-action"))

    for path in (f"/orders/{order.pk}/", "/order/done/", "/order/address_select/"):
        assert form_action(path) == f"form-action 'self' https://checkout.stripe.com {stripe.url}", path
    for path in ("/", "/orders/", "/basket/"):
        assert form_action(path) == "form-action 'self'", path


def test_stripes_own_page_is_the_one_allowed(alices, order, settings):
    settings.STRIPE_SECRET_KEY = "sk_test_none"
    policy = alices.get(f"/orders/{order.pk}/").headers["Content-Security-Policy"]
    assert "form-action 'self' https://checkout.stripe.com;" in policy + ";"


def test_others_order_cannot_be_paid(client_of, bob, order, stripe):
    assert client_of(bob).post(f"/orders/{order.pk}/pay/").status_code == 404
    assert client_of(bob).get(f"/orders/{order.pk}/paid/").status_code == 404
    assert not stripe.asked


def test_paid_and_cancelled_orders_lead_back_with_the_reason(alices, order, stripe):
    order.mark_paid()
    answer = alices.post(f"/orders/{order.pk}/pay/", follow=True)
    assert answer.redirect_chain[-1][0] == f"/orders/{order.pk}/" and "is paid already" in answer.content.decode()
    order.cancel()
    assert "there is nothing to pay" in alices.post(f"/orders/{order.pk}/pay/", follow=True).content.decode()
    assert not stripe.asked


def test_shopper_who_comes_back_is_told_at_once_though_no_event_came(alices, order, stripe):
    stripe.pay(begin(alices, order))
    page = alices.get(f"/orders/{order.pk}/paid/", follow=True).content.decode()
    assert status_of(order) == Order.PAID
    assert f"order {order.pk} is paid" in page and "Paid on" in page


def test_coming_back_while_the_provider_is_away_waits_for_the_bank(alices, order, stripe, told):
    session = stripe.pay(begin(alices, order))
    stripe.fail("500", "/v1/checkout", times=9)
    page = alices.get(f"/orders/{order.pk}/paid/", follow=True).content.decode()
    assert "could not ask your bank yet" in page and status_of(order) == Order.NEW
    assert told("checkout.session.completed", session).status_code == 200
    assert status_of(order) == Order.PAID


def test_given_up_it_can_be_paid_on_the_same_page_later(alices, order, stripe):
    first = begin(alices, order)
    page = alices.get(f"/orders/{order.pk}/unpaid/", follow=True).content.decode()
    assert "not paid yet" in page and "Pay £18.50 by card" in page
    assert begin(alices, order) == first


def test_session_that_expired_is_followed_by_another(alices, order, stripe):
    first = begin(alices, order)
    stripe.expire(first)
    assert begin(alices, order) != first
    assert [payment.status for payment in order.payments.all()] == ["expired", "pending"]


def test_paid_meanwhile_it_is_not_begun_again(alices, order, stripe):
    stripe.pay(begin(alices, order))
    assert alices.post(f"/orders/{order.pk}/pay/").url == f"/orders/{order.pk}/"
    assert status_of(order) == Order.PAID and len(stripe.sessions) == 1


# --- Events


def test_cancelling_closes_the_session(alices, order, stripe, django_capture_on_commit_callbacks):
    name = begin(alices, order)
    with django_capture_on_commit_callbacks(execute=True):
        alices.post(f"/orders/{order.pk}/cancel/")
    assert stripe.sessions[name]["status"] == "expired"


# --- Refunds


def test_card_payment_that_is_not_finished_in_time_cancels_the_order(alices, order, stripe):
    begin(alices, order)
    age(order, 23)
    unpaid.cancel_overdue()
    assert not Order.objects.get().is_cancelled
    age(order, 25)
    unpaid.cancel_overdue()
    assert Order.objects.get().is_cancelled
    assert order.events.last().text == "Not paid in time"


def test_the_provider_is_asked_before_an_order_is_cancelled(alices, order, stripe):
    stripe.pay(begin(alices, order))
    age(order, 25)
    stripe.fail("500", "/v1/checkout", times=9)
    unpaid.cancel_overdue()
    assert status_of(order) == Order.NEW and not Order.objects.get().is_cancelled
    stripe.faults.clear()
    unpaid.cancel_overdue()
    assert status_of(order) == Order.PAID and not Order.objects.get().is_cancelled


def test_bank_that_takes_days_is_waited_for(alices, order, stripe):
    stripe.sessions[begin(alices, order)].update(status="complete", payment_status="unpaid")
    age(order, 100)
    unpaid.cancel_overdue()
    assert not Order.objects.get().is_cancelled


def test_order_that_nobody_began_to_pay_by_card_waits_for_its_transfer(order, stripe):
    age(order, 1000)
    unpaid.cancel_overdue()
    assert not Order.objects.get().is_cancelled


def test_late_save_does_not_put_the_status_back(order):
    late = Order.objects.get(pk=order.pk)
    order.mark_paid()
    late.billing_city = "York"
    late.save()
    order.refresh_from_db()
    assert (order.status, order.billing_city) == (Order.PAID, "York")
    assert not late.cancel_unpaid("Not paid in time")


def test_order_paid_while_it_was_about_to_be_cancelled_stays(order):
    late = Order.objects.get(pk=order.pk)
    order.mark_paid()
    assert not late.cancel_unpaid("Not paid in time")
    assert not Order.objects.get().is_cancelled


# --- The demo's card desk


@pytest.mark.parametrize(
    ("answer", "status", "paid", "back"),
    [
        ("pay", Order.PAID, "18.50", 0),
        ("pay_twice", Order.PAID, "37.00", 1),
        ("decline", Order.NEW, "0", 0),
        ("give_up", Order.NEW, "0", 0),
    ],
)
def test_card_desk(alices, order, answer, status, paid, back, settings, django_capture_on_commit_callbacks):
    settings.IS_DEMO = True
    desk = alices.post(f"/orders/{order.pk}/pay/").url
    assert "Pay £18.50" in alices.get(desk).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        page = alices.post(desk, {"answer": answer}, follow=True)
    assert page.redirect_chain[-1][0] == f"/orders/{order.pk}/"
    order.refresh_from_db()
    assert (order.status, order.paid_total) == (status, D(paid))
    assert [r.status for r in order.refunds()] == ["done"] * back
    if status == Order.NEW:
        assert "Pay £18.50 by card" in page.content.decode()


def test_card_desk_is_none_of_others_nor_of_a_server(alices, order, client_of, bob, settings):
    settings.IS_DEMO = True
    desk = alices.post(f"/orders/{order.pk}/pay/").url
    assert client_of(bob).get(desk).status_code == 404
    settings.IS_DEMO = False
    assert alices.get(desk).status_code == 404
    assert alices.post(f"/orders/{order.pk}/pay/", follow=True).status_code == 200
    assert paying.provider() is None
    assert Basket.objects.count() == 0 and OrderEvent.objects.filter(kind="begun").count() == 1
