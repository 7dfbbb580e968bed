import time
from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone

from shop.models import Basket, BasketLine, User
from shop.web.session_basket import SESSION_KEY
from tests.factories import BasketFactory, ProductFactory


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
