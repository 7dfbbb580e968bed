"""Paying by card in a browser: to the provider's page and back, paid, declined and given up."""

import re

import pytest
from playwright.sync_api import expect

from shop.models import Order
from tests.browser.conftest import SITE, errors_of
from tests.factories import PASSWORD, AddressFactory, BasketFactory, BasketLineFactory
from tests.servers import Daphne


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def page(request, browser):
    context = browser.new_context(java_script_enabled=request.param)
    page = context.new_page()
    errors = errors_of(page)
    yield page
    context.close()
    assert not errors


@pytest.fixture(scope="module")
def daphne_with_stripe(daphne_variables, stripe_server, tmp_path_factory):
    with Daphne(tmp_path_factory.mktemp("paying"), {**daphne_variables, **stripe_server.variables()}, SITE) as server:
        yield server


def check_out(page, site, alice):
    """Alice's book at the checkout, to be paid by card; its price."""
    AddressFactory(user=alice)
    BasketLineFactory(basket=BasketFactory(user=alice), product__name="Emma", product__price="12.50")
    page.goto(f"{site}/login/?next=/order/address_select/")
    page.locator("main input[name=email]").fill(alice.email)
    page.locator("main input[name=password]").fill(PASSWORD)
    page.locator("main input[name=password]").press("Enter")
    page.get_by_label("By card").check()
    page.get_by_role("button", name="Place order").click()


def expect_unpaid(page):
    expect(page.get_by_role("heading", name="To pay: £12.50")).to_be_visible()
    assert Order.objects.get().status == Order.NEW


def expect_paid(page):
    expect(page.locator("main")).to_contain_text("Paid on")
    expect(page.locator("#messages")).to_contain_text("is paid")
    expect(page.get_by_role("button", name="by card")).to_have_count(0)
    assert Order.objects.get().status == Order.PAID


def test_card_desk_declines_is_given_up_and_paid_at(site, page, alice):
    check_out(page, site, alice)
    page.get_by_role("button", name="Have the card declined").click()
    expect_unpaid(page)
    page.get_by_role("button", name="Pay £12.50 by card").click()
    page.get_by_role("button", name="Give up").click()
    expect_unpaid(page)
    page.get_by_role("button", name="Pay £12.50 by card").click()
    page.get_by_role("button", name="Pay £12.50").click()
    expect_paid(page)


def test_providers_page_on_another_site_is_reached_and_left(site, daphne_with_stripe, stripe_server, page, alice):
    check_out(page, daphne_with_stripe.url, alice)
    expect(page).to_have_url(re.compile(re.escape(stripe_server.url)))
    expect(page.get_by_role("heading", name="Pay 1250 gbp")).to_be_visible()
    page.get_by_role("button", name="decline").click()
    expect(page.get_by_role("heading", name="Pay 1250 gbp")).to_be_visible()
    page.get_by_role("button", name="give up").click()
    expect_unpaid(page)
    page.get_by_role("button", name="Pay £12.50 by card").click()
    page.get_by_role("button", name="pay", exact=True).click()
    expect_paid(page)
