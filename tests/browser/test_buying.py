"""A visitor finds a book, buys it and changes their mind, with JavaScript and without."""

import pytest
from playwright.sync_api import Page, expect

from shop.models import Order, OrderLine
from tests.factories import AddressFactory, BasketFactory, BasketLineFactory, ProductFactory, UserFactory

pytestmark = pytest.mark.browser

ADDRESS = {"name": "Jane Eyre", "address1": "1 Thornfield Road", "zip_code": "LS1 4AP", "city": "Leeds"}


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def visitor(site, browser, request):
    context = browser.new_context(java_script_enabled=request.param, base_url=site)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def find_and_add(page: Page, title: str) -> None:
    page.goto("/")
    page.get_by_label("Search for books").fill(title)
    page.get_by_role("button", name="Search").first.click()
    page.get_by_role("link", name=title).first.click()
    page.get_by_role("button", name="Add to basket").click()
    expect(page.locator("#basket-count")).to_have_text("1")


def sign_up(page: Page, email: str) -> None:
    page.locator("main a[href*=signup]").click()
    page.locator("main input[name=email]").fill(email)
    page.locator("input[name=password1]").fill("correct-horse-battery")
    page.locator("input[name=password2]").fill("correct-horse-battery")
    page.locator("main").get_by_role("button", name="Sign up").click()


def add_address(page: Page) -> None:
    for name, text in ADDRESS.items():
        page.locator(f"main [name={name}]").fill(text)
    page.get_by_role("button", name="Save address").click()


def test_visitor_buys_a_book_signing_up_on_the_way_and_cancels(visitor):
    emma = ProductFactory(name="Emma", price="8.99")
    find_and_add(visitor, "Emma")
    visitor.goto("/basket/")
    visitor.get_by_role("button", name="One more of Emma").click()
    expect(visitor.locator("#basket-count")).to_have_text("2")
    visitor.locator("a[href*=address_select]").first.click()
    sign_up(visitor, "jane@example.com")
    add_address(visitor)
    visitor.get_by_role("button", name="Place order").click()
    visitor.wait_for_url("**/order/done/")
    order = Order.objects.get(user__email="jane@example.com")
    assert [line.product for line in order.lines.all()] == [emma, emma]
    assert order.shipping_city == order.billing_city == "Leeds"
    visitor.goto(f"/orders/{order.pk}/")
    visitor.get_by_text("Cancel order", exact=True).click()
    visitor.get_by_role("button", name=f"Yes, cancel order {order.pk}").click()
    expect(visitor.get_by_text("This order was cancelled")).to_be_visible()
    assert {line.status for line in order.lines.all()} == {OrderLine.CANCELLED}


def test_what_was_taken_out_comes_back(visitor):
    ProductFactory(name="Emma")
    find_and_add(visitor, "Emma")
    visitor.goto("/basket/")
    visitor.get_by_role("button", name="Remove").click()
    expect(visitor.locator("#basket-count")).to_have_text("0")
    visitor.get_by_role("button", name="Undo").click()
    expect(visitor.locator("#basket-count")).to_have_text("1")


def test_sorting_and_turning_pages_keep_the_address_and_the_way_back(site, page):
    for number in range(30):
        ProductFactory(name=f"Book {number:02}", price=30 - number)
    page.goto(f"{site}/products/all/")
    page.locator("#list-sort").select_option("price")
    page.wait_for_url("**/products/all/?sort=price")
    expect(page.locator(".card__title").first).to_have_text("Book 29")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**sort=price&page=2")
    expect(page.locator(".card__title").first).to_have_text("Book 05")
    page.go_back()
    expect(page.locator(".card__title").first).to_have_text("Book 29")
    expect(page.locator("header .wordmark")).to_be_visible()


def test_login_says_what_was_merged(site, page, log_in):
    person, emma = UserFactory(), ProductFactory(name="Emma")
    BasketLineFactory(basket=BasketFactory(user=person), product=emma, quantity=2)
    page.goto(f"{site}/product/emma/")
    page.get_by_role("button", name="Add to basket").click()
    expect(page.locator("#basket-count")).to_have_text("1")
    log_in(page, person)
    expect(page.locator("#messages")).to_contain_text("Emma")
    expect(page.locator("#basket-count")).to_have_text("3")


def test_checkout_by_keyboard_alone(site, page, log_in):
    person = UserFactory()
    AddressFactory(user=person)
    ProductFactory(name="Emma")
    log_in(page, person)
    page.goto(f"{site}/product/emma/")
    page.get_by_role("button", name="Add to basket").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#basket-count")).to_have_text("1")
    page.goto(f"{site}/order/address_select/")
    page.locator("input[name=shipping_address]").focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.locator(":focus").get_attribute("class") == "btn btn--primary btn--block":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/order/done/")
    assert Order.objects.filter(user=person).count() == 1
