from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client

from shop.models import User
from tests.factories import UserFactory


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory(email="alice@example.com", first_name="Alice", last_name="Liddell")


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory(email="bob@example.com", first_name="Bob", last_name="Cratchit")


@pytest.fixture
def erin(db: None) -> User:
    erin = UserFactory(email="erin@example.com", first_name="Erin", last_name="Office", is_staff=True)
    erin.groups.add(Group.objects.get(name=User.EMPLOYEES))
    return erin


@pytest.fixture
def dan(db: None) -> User:
    dan = UserFactory(email="dan@example.com", first_name="Dan", last_name="Parcel", is_staff=True)
    dan.groups.add(Group.objects.get(name=User.DISPATCHERS))
    return dan


@pytest.fixture
def olga(db: None) -> User:
    return UserFactory(email="olga@example.com", first_name="Olga", last_name="Owner", is_staff=True, is_superuser=True)


@pytest.fixture
def client_of() -> Callable[..., Client]:
    """A browser of its own for another person, logged in where one is given: `client_of(bob)`."""

    def browser(person: User | None = None, **defaults: Any) -> Client:
        client = Client(**defaults)
        if person:
            client.force_login(person)
        return client

    return browser


@pytest.fixture(autouse=True)
def nothing_cached() -> None:
    cache.clear()
