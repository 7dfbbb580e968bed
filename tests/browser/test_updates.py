"""Every update in place, as who sees no screen and who has no mouse meet it: the focus stays, and what changed is said.

The updates are collected from the templates: one that nothing here does fails the first test.
"""

import re
from collections import Counter
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from playwright.sync_api import Page, expect

from shop.models import DeliveryMethod, ProductImage
from support.models import Chat, ChatMessage
from tests.addresses import picture
from tests.factories import (
    AddressFactory,
    AuthorFactory,
    BasketFactory,
    BasketLineFactory,
    OrderFactory,
    OrderLineFactory,
    ProductFactory,
    SeriesFactory,
)
from tests.servers import wait_until

TEMPLATES = settings.BASE_DIR / "templates"
UPDATE = re.compile(
    r"""(?:hx-(?:get|post|put|patch|delete)|sse-swap)="[^"]*"|_pagination\.html" with .*target="[^"]*\""""
)


def updates_in_templates() -> Counter[tuple[str, str]]:
    return Counter(
        (str(path.relative_to(TEMPLATES)), found)
        for path in TEMPLATES.rglob("*.html")
        for found in UPDATE.findall(path.read_text())
        if '"{target' not in found and "{{ target }}" not in found
    )


class Scene(NamedTuple):
    site: str
    page: Page
    log_in: Any
    browser: Any

    def open(self, path: str, person: Any = None) -> Page:
        if person:
            self.log_in(self.page, person)
        self.page.goto(f"{self.site}{path}")
        self.page.evaluate("window.stayed = true")
        return self.page

    def press(self, role: str, name: Any, key: str = "Enter") -> None:
        button = self.page.get_by_role(role, name=name, exact=isinstance(name, str))
        button.focus()
        button.press(key)


DONE = []


def does(template, attribute):
    """Mark what does an update; it gives back what has the focus then, and what is said."""

    def mark(do):
        DONE.append(pytest.param(template, attribute, do, id=do.__name__))
        return do

    return mark


def shelf(**fields):
    for number in range(30):
        ProductFactory(name=f"Novel {number:02}", **fields)


PAGER = ("_pagination.html", 'hx-get="{{ address }}"')


@does(*PAGER)
def turn_on(scene, alice, erin):
    shelf()
    scene.open("/products/all/")
    scene.press("link", "Next")
    expect(scene.page).to_have_title("All books, page 2, BookTime")
    return "main h1", "Page 2 of 2, 30 books."


@does(*PAGER)
def turn_back(scene, alice, erin):
    shelf()
    scene.open("/products/all/?page=2")
    scene.press("link", "Previous")
    expect(scene.page).to_have_title("All books, BookTime")
    return "main h1", "Page 1 of 2, 30 books."


@does(*PAGER)
def turn_to_a_number(scene, alice, erin):
    shelf()
    scene.open("/products/all/")
    scene.press("link", "Page 2")
    return "main h1", "Page 2 of 2, 30 books."


@does("shop/product_list.html", '_pagination.html" with target="#product-list"')
def turn_on_in_a_search(scene, alice, erin):
    shelf()
    scene.open("/products/all/?q=novel")
    scene.press("link", "Next")
    expect(scene.page.get_by_label("Search for books")).to_have_value("novel")
    return "main h1", "Page 2 of 2, 30 books."


@does("shop/author_or_series.html", '_pagination.html" with target="#their-books"')
def turn_on_at_an_author(scene, alice, erin):
    author = AuthorFactory(name="Agatha Christie")
    shelf()
    author.products.set(type(author).products.rel.related_model.objects.all())
    scene.open("/author/agatha-christie/")
    scene.press("link", "Next")
    expect(scene.page).to_have_title("Agatha Christie, page 2, BookTime")
    return "main h1", "Page 2 of 2, 30 books."


@does("shop/author_or_series.html", '_pagination.html" with target="#their-books"')
def turn_on_in_a_series(scene, alice, erin):
    shelf(series=SeriesFactory(name="Discworld"))
    scene.open("/series/discworld/")
    scene.press("link", "Next")
    expect(scene.page).to_have_title("Discworld, page 2, BookTime")
    return "main h1", "Page 2 of 2, 30 books."


@does("shop/orders.html", '_pagination.html" with target="#order-list"')
def turn_on_in_orders(scene, alice, erin):
    for _ in range(11):
        OrderLineFactory(order__user=alice)
    scene.open("/orders/", alice)
    scene.press("link", "Next")
    expect(scene.page).to_have_title("Your orders, page 2, BookTime")
    return "main h1", "Page 2 of 2, 11 orders."


@does("staff/order_dashboard.html", '_pagination.html" with page=table.page target="#order-results"')
def turn_on_in_the_dashboard(scene, alice, erin):
    OrderFactory.create_batch(26, user=alice)
    scene.open("/order-dashboard/", erin)
    scene.press("link", "Next")
    expect(scene.page).to_have_title("Orders, page 2, BookTime")
    return "#order-results h2", "Page 2 of 2, 26 orders."


@does("shop/product_list.html", 'hx-get="{{ request.path }}"')
def sort(scene, alice, erin):
    shelf()
    scene.open("/products/all/?page=2")
    scene.page.get_by_label("Sort by").focus()
    scene.page.get_by_label("Sort by").select_option("price")
    return "#list-sort", "Page 1 of 2, 30 books."


def a_basket(user, quantity=2, **fields):
    basket = BasketFactory(user=user)
    return [
        BasketLineFactory(basket=basket, product=ProductFactory(name=name, **fields), quantity=quantity)
        for name in ("Emma", "Persuasion")
    ]


STEPPER = ("shop/_basket_line.html", 'hx-post="{{ update }}"')


@does(*STEPPER)
def one_more(scene, alice, erin):
    line, _ = a_basket(alice)
    scene.open("/basket/", alice)
    scene.press("button", "One more of Emma")
    return f"#more-{line.pk}", "3 of Emma for £30.00. 5 books for £50.00 in your basket."


@does(*STEPPER)
def one_fewer_until_there_is_one(scene, alice, erin):
    line, _ = a_basket(alice)
    scene.open("/basket/", alice)
    scene.press("button", "One fewer of Emma")
    expect(scene.page.get_by_role("button", name="One fewer of Emma")).to_be_disabled()
    return f"#quantity-{line.pk}", "1 of Emma for £10.00. 3 books for £30.00 in your basket."


@does(*STEPPER)
def type_what_is_no_quantity(scene, alice, erin):
    line, _ = a_basket(alice)
    scene.open("/basket/", alice)
    scene.page.get_by_label("Quantity of Emma").fill("500")
    scene.page.keyboard.press("Enter")
    return f"#quantity-{line.pk}", "Choose a quantity from 1 to 99. 4 books for £40.00 in your basket."


@does(*STEPPER)
def type_and_go_on_to_what_has_no_id(scene, alice, erin):
    a_basket(alice)
    scene.open("/basket/", alice)
    scene.page.get_by_label("Quantity of Emma").fill("7")
    scene.page.get_by_role("link", name="Persuasion").focus()
    return ".line__title >> text=Persuasion", "7 of Emma for £70.00. 9 books for £90.00 in your basket."


REMOVE = ("shop/_basket_line.html", 'hx-post="{{ remove }}"')


@does(*REMOVE)
def remove(scene, alice, erin):
    a_basket(alice)
    scene.open("/basket/", alice)
    scene.press("button", "Remove Emma")
    return "#undo", "Removed Emma. 2 books for £20.00 in your basket."


@does(*REMOVE)
def remove_what_is_gone(scene, alice, erin):
    line, other = a_basket(alice)
    scene.open("/basket/", alice)
    line.delete()
    other.delete()
    scene.press("button", "Remove Emma")
    return "main h1", "That book is not in your basket any more. Nothing is left in your basket."


@does("shop/basket.html", """hx-post="{% url 'basket_line_restore' removed.product %}\"""")
def undo(scene, alice, erin):
    a_basket(alice)
    scene.open("/basket/", alice)
    scene.press("button", "Remove Emma")
    scene.press("button", "Undo")
    expect(scene.page.locator(".line__title")).to_have_text(["Emma", "Persuasion"])
    return "h2:has-text('Emma')", "Emma is back. 4 books for £40.00 in your basket."


@does("shop/product_detail.html", """hx-post="{% url 'basket_add' %}\"""")
def add(scene, alice, erin):
    ProductFactory(name="Emma")
    scene.open("/product/emma/")
    scene.press("button", "Add to basket")
    return "button:has-text('Add to basket')", "1 book in your basket."


@does("shop/product_detail.html", 'hx-get="?image={{ forloop.counter }}"')
def switch_picture(scene, alice, erin):
    book = ProductFactory(name="Emma")
    for position in range(3):
        ProductImage.objects.create(product=book, position=position, image=ContentFile(picture().read(), "a.jpg"))
    scene.open("/product/emma/")
    scene.press("link", "Picture 2")
    return "#picture-2", "Picture 2 of 3."


ASK = """hx-get="{% url 'address_delete' address.pk %}\""""


@does("shop/addresses.html", ASK)
def ask_to_delete_an_address(scene, alice, erin):
    AddressFactory(user=alice)
    scene.open("/address/", alice)
    scene.press("link", re.compile("^Delete the address"))
    return "h2:has-text('Delete this address?')", "Delete this address, or keep it."


@does("shop/address_delete.html", """hx-get="{% url 'address_list' %}?kept={{ address.pk }}\"""")
def keep_an_address(scene, alice, erin):
    _, second = (AddressFactory(user=alice, name=name) for name in ("Jane Eyre", "Helen Burns"))
    scene.open("/address/", alice)
    scene.press("link", "Delete the address of Helen Burns in Leeds")
    scene.press("link", "Keep it")
    return f"#address-{second.pk} a:has-text('Delete')", "2 addresses in the list."


@does("shop/address_delete.html", """hx-post="{% url 'address_delete' address.pk %}\"""")
def delete_an_address(scene, alice, erin):
    AddressFactory(user=alice)
    scene.open("/address/", alice)
    scene.press("link", re.compile("^Delete the address"))
    scene.press("button", "Delete the address")
    expect(scene.page.locator("#messages")).to_contain_text("The address in Leeds is deleted.")
    return "main h1", "No addresses are left."


def fill_address(page, **fields):
    fields = {"name": "Jane Eyre", "address1": "1 Thornfield Road", "zip_code": "LS1", "city": "Leeds"} | fields
    for name, text in fields.items():
        page.locator(f"#checkout details [name={name}]").fill(text)
    page.locator("#checkout details [name=country]").select_option("uk")


SAVE = ("shop/checkout.html", 'hx-post="{{ create }}"')


@does(*SAVE)
def save_an_address(scene, alice, erin):
    a_basket(alice)
    page = scene.open("/order/address_select/", alice)
    fill_address(page)
    scene.press("button", "Save address")
    return "[name=shipping_address]", "The address is saved and chosen."


@does(*SAVE)
def save_half_an_address(scene, alice, erin):
    a_basket(alice)
    page = scene.open("/order/address_select/", alice)
    fill_address(page, city="")
    scene.press("button", "Save address")
    return "[name=city]", "The address is not saved yet. Town or city: This field is required."


def deliveries():
    for name, price, country in (("Slow", "2.95", "uk"), ("Fast", "4.50", "uk"), ("Abroad", "9.95", "us")):
        DeliveryMethod.objects.create(name=name, price=price, countries=[country], days_from=2, days_to=3)


@does("shop/checkout.html", 'hx-get="{{ here }}"')
def choose_a_way_of_delivery(scene, alice, erin):
    a_basket(alice)
    AddressFactory(user=alice)
    deliveries()
    page = scene.open("/order/address_select/", alice)
    page.get_by_role("radio", name=re.compile("^Slow")).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#order-totals")).to_contain_text("£44.50")
    return "[name=delivery_method]:checked", "Delivery £4.50, total £44.50."


@does("shop/_address_choice.html", """hx-get="{% url 'order_address_select' %}\"""")
def choose_an_address_abroad(scene, alice, erin):
    a_basket(alice)
    AddressFactory(user=alice, country="us")
    AddressFactory(user=alice)
    deliveries()
    page = scene.open("/order/address_select/", alice)
    page.locator("[name=shipping_address]:checked").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=re.compile("^Abroad"))).to_be_checked()
    expect(page.locator("[name=total]")).to_have_value("49.95")
    return "[name=shipping_address]:checked", "Delivery £9.95, total £49.95."


@does("shop/_address_fields.html", 'hx-post="{{ validate_url }}"')
def choose_the_country_of_an_address(scene, alice, erin):
    page = scene.open("/address/create/", alice)
    page.get_by_label("Town or city").fill("Springfield")
    page.get_by_label("Country").focus()
    page.get_by_label("Country").select_option("us")
    expect(page.get_by_label("ZIP code")).to_be_visible()
    expect(page.get_by_label("City")).to_have_value("Springfield")
    expect(page.get_by_label(re.compile("^State"))).to_be_visible()
    return "#id_country", "These are the fields of an address in United States."


@does("_live_error.html", 'hx-post="{{ validate_url }}"')
def leave_a_field(scene, alice, erin):
    page = scene.open("/signup/")
    page.get_by_label("E-mail address").press_sequentially("jane@")
    page.keyboard.press("Tab")
    return "[name=password1]", "E-mail address: Enter a valid email address."


FILTER = """hx-get="{% url 'order_dashboard' %}\""""
SORT = """hx-get="{% querystring sort=column.order_by_alias.next page=None %}\""""
PAID = """hx-post="{{ paid_url }}{% if query %}?{{ query }}{% endif %}\""""


@does("staff/order_dashboard.html", FILTER)
def filter_orders(scene, alice, erin):
    OrderFactory(user=alice)
    page = scene.open("/order-dashboard/", erin)
    page.get_by_label("E-mail contains").press_sequentially("bob")
    return "[name=user__email__icontains]", "0 orders."


@does("staff/order_dashboard.html", SORT)
def sort_orders(scene, alice, erin):
    OrderFactory.create_batch(26, user=alice)
    scene.open("/order-dashboard/", erin)
    scene.press("link", "Customer")
    return "#sort-user__email", "Page 1 of 2, 26 orders."


@does("staff/order_dashboard.html", PAID)
def mark_paid(scene, alice, erin):
    order = OrderFactory(user=alice)
    scene.open("/order-dashboard/", erin)
    scene.press("button", re.compile(f"order {order.pk} "))
    expect(scene.page.locator("#messages")).to_contain_text("is paid")
    return f"tr:has-text('{order.pk}') >> text=Invoice", "1 order."


@does("staff/order_dashboard.html", PAID)
def mark_the_last_new_order_paid(scene, alice, erin):
    order = OrderFactory(user=alice)
    scene.open("/order-dashboard/?status=10", erin)
    scene.press("button", re.compile(f"order {order.pk} "))
    return "#order-results h2 >> nth=0", "0 orders."


@does("support/chat_detail.html", 'hx-get="?before={{ log.0.pk }}"')
def see_earlier_messages(scene, alice, erin):
    order = OrderFactory(user=alice)
    OrderLineFactory(order=order)
    ChatMessage.objects.bulk_create([ChatMessage(order=order, sender=alice, message=str(n)) for n in range(201)])
    scene.open(f"/customer-service/{order.pk}/", alice)
    scene.press("link", "Earlier messages")
    return "#chat-log", "1 earlier message is shown."


@does("support/customer_service.html", 'sse-swap="presence"')
def see_a_shopper_come(scene, alice, erin):
    first, second = OrderFactory.create_batch(2, user=alice)
    for order in (first, second):
        OrderLineFactory(order=order)
    Chat.objects.of(first).post(alice, "Where is it?")
    page = scene.open("/customer-service/", erin)
    expect(page.locator("#stream-status")).to_have_text("Live")
    page.get_by_role("link", name=f"Order {first.pk}", exact=True).focus()
    ask_about(second, scene, alice)
    return f"#chat-of-{first.pk}", "2 waiting now."


def ask_about(order, scene, shopper):
    context = scene.browser.new_context()
    page = context.new_page()
    scene.log_in(page, shopper)
    page.goto(f"{scene.site}/customer-service/{order.pk}/")
    page.locator("#chat-message-input").fill("Where is it?")
    page.locator("#chat-message-submit").click()
    expect(scene.page.get_by_role("link", name=f"Order {order.pk}", exact=True)).to_be_visible()
    expect(scene.page.locator(".chat-row--waiting", has_text=f"Order {order.pk}")).to_be_visible()
    context.close()


def test_each_update_in_the_templates_is_done_here():
    assert updates_in_templates() - Counter((row.values[0], row.values[1]) for row in DONE) == Counter()


def test_nothing_is_done_here_that_is_no_more():
    assert {(row.values[0], row.values[1]) for row in DONE} == set(updates_in_templates())


def test_each_update_names_what_failed_where_it_fails():
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        for found in re.finditer(r'hx-(?:get|post|put|patch|delete)="', text):
            tag = text[text.rindex("<", 0, found.start()) : text.index(">", found.end())]
            assert "data-failure=" in tag or '<nav class="pagination" aria-label="Pages" data-failure=' in text, tag


@pytest.fixture
def scene(site, page, log_in, browser, settings, var_dir):
    settings.MEDIA_ROOT = var_dir / "media"  # where the server looks for pictures
    return Scene(site, page, log_in, browser)


@pytest.mark.parametrize(("template", "attribute", "do"), DONE)
def test_update_keeps_the_focus_and_says_what_changed(scene, alice, erin, template, attribute, do):
    focused, said = do(scene, alice, erin)
    expect(scene.page.locator("#spoken")).to_have_text(said)
    expect(scene.page.locator(focused).first).to_be_focused()
    assert scene.page.evaluate("window.stayed"), "it was to be updated in place"
    # Many screen readers skip one that comes with its text.
    assert (
        scene.page.locator(
            "main :is([aria-live], [role=status], [role=alert]):not(#stream-status, #chat-status, #chat-log)"
        ).count()
        == 0
    )


def test_page_that_comes_back_has_the_focus_on_its_heading_and_says_its_title(scene):
    shelf()
    page = scene.open("/products/all/")
    scene.press("link", "Next")
    expect(page.locator("#spoken")).to_have_text("Page 2 of 2, 30 books.")
    page.go_back()
    expect(page.locator("#spoken")).to_have_text("All books, BookTime")
    expect(page.locator("main h1")).to_be_focused()


def test_who_went_on_to_another_part_of_the_page_is_left_there(scene, alice):
    a_basket(alice)
    page = scene.open("/basket/", alice)
    held = []
    page.route("**/basket/lines/*/remove/", lambda route: held.append(route))
    scene.press("button", "Remove Emma")
    page.get_by_label("Search for books").focus()
    wait_until(lambda: page.evaluate("true") and held, "request")
    held.pop().continue_()
    expect(page.locator("#undo")).to_be_visible()
    expect(page.get_by_label("Search for books")).to_be_focused()


def test_region_that_speaks_is_empty_at_first_and_never_swapped(scene, alice):
    a_basket(alice)
    page = scene.open("/basket/", alice)
    region = page.locator("#spoken")
    expect(region).to_be_empty()
    region.evaluate("region => { window.region = region }")
    scene.press("button", "One more of Emma")
    expect(region).not_to_be_empty()
    assert region.evaluate("region => region === window.region")


def test_what_was_pressed_stays_in_view(scene, alice, erin):
    OrderFactory.create_batch(25, user=alice)
    scene.page.set_viewport_size({"width": 320, "height": 700})
    page = scene.open("/order-dashboard/", erin)
    scene.press("link", "Customer")
    expect(page.locator("#spoken")).to_have_text("25 orders.")
    expect(page.locator("#sort-user__email")).to_be_in_viewport()


def test_stream_takes_the_focus_from_nobody(scene, alice, erin):
    order = OrderFactory(user=alice)
    page = scene.open("/customer-service/", erin)
    expect(page.locator("#stream-status")).to_have_text("Live")
    ask_about(order, scene, alice)
    expect(page.locator("#spoken")).to_have_text("1 waiting now.")
    assert page.evaluate("document.activeElement === document.body")
