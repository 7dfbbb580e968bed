import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.db import connection
from django.test import Client
from psycopg2 import extensions

from shop.models import User
from support.live import thread_pool
from tests.factories import UserFactory
from tests.stripe_server import SECRET_KEY, WEBHOOK_SECRET, StripeServer

# Folders whose tests run only where they are asked for, by `-m` or by path: they start processes and take their time.
ON_DEMAND = ("browser", "services")

# All that tests ask is on this machine, where no proxy leads.
for _name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    deselected = []
    for item in items:
        folder = item.path.parent.name
        if folder in ON_DEMAND:
            item.add_marker(folder)
            if not config.option.markexpr and not any(folder in argument for argument in config.args):
                deselected.append(item)
        if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL"))
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if item not in set(deselected)]


@pytest.fixture(scope="session")
def var_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this run writes what a site would write into its `var`."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture
def blank_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """PDFs that are made at once and say nothing, for whoever asks for every page and is about none of these."""
    monkeypatch.setattr("staff.papers.pdf.printed", lambda html, files, person: b"%PDF")


@pytest.fixture(scope="session")
def stripe_server() -> Iterator[StripeServer]:
    with StripeServer() as server:
        yield server


@pytest.fixture
def stripe(stripe_server: StripeServer, settings: Any) -> StripeServer:
    """A stand-in for Stripe that the site asks, and that was asked nothing yet."""
    stripe_server.forget()
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = SECRET_KEY, WEBHOOK_SECRET
    settings.STRIPE_API_BASE = stripe_server.url
    return stripe_server


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, var_dir: Path) -> None:
    """SQLite in a file, as in the demo: in memory its threads would share one connection, and its locks differ."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(var_dir / "demo.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """As pytest-django's; dropping a database holds up whoever looks meanwhile whether it answers."""
    yield
    extensions.set_wait_callback(None)
    # Each thread keeps its connection, which is closed once it is collected; what is in use is not dropped.
    thread_pool.pool.shutdown()
    gc.collect()


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


def browser_of(person: User | None = None, **defaults: Any) -> Client:
    """A browser of its own for a person, who is logged in in it, or for a visitor."""
    browser = Client(**defaults)
    if person:
        browser.force_login(person)
    return browser


@pytest.fixture
def client_of() -> Callable[..., Client]:
    """`browser_of`, for tests that need no import: `client_of(bob)`."""
    return browser_of


@pytest.fixture
def alices(alice: User) -> Client:
    """Alice's browser; those of the others follow."""
    return browser_of(alice)


@pytest.fixture
def erins(erin: User) -> Client:
    return browser_of(erin)


@pytest.fixture
def dans(dan: User) -> Client:
    return browser_of(dan)


@pytest.fixture
def olgas(olga: User) -> Client:
    return browser_of(olga)


@pytest.fixture(autouse=True)
def nothing_cached() -> None:
    for name in ("default", "papers"):
        caches[name].clear()
