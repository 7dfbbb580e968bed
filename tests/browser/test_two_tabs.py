"""Somebody logs in in another tab: what stands open in the first still works."""

import pytest
from playwright.sync_api import expect

from shop.models import BasketLine
from tests.factories import ProductFactory


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_book_goes_into_the_basket_after_a_log_in_in_another_tab(site, browser, log_in, alice, scripts):
    ProductFactory(name="Emma")
    context = browser.new_context(java_script_enabled=scripts)
    first, second = context.new_page(), context.new_page()
    first.goto(f"{site}/product/emma/")
    log_in(second, alice)
    first.get_by_role("button", name="Add to basket").click()
    if not scripts:
        first.get_by_role("button", name="Send it again").click()
    expect(first.locator("#basket-count")).to_have_text("1")
    line = BasketLine.objects.get()
    assert (line.quantity, line.basket.user) == (1, alice)
    context.close()


def test_log_in_form_of_the_second_tab_leads_on(site, context, log_in, alice):
    first, second = context.new_page(), context.new_page()
    first.goto(f"{site}/login/?next=/orders/")
    log_in(second, alice)
    log_in_button = first.locator("main").get_by_role("button", name="Log in")
    log_in_button.click()
    first.wait_for_url(f"{site}/orders/")
