import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shop.models import Basket, BasketLine, User
from shop.web.session_basket import SESSION_KEY
from tests.factories import BasketFactory, ProductFactory
from tests.stripe_server import StripeServer


@pytest.fixture
def shopper(client: Client, alice: User) -> Client:
    BasketLine.objects.create(basket=BasketFactory(user=alice), product=ProductFactory(name="Zorba"), quantity=3)
    client.force_login(alice)
    return client


@pytest.fixture
def visitor(client: Client, db: None) -> Client:
    basket = Basket.objects.create()
    BasketLine.objects.create(basket=basket, product=ProductFactory(name="Zorba"), quantity=3)
    session = client.session
    session[SESSION_KEY] = basket.pk
    session.save()
    return client


@pytest.fixture
def same_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted by the hour: no new one begins during the test."""
    now, moment = time.time(), timezone.now()
    monkeypatch.setattr("shop.web.throttle.time.time", lambda: now)
    monkeypatch.setattr("shop.mail.outgoing.timezone", SimpleNamespace(now=lambda: moment))


@pytest.fixture
def told(client: Client, stripe: StripeServer) -> Callable[..., Any]:
    """Deliver an event: `told("checkout.session.completed", session)`."""

    def tell(kind: str, thing: dict[str, Any], **more: Any) -> Any:
        body, headers = stripe.event(kind, thing, **more)
        signed = {"stripe-signature": headers["Stripe-Signature"]}
        return client.post("/payments/stripe/", body, content_type="application/json", headers=signed)

    return tell
