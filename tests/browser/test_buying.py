"""Buying books as shoppers do: by mouse, by keyboard alone, and without JavaScript."""

import re
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from PIL import Image
from playwright.sync_api import expect

from shop.models import Order, OrderLine, ProductImage
from tests.browser import steps
from tests.browser.conftest import errors_of
from tests.factories import AddressFactory, BasketFactory, BasketLineFactory, ProductFactory
from tests.servers import wait_until


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def visitor(request, site, browser):
    context = browser.new_context(java_script_enabled=request.param)
    page = context.new_page()
    errors = errors_of(page)
    page.goto(site)
    yield page
    context.close()
    assert not errors


def test_visitor_fills_a_basket_signs_up_at_checkout_orders_and_cancels(visitor):
    book = ProductFactory(name="Café Society", price=Decimal("12.50"))
    steps.search_for(visitor, "cafe society")
    steps.add_to_basket(visitor, book)
    steps.expect_basket_count(visitor, 1)
    visitor.get_by_role("link", name="See your basket").click()
    steps.change_quantity(visitor, book, 2)
    visitor.get_by_role("button", name="One more of Café Society").click()
    steps.expect_basket_count(visitor, 3)
    steps.remove_and_undo(visitor, book, 3)
    visitor.get_by_role("link", name="Check out").click()
    steps.sign_up(visitor, "jane@example.com")
    expect(visitor).to_have_url(re.compile("/order/address_select/$"))
    steps.add_address(visitor, "Jane Eyre")
    visitor.get_by_role("button", name="Place order").click()
    expect(visitor.get_by_role("heading", name="Thank you")).to_be_visible()
    steps.expect_basket_count(visitor, 0)
    visitor.get_by_role("link", name="See your order").click()
    expect(visitor.locator("main")).to_contain_text("3 × £12.50")
    expect(visitor.locator("main")).to_contain_text("£37.50")
    steps.cancel_order(visitor)
    order = Order.objects.get(user__email="jane@example.com")
    assert order.summary == "3 x Café Society"
    assert order.shipping_city == order.billing_city == "Leeds"
    assert {line.status for line in order.lines.all()} == {OrderLine.CANCELLED}


@pytest.fixture
def illustrated(settings, var_dir):
    # Where the server looks for pictures.
    settings.MEDIA_ROOT = var_dir / "media"
    book = ProductFactory(name="Emma")
    for position, colour in enumerate(["navy", "maroon"]):
        file = BytesIO()
        Image.new("RGB", (400, 600), colour).save(file, "JPEG")
        ProductImage.objects.create(product=book, position=position, image=ContentFile(file.getvalue(), "a.jpg"))
    return book


def test_thumbnail_switches_the_picture_and_the_address_stays(site, page, illustrated):
    page.goto(f"{site}/product/emma/")
    big = page.locator(".current-image img")
    first = big.get_attribute("src")
    page.locator(".image").nth(1).click()
    expect(big).not_to_have_attribute("src", first)
    expect(big).to_have_js_property("naturalHeight", 600)
    expect(page.locator(".image").nth(1)).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(f"{site}/product/emma/")


@pytest.fixture
def shelf(site, page):
    for number in range(60):
        ProductFactory(name=f"Novel {number:02}", price=Decimal(100 - number))
    page.goto(f"{site}/products/all/")
    page.evaluate("window.stayed = true")
    return page


def expect_list(page, address, first):
    expect(page).to_have_url(re.compile(re.escape(address) + "$"))
    expect(page.locator(".card__title").first).to_have_text(first)
    expect(page.locator("header.site-header")).to_be_visible()
    expect(page.locator("footer.site-footer")).to_be_visible()


def test_pages_orders_and_searches_stand_in_the_address_bar(shelf):
    shelf.get_by_role("link", name="Next").click()
    expect_list(shelf, "/products/all/?page=2", "Novel 24")
    shelf.get_by_label("Sort by").select_option("price")
    expect_list(shelf, "/products/all/?sort=price", "Novel 59")
    assert shelf.evaluate("window.stayed"), "the list was to be updated in place"
    steps.search_for(shelf, "novel 0")
    expect_list(shelf, "/products/all/?q=novel+0", "Novel 00")
    shelf.get_by_label("Sort by").select_option("price")
    expect_list(shelf, "/products/all/?q=novel+0&sort=price", "Novel 09")
    shelf.reload()
    expect_list(shelf, "/products/all/?q=novel+0&sort=price", "Novel 09")


def test_order_chosen_before_the_scripts_came_counts(shelf):
    held = []
    shelf.route("**/vendor/htmx-*.js", lambda route: held.append(route))
    with shelf.expect_request("**/vendor/htmx-*.js"):
        shelf.goto(shelf.url, wait_until="commit")
    shelf.get_by_label("Sort by").select_option("price")
    held.pop().continue_()
    expect_list(shelf, "/products/all/?sort=price", "Novel 59")


def test_one_field_to_search_in_says_what_is_searched_for(shelf):
    steps.search_for(shelf, "novel")
    expect(shelf.get_by_role("searchbox")).to_have_count(1)
    expect(shelf.get_by_role("searchbox")).to_have_value("novel")
    shelf.get_by_label("Sort by").select_option("price")
    expect_list(shelf, "/products/all/?q=novel&sort=price", "Novel 59")
    shelf.get_by_role("link", name="Next").click()
    expect_list(shelf, "/products/all/?q=novel&sort=price&page=2", "Novel 35")
    expect(shelf.get_by_role("searchbox")).to_have_value("novel")


def test_back_and_forward_show_whole_pages(shelf):
    shelf.get_by_role("link", name="Next").click()
    expect_list(shelf, "/products/all/?page=2", "Novel 24")
    shelf.get_by_label("Sort by").select_option("-price")
    expect_list(shelf, "/products/all/?sort=-price", "Novel 00")
    shelf.locator(".card__link").first.click()
    expect(shelf.get_by_role("heading", name="Novel 00", level=1)).to_be_visible()
    shelf.go_back()
    expect_list(shelf, "/products/all/?sort=-price", "Novel 00")
    shelf.go_back()
    expect_list(shelf, "/products/all/?page=2", "Novel 24")
    shelf.go_back()
    expect_list(shelf, "/products/all/", "Novel 00")
    shelf.go_forward()
    expect_list(shelf, "/products/all/?page=2", "Novel 24")


def test_login_says_which_books_came_along(site, page, log_in, alice):
    kept, brought = ProductFactory(name="Emma"), ProductFactory(name="Persuasion")
    basket = BasketFactory(user=alice)
    for book in (kept, brought):
        BasketLineFactory(basket=basket, product=book, quantity=2)
    page.goto(f"{site}/products/all/")
    steps.add_to_basket(page, brought)
    log_in(page, alice)
    expect(page.locator("#messages")).to_contain_text("is now in your basket: 1 x “Persuasion”.")
    steps.expect_basket_count(page, 5)


def press_by_keyboard(page, target):
    expect(target).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return page.keyboard.press("Enter")
    pytest.fail(f"Tab never reached {target}")


def test_keyboard_alone_buys_a_book(site, page, log_in, alice):
    AddressFactory(user=alice)
    ProductFactory(name="Emma")
    log_in(page, alice)
    page.goto(f"{site}/product/emma/")
    press_by_keyboard(page, page.get_by_role("button", name="Add to basket"))
    steps.expect_basket_count(page, 1)
    press_by_keyboard(page, page.get_by_role("link", name="See your basket"))
    press_by_keyboard(page, page.get_by_role("link", name="Check out"))
    press_by_keyboard(page, page.get_by_role("button", name="Place order"))
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Order.objects.get().user == alice


def test_who_removes_a_book_by_keyboard_stands_on_undo(site, page, log_in, alice):
    BasketLineFactory(basket=BasketFactory(user=alice), product=ProductFactory(name="Emma"))
    log_in(page, alice)
    page.goto(f"{site}/basket/")
    press_by_keyboard(page, page.get_by_role("button", name="Remove Emma"))
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Emma")).to_be_visible()


def test_each_press_counts_on_a_slow_line(site, page, log_in, alice):
    BasketLineFactory(basket__user=alice, quantity=2)
    log_in(page, alice)
    page.goto(f"{site}/basket/")
    held = []
    page.route("**/basket/lines/*/", lambda route: held.append(route))
    for presses in (1, 2):
        page.get_by_role("button", name="One more of").click()
        wait_until(lambda presses=presses: page.evaluate("true") and len(held) == presses, "request")
    held[-1].continue_()
    expect(page.get_by_role("spinbutton")).to_have_value("4")
    steps.expect_basket_count(page, 4)


def test_double_click_makes_one_order(site, page, log_in, alice):
    AddressFactory(user=alice)
    BasketLineFactory(basket=BasketFactory(user=alice))
    log_in(page, alice)
    page.goto(f"{site}/order/address_select/")
    page.get_by_role("button", name="Place order").dblclick()
    page.wait_for_url("**/order/done/")
    assert Order.objects.filter(user=alice).count() == 1


def test_smallest_phone_has_room_for_full_baskets_and_long_names(site, page, log_in, alice):
    AddressFactory(user=alice, name="Wolfeschlegelsteinhausenbergerdorff", address1="Llanfairpwllgwyngyll" * 3)
    basket = BasketFactory(user=alice)
    for _ in range(3):
        BasketLineFactory(basket=basket, quantity=99)
    page.set_viewport_size({"width": 320, "height": 700})
    log_in(page, alice)
    page.goto(f"{site}/order/address_select/")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    books, basket = (page.locator(f"header {each}").bounding_box() for each in (".site-header__books", "#basket-count"))
    assert books["y"] > basket["y"]


def test_narrow_header_keeps_the_basket_in_its_first_row(site, page):
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto(f"{site}/")
    books, basket = (page.locator(f"header {each}").bounding_box() for each in (".site-header__books", "#basket-count"))
    assert books["y"] > basket["y"]
    assert books["x"] < basket["x"]
