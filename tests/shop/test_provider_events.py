"""What the provider tells by itself: once, in whatever order, and only from whom it is."""

import time
from decimal import Decimal

import pytest
from stripe import WebhookSignature

from shop.models import Order, PaymentProblem, ProviderEvent
from shop.payments import unpaid
from tests.factories import OrderLineFactory
from tests.shop.paying import age, an_order, begin, status_of
from tests.stripe_server import WEBHOOK_SECRET

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def order(alice):
    return an_order(alice)


def test_event_pays_the_order_once_however_often_it_comes(alices, order, stripe, told):
    session = stripe.pay(begin(alices, order))
    for _ in range(3):
        assert told("checkout.session.completed", session, event_id="evt_same").status_code == 200
    assert told("checkout.session.async_payment_succeeded", session).status_code == 200
    order.refresh_from_db()
    assert (order.status, order.paid_total, order.refunds().count()) == (Order.PAID, D("18.50"), 0)
    assert [event.kind for event in order.events.all()] == ["begun", "paid"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "t=1,v1=abc"},
        {"stripe-signature": "nonsense"},
        {"stripe-signature": "t=x,v1=\xff"},
    ],
)
def test_request_without_a_good_signature_is_refused_and_nothing_kept(client, stripe, headers):
    from shop.models import ProviderEvent

    answer = client.post("/payments/stripe/", b'{"id": "evt_1"}', content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert not ProviderEvent.objects.exists()


def test_forged_stale_and_garbled_events_are_refused(alices, order, stripe, told, client):
    session = stripe.pay(begin(alices, order))
    import time

    assert told("checkout.session.completed", session, secret="whsec_other").status_code == 400
    assert told("checkout.session.completed", session, at=time.time() - 301).status_code == 400
    assert client.post("/payments/stripe/", b"\xff\xfe", content_type="application/json").status_code == 400
    assert client.get("/payments/stripe/").status_code == 405
    assert status_of(order) == Order.NEW


def test_server_without_the_secret_takes_no_event(alices, order, stripe, told, settings):
    session = stripe.pay(begin(alices, order))
    settings.STRIPE_WEBHOOK_SECRET = ""
    assert told("checkout.session.completed", session).status_code == 400


def test_what_is_not_known_is_taken_and_changes_nothing(order, told):
    assert told("customer.created", {"id": "cus_1"}).status_code == 200
    assert told("checkout.session.completed", {"id": "cs_x", "payment_status": "unpaid"}).status_code == 200
    assert status_of(order) == Order.NEW


@pytest.mark.parametrize(
    "body",
    [
        '{"a": NaN}', "1e999", '{"id": "evt_\\ud800", "data": {"object": {"a": "\\u0000"}}}', "[" * 100_000, "no JSON",
        '{"id": 7, "type": null, "data": []}', '{"id": "evt_1", "data": {"object": {"n": ' + "9" * 5000 + "}}}",
    ],
    ids=lambda body: body[:20],
)  # fmt: skip
def test_whatever_is_well_signed_is_kept_once(client, stripe, body):
    header = WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET, int(time.time()))
    for _ in range(2):
        answer = client.post(
            "/payments/stripe/", body, content_type="application/json", headers={"stripe-signature": header}
        )
        assert answer.status_code == 200
    assert ProviderEvent.objects.count() == 1


def test_bank_that_takes_its_time(alices, order, stripe, told):
    name = begin(alices, order)
    stripe.sessions[name].update(status="complete", payment_status="unpaid")
    told("checkout.session.completed", stripe.sessions[name])
    assert "waiting for your bank" in alices.get(f"/orders/{order.pk}/paid/", follow=True).content.decode()
    told("checkout.session.async_payment_succeeded", stripe.pay(name))
    assert status_of(order) == Order.PAID


@pytest.mark.parametrize(
    ("kind", "status"),
    [("checkout.session.expired", "expired"), ("checkout.session.async_payment_failed", "failed")],
)
def test_payment_that_ends_without_money(alices, order, stripe, told, kind, status):
    name = begin(alices, order)
    session = stripe.expire(name) if status == "expired" else {**stripe.sessions[name], "status": "complete"}
    told(kind, session)
    assert order.payments.get().status == status and status_of(order) == Order.NEW


def test_end_that_is_told_after_the_payment_changes_nothing(alices, order, stripe, told):
    session = stripe.pay(begin(alices, order))
    told("checkout.session.completed", session)
    told("checkout.session.expired", {**session, "status": "expired", "payment_status": "unpaid"})
    assert order.payments.get().status == "paid" and status_of(order) == Order.PAID


@pytest.mark.parametrize(("amount", "currency"), [(1849, None), (1851, None), (1850, "usd")])
def test_another_amount_waits_for_a_person(alices, order, stripe, told, amount, currency):
    session = stripe.pay(begin(alices, order), amount=amount, currency=currency)
    told("checkout.session.completed", session)
    told("checkout.session.completed", session)
    alices.get(f"/orders/{order.pk}/paid/")
    assert status_of(order) == Order.NEW and order.paid_total == 0
    problem = PaymentProblem.objects.get()
    assert problem.kind == "wrong_amount" and problem.order_id == order.pk
    # As the order is for as long as nobody decided.
    age(order, 25)
    unpaid.cancel_overdue()
    assert not Order.objects.get().is_cancelled
    assert alices.post(f"/orders/{order.pk}/pay/").url == f"/orders/{order.pk}/"


def test_less_than_the_order_costs_by_now_waits_for_a_person(alices, order, stripe, told):
    session = stripe.pay(begin(alices, order))
    OrderLineFactory(order=order, price="5.00")
    told("checkout.session.completed", session)
    assert status_of(order) == Order.NEW and PaymentProblem.objects.get().kind == "wrong_amount"


def test_payment_of_a_session_that_nobody_here_knows_pays_its_order(order, stripe, told):
    session = {
        **{"id": "cs_lost", "payment_status": "paid", "status": "complete", "payment_intent": "pi_lost"},
        **{"amount_total": 1850, "currency": "gbp", "client_reference_id": str(order.pk)},
    }
    told("checkout.session.completed", session)
    assert status_of(order) == Order.PAID
    told("checkout.session.completed", {**session, "id": "cs_none", "client_reference_id": "999999"})
    assert PaymentProblem.objects.get().kind == "unknown"


def test_paid_after_it_was_cancelled_it_is_refunded_in_full(
    alices, order, stripe, told, django_capture_on_commit_callbacks
):
    session = stripe.pay(begin(alices, order))
    order.cancel()
    with django_capture_on_commit_callbacks(execute=True):
        told("checkout.session.completed", session)
    assert [(r["amount"], r["payment_intent"]) for r in stripe.refunds.values()] == [(1850, session["payment_intent"])]
    order.refresh_from_db()
    assert order.is_cancelled and order.refunded_total == D("18.50")


def test_paid_twice_the_second_is_refunded_and_the_order_stays_paid(
    alices, order, stripe, told, django_capture_on_commit_callbacks
):
    first = stripe.pay(begin(alices, order))
    second = stripe.pay(stripe.begin_like(first)["id"])
    told("checkout.session.completed", first)
    with django_capture_on_commit_callbacks(execute=True):
        told("checkout.session.completed", second)
    assert [r["payment_intent"] for r in stripe.refunds.values()] == [second["payment_intent"]]
    assert status_of(order) == Order.PAID
