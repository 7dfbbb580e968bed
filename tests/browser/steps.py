"""What a shopper does, in words: each step begins on the page where the one before ended, with JavaScript on or off."""

from typing import Any

from playwright.sync_api import Page, expect

PASSWORD = "quiet-harbour-lamp-42"


def search_for(page: Page, words: str) -> None:
    page.get_by_label("Search for books").fill(words)
    with page.expect_navigation():
        page.get_by_label("Search for books").press("Enter")


def add_to_basket(page: Page, book: Any) -> None:
    """From a list that shows the book."""
    page.locator(".card__link", has_text=book.name).click()
    page.get_by_role("button", name="Add to basket").click()
    expect(page.locator("#messages")).to_contain_text(f"“{book.name}” is in your basket.")


def expect_basket_count(page: Page, count: int) -> None:
    expect(page.locator("#basket-count")).to_have_text(str(count))


def change_quantity(page: Page, book: Any, quantity: int) -> None:
    entry = page.get_by_label(f"Quantity of {book.name}")
    entry.fill(str(quantity))
    entry.press("Enter")
    expect_basket_count(page, quantity)
    expect(entry).to_have_value(str(quantity))


def remove_and_undo(page: Page, book: Any, quantity: int) -> None:
    page.get_by_role("button", name=f"Remove {book.name}").click()
    expect(page.get_by_role("heading", name="Your basket is empty")).to_be_visible()
    expect_basket_count(page, 0)
    page.get_by_role("button", name="Undo").click()
    expect_basket_count(page, quantity)


def sign_up(page: Page, email: str) -> None:
    """From the log-in page."""
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()


def add_address(page: Page, name: str) -> None:
    """On the checkout page."""
    form = page.locator("#checkout details form")
    for field, text in {"name": name, "address1": "1 Thornfield Road", "zip_code": "LS1 4AP", "city": "Leeds"}.items():
        form.locator(f"[name={field}]").fill(text)
    form.locator("[name=country]").select_option("uk")
    form.get_by_role("button", name="Save address").click()
    expect(page.get_by_role("group", name="Deliver to").get_by_label(name)).to_be_checked()


def cancel_order(page: Page) -> None:
    """On the order's page."""
    page.get_by_text("Cancel order", exact=True).click()
    page.get_by_role("button", name="Yes, cancel order").click()
    expect(page.get_by_text("This order was cancelled")).to_be_visible()
