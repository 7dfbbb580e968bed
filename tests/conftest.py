from pathlib import Path

import pytest
from django.contrib.auth.models import Group

from shop.models import User
from tests.factories import UserFactory


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path: Path) -> Path:
    """No test stores a picture in the shop's own folder."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


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
