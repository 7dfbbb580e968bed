"""The stand-in for Stripe answers Stripe's own library as Stripe does."""

import time

import pytest
import stripe as library

from tests.stripe_server import SECRET_KEY, WEBHOOK_SECRET, StripeServer

SESSION = {
    "mode": "payment",
    "client_reference_id": "7",
    "line_items": [
        {
            "quantity": 1,
            "price_data": {"currency": "gbp", "unit_amount": 1850, "product_data": {"name": "Order 7"}},
        }
    ],
    "success_url": "https://shop.example/paid",
    "cancel_url": "https://shop.example/unpaid",
}


@pytest.fixture
def server():
    with StripeServer() as server:
        yield server


def client_of(server, key=SECRET_KEY, retries=0, timeout=10):
    http = library.RequestsClient(timeout=timeout)
    return library.StripeClient(
        key, base_addresses={"api": server.url}, max_network_retries=retries, http_client=http
    ).v1


def begin(client, key="payment-1", **more):
    return client.checkout.sessions.create({**SESSION, **more}, {"idempotency_key": key})


def test_session_is_begun_paid_and_refunded(server):
    client = client_of(server)
    session = begin(client)
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 1850)
    server.pay(session.id)
    session = client.checkout.sessions.retrieve(session.id)
    assert (session.status, session.payment_status, session.client_reference_id) == ("complete", "paid", "7")
    refund = client.refunds.create(
        {"payment_intent": session.payment_intent, "amount": 1000, "metadata": {"refund": "3"}}
    )
    assert (refund.status, refund.amount, refund.metadata["refund"]) == ("succeeded", 1000, "3")
    with pytest.raises(library.InvalidRequestError, match="greater than 850"):
        client.refunds.create({"payment_intent": session.payment_intent, "amount": 851})


def test_same_key_does_it_once_and_for_the_same_alone(server):
    client = client_of(server)
    assert begin(client).id == begin(client).id
    with pytest.raises(library.IdempotencyError):
        begin(client, client_reference_id="8")
    assert len(server.sessions) == 1


@pytest.mark.parametrize("fault", ["500", "drop"])
def test_library_tries_again_what_went_wrong_once(server, fault):
    server.fail(fault, "/v1/checkout")
    assert begin(client_of(server, retries=1)).id
    assert len(server.sessions) == 1
    server.fail(fault, "/v1/checkout", times=2)
    with pytest.raises(library.StripeError):
        begin(client_of(server), key="payment-2")


def test_answer_that_takes_too_long(server):
    server.fail("slow", "/v1/checkout")
    with pytest.raises(library.APIConnectionError):
        begin(client_of(server, timeout=0.1))


def test_wrong_key_unknown_session_and_refused_request(server):
    with pytest.raises(library.AuthenticationError):
        begin(client_of(server, "sk_test_other"))
    client = client_of(server)
    with pytest.raises(library.InvalidRequestError, match="No such checkout"):
        client.checkout.sessions.retrieve("cs_none")
    server.fail("refuse", "/v1/checkout")
    with pytest.raises(library.InvalidRequestError, match="cannot be done"):
        begin(client)


def test_session_that_expired_is_over(server):
    client = client_of(server)
    session = begin(client)
    assert client.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(library.InvalidRequestError, match="status of open"):
        client.checkout.sessions.expire(session.id)


def test_lists_go_on_page_by_page(server):
    client = client_of(server)
    made = [begin(client, key=f"payment-{number}").id for number in range(5)]
    since = {"created": {"gte": int(time.time()) - 60}, "limit": 2}
    assert [each.id for each in client.checkout.sessions.list(since).auto_paging_iter()] == made[::-1]
    assert not client.checkout.sessions.list({"created": {"gte": int(time.time()) + 60}}).data


def test_events_are_signed_as_the_library_checks(server):
    session = server.sessions[begin(client_of(server)).id]
    body, headers = server.event("checkout.session.completed", session, event_id="evt_1")
    event = library.Webhook.construct_event(body, headers["Stripe-Signature"], WEBHOOK_SECRET)
    assert (event.id, event.data.object["id"]) == ("evt_1", session["id"])
    for more in ({"secret": "whsec_other"}, {"at": time.time() - 301}):
        body, headers = server.event("checkout.session.completed", session, **more)
        with pytest.raises(library.SignatureVerificationError):
            library.Webhook.construct_event(body, headers["Stripe-Signature"], WEBHOOK_SECRET)
