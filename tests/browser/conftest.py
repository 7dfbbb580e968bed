"""Browser tests: headless Chromium against a real daphne that reads the same database as the test.

    def test_book_goes_into_the_basket(site, page):
        book = ProductFactory(name="Emma")
        page.goto(f"{site}/product/emma/")

What a test makes with factories is committed, and gone after it. `log_in(page, user)` logs a factory's user in.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from playwright.sync_api import Page, expect

from tests.factories import PASSWORD
from tests.servers import Daphne

# Playwright runs an event loop in this thread; the tests' own queries are between its steps, never in them.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
SITE = "tests.browser.site:application"
# As patient as what playwright does by itself; it would look for five seconds only.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    return {
        **browser_type_launch_args,
        "executable_path": shutil.which("chromium"),
        "args": ["--no-sandbox", "--disable-gpu", *quiet],
    }


@pytest.fixture(scope="session")
def daphne_variables(django_db_setup: None, var_dir: Path) -> dict[str, str]:
    """What a daphne needs to read the database of the tests."""
    variables = {"DJANGO_SETTINGS_MODULE": "tests.settings", "VAR_DIR": str(var_dir)}
    if connection.vendor == "postgresql":
        database = connection.settings_dict
        variables["SECRET_KEY"] = os.environ["SECRET_KEY"]
        variables["REDIS_URL"] = os.environ.get("REDIS_URL", "")
        variables["DATABASE_URL"] = "postgres://{USER}@{HOST}:{PORT}/{NAME}".format(**database)
    return variables


@pytest.fixture(scope="session")
def daphne_for_browser(daphne_variables: dict[str, str], var_dir: Path) -> Iterator[Daphne]:
    with Daphne(var_dir, daphne_variables, SITE) as server:
        yield server


@pytest.fixture
def site(daphne_for_browser: Daphne, transactional_db: None) -> Iterator[str]:
    """The address of a running site without any data but what this test makes."""
    yield daphne_for_browser.url
    cache.clear()


@pytest.fixture
def log_in(site: str) -> Callable[..., None]:
    def log_in(page: Page, user: Any) -> None:
        page.goto(f"{site}/login/")
        page.locator("main input[name=email]").fill(user.email)
        page.locator("main input[name=password]").fill(PASSWORD)
        page.locator("main input[name=password]").press("Enter")
        page.wait_for_url(lambda url: "/login/" not in url)

    return log_in


def errors_of(page: Page) -> list[str]:
    """What goes wrong in the page from here on: failing scripts and breaches of the content security policy."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    return errors


@pytest.fixture(autouse=True)
def no_script_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    """A page whose script fails, or breaks the content security policy, fails its test."""
    if "page" not in request.fixturenames:
        yield
        return
    page: Page = request.getfixturevalue("page")
    errors = errors_of(page)
    yield
    assert not errors
