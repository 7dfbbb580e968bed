"""Every page of the site in a browser that minds its content security policy: nothing in it is refused."""

import pytest
from playwright.sync_api import Page

from shop.models import User
from tests.addresses import a_shop, every_address
from tests.browser.conftest import errors_of
from tests.factories import UserFactory

# One office stands for the three where they show the same; the stream of events never ends.
LEFT_OUT = ("/history/", "/delete/", "/logout/", "/notify/")


def pages_of(person: User) -> list[str]:
    paths = [path for path in every_address(a_shop(person)) if not path.endswith(LEFT_OUT)]
    return [path for path in paths if not path.startswith("/office-admin/") or path.endswith("/change/")]


def is_page(page: Page, address: str) -> bool:
    answer = page.request.get(address, headers={"Accept": "text/html"}, max_redirects=0)
    return answer.status == 200 and answer.headers.get("content-type", "").startswith("text/html")


def test_no_page_breaks_the_policy(site, page: Page, log_in, media_root):
    olga = UserFactory(email="olga@example.com", is_staff=True, is_superuser=True)
    paths = pages_of(olga)
    log_in(page, olga)
    errors = errors_of(page)
    page.on("response", lambda answer: errors.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
    page.on(
        "request", lambda asked: None if asked.url.startswith((site, "data:", "blob:")) else errors.append(asked.url)
    )
    for path in [path for path in paths if is_page(page, site + path)]:
        page.goto(site + path, wait_until="domcontentloaded")
        if path in ("/api/docs/", "/customer-service/", "/admin/orders_per_day/"):
            page.wait_for_load_state("load")
        assert not errors, path


@pytest.mark.parametrize("path", ["/nowhere/", "/basket/lines/1/", "/login/"])
def test_no_error_page_breaks_the_policy(site, page: Page, path):
    errors = errors_of(page)
    page.goto(f"{site}/about-us/")
    page.evaluate(
        "path => { const f = document.createElement('form'); f.method = 'post'; f.action = path; "
        "document.body.append(f); f.submit() }",
        path,
    )
    page.wait_for_url(f"**{path}")
    assert not errors
