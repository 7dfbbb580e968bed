"""Every page of the site in a browser that minds its content security policy: nothing in it is refused."""

from typing import Any

import pytest
from playwright.sync_api import Error, Page

from tests.addresses import a_shop, every_address
from tests.browser.conftest import errors_of
from tests.factories import UserFactory

# One office stands for the three where they show the same; what is no page does not show up in a browser.
LEFT_OUT = ("/export/", "/invoice/", "/history/", "/delete/", "/jsi18n/", "/autocomplete/", "/media/", "/mobile-api/")
LEFT_OUT += ("/logout/", "/notify/", "/app/sw.js", "/app/manifest", "/api/schema/", "/healthz")


def pages_of(shop: Any) -> list[str]:
    paths = [path for path in every_address(shop) if not any(part in path for part in LEFT_OUT)]
    return [path for path in paths if not path.startswith("/office-admin/") or path.endswith("/change/")]


def test_no_page_breaks_the_policy(site, page: Page, log_in, media_root):
    olga = UserFactory(email="olga@example.com", is_staff=True, is_superuser=True)
    paths = pages_of(a_shop(olga))
    log_in(page, olga)
    errors = errors_of(page)
    page.on("response", lambda answer: errors.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
    page.on(
        "request", lambda asked: None if asked.url.startswith((site, "data:", "blob:")) else errors.append(asked.url)
    )
    for path in paths:
        try:
            page.goto(site + path, wait_until="domcontentloaded")
        except Error as error:  # an error without a page, such as a 405
            assert "ERR_HTTP_RESPONSE_CODE_FAILURE" in str(error), path
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
