"""Updates in place on slow and broken lines: work shows, and what failed leaves no contradiction."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import steps
from tests.factories import BasketFactory, BasketLineFactory, OrderFactory, ProductFactory
from tests.servers import wait_until


@pytest.fixture
def basket(site, page, log_in, alice):
    BasketLineFactory(basket=BasketFactory(user=alice), product=ProductFactory(name="Emma"), quantity=5)
    log_in(page, alice)
    page.goto(f"{site}/basket/")
    return page


def break_once(page, pattern, **answer):
    """The next request there is answered with `answer`, or where that is none not at all."""
    page.route(pattern, lambda route: route.fulfill(**answer) if answer else route.abort(), times=1)


@pytest.mark.parametrize("answer", [{"status": 500}, {}], ids=["the server fails", "the line is broken"])
def test_quantity_goes_back_and_can_be_tried_again(basket, answer):
    break_once(basket, "**/basket/lines/*/", **answer)
    basket.get_by_role("button", name="One more of Emma").click()
    expect(basket.locator("#toast")).to_contain_text("The quantity was not changed.")
    expect(basket.get_by_role("spinbutton")).to_have_value("5")
    steps.expect_basket_count(basket, 5)
    basket.get_by_role("button", name="Try again").click()
    expect(basket.get_by_role("spinbutton")).to_have_value("6")
    steps.expect_basket_count(basket, 6)
    expect(basket.locator("#toast")).to_be_empty()


def test_quantity_typed_goes_back_and_can_be_tried_again(basket):
    break_once(basket, "**/basket/lines/*/", status=500)
    basket.get_by_role("spinbutton").fill("7")
    basket.keyboard.press("Tab")
    expect(basket.locator("#toast")).to_contain_text("The quantity was not changed.")
    expect(basket.get_by_role("spinbutton")).to_have_value("5")
    basket.get_by_role("button", name="Try again").focus()
    basket.keyboard.press("Enter")
    steps.expect_basket_count(basket, 7)
    assert basket.evaluate("document.activeElement.localName") != "body"


def test_what_fails_again_says_so_again(basket):
    break_once(basket, "**/basket/lines/*/")
    break_once(basket, "**/basket/lines/*/")
    basket.get_by_role("button", name="One more of Emma").click()
    basket.get_by_role("button", name="Try again").click()
    expect(basket.locator("#toast")).to_contain_text("The quantity was not changed.")
    expect(basket.get_by_role("spinbutton")).to_have_value("5")


def test_order_of_books_goes_back_and_can_be_tried_again(site, page):
    for number in range(3):
        ProductFactory(name=f"Novel {number}", price=9 - number)
    page.goto(f"{site}/products/all/")
    break_once(page, "**/products/all/?*", status=500)
    page.get_by_label("Sort by").select_option("price")
    expect(page.locator("#toast")).to_contain_text("The books were not sorted.")
    expect(page.get_by_label("Sort by")).to_have_value("title")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".card__title").first).to_have_text("Novel 2")
    expect(page.get_by_label("Sort by")).to_have_value("price")


def test_failed_add_takes_the_success_before_it_away(site, page):
    book = ProductFactory(name="Emma")
    page.goto(f"{site}/products/all/")
    steps.add_to_basket(page, book)
    break_once(page, "**/add_to_basket/", status=500)
    page.get_by_role("button", name="Add to basket").click()
    expect(page.locator("#toast")).to_contain_text("Emma was not put into your basket.")
    expect(page.locator("#messages")).to_be_empty()
    steps.expect_basket_count(page, 1)
    page.get_by_role("button", name="Try again").click()
    steps.expect_basket_count(page, 2)
    expect(page.locator("#toast")).to_be_empty()


def test_failure_on_a_page_that_came_back_is_shown(site, page):
    for number in range(30):
        ProductFactory(name=f"Novel {number:02}")
    page.goto(f"{site}/products/all/")
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile("page=2"))
    page.go_back()
    expect(page.locator("#spoken")).to_have_text("All books, BookTime")
    break_once(page, "**/products/all/?*")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#toast")).to_contain_text("The page was not turned.")
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(re.compile("page=2"))


def test_reason_for_people_stands_beside_what_failed(site, page, log_in, alice, erin):
    order = OrderFactory(user=alice)
    log_in(page, erin)
    page.goto(f"{site}/order-dashboard/")
    break_once(page, "**/paid/", status=503, content_type="text/plain", body="The shop is out for a moment.")
    page.get_by_role("button", name=f"Mark order {order.pk} as paid").click()
    toast = page.locator("#toast")
    expect(toast).to_contain_text(f"Order {order.pk} was not marked as paid. The shop is out for a moment.")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_slow_line_shows_that_something_is_under_way(basket, motion):
    basket.emulate_media(reduced_motion=motion)
    bar = basket.locator(".progress")
    expect(bar).to_have_css("opacity", "0")
    held = []
    basket.route("**/basket/lines/*/", lambda route: held.append(route))
    basket.get_by_role("button", name="One more of Emma").click()
    expect(bar).to_have_css("opacity", "1")
    expect(basket.locator("#basket-lines")).to_have_attribute("aria-busy", "true")
    moving = bar.evaluate("bar => bar.getAnimations({ subtree: true }).some((each) => each.animationName)")
    assert moving == (motion == "no-preference")
    wait_until(lambda: basket.evaluate("true") and held, "request")
    held.pop().continue_()
    expect(bar).to_have_css("opacity", "0")
    expect(basket.locator("#basket-lines")).not_to_have_attribute("aria-busy", "true")


def test_failed_request_is_not_under_way_any_more(basket):
    break_once(basket, "**/basket/lines/*/")
    basket.get_by_role("button", name="One more of Emma").click()
    expect(basket.locator("#toast")).not_to_be_empty()
    expect(basket.locator(".progress")).to_have_css("opacity", "0")
    expect(basket.locator("#basket-lines")).not_to_have_attribute("aria-busy", "true")
