import pytest

from tests.factories import UserFactory


def test_page_comes_styled_and_without_a_script_error(site, page):
    page.goto(f"{site}/about-us/")
    assert page.locator("header").first.is_visible()
    assert page.evaluate("document.styleSheets.length") >= 1
    assert page.evaluate("typeof htmx") == "object"


def test_shopper_logs_in(site, page, log_in):
    log_in(page, UserFactory(email="alice@example.com"))
    assert page.url.startswith(site)


@pytest.mark.parametrize("width", [320, 1440])
def test_page_is_never_wider_than_the_window(site, page, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{site}/about-us/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
