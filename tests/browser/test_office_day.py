"""A day's work in the three offices."""

import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from shop.models import Order, Product
from tests.factories import PASSWORD, OrderFactory, OrderLineFactory, ProductFactory

pytestmark = pytest.mark.browser


@pytest.fixture
def enter(site, browser):
    """Log a person in to an office, in a browser of their own; complaints of the browser fail the test."""
    complaints, contexts = [], []

    def enter(office, person):
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{site}/{office}/")
        page.get_by_label("E-mail address").fill(person.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        return page

    yield enter
    for context in contexts:
        context.close()
    assert complaints == []


def picture(name, colour):
    file = BytesIO()
    Image.new("RGB", (400, 600), colour).save(file, "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": file.getvalue()}


def test_employee_adds_a_book_and_sorts_its_pictures(site, enter, erin):
    page = enter("office-admin", erin)
    page.goto(f"{site}/office-admin/shop/product/add/")
    page.get_by_label("Name:").press_sequentially("Émile and the Detectives")
    expect(page.get_by_label("Slug:")).to_have_value("emile-and-the-detectives")
    page.get_by_label("Price:").fill("8.99")
    page.get_by_label("Add pictures:").set_input_files([picture("a.jpg", "navy"), picture("b.jpg", "maroon")])
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator("td.field-preview img")).to_have_count(2)
    first, second = Product.objects.get().images.all()
    page.locator(".drag-handle").first.press("ArrowDown")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert list(Product.objects.get().images.all()) == [second, first]


def test_dispatcher_packs_with_a_scanner(site, enter, dan, alice):
    order = OrderFactory(user=alice, status=Order.PAID)
    OrderLineFactory.create_batch(2, order=order, product=ProductFactory(name="Emma", isbn="9780141439587"))
    OrderLineFactory(order=order, product=ProductFactory(name="Walden", isbn="9780691096124"))
    page = enter("dispatch-admin", dan)
    # A scanner types what it reads, and Enter: first the slip's bar code, then a book's.
    page.goto(f"{site}/dispatch-admin/shop/order/")
    page.locator("#searchbar").focus()
    page.keyboard.type(f"BT{order.pk}\n")
    page.locator("#result_list tbody").get_by_role("link", name=str(order.pk)).click()
    page.get_by_role("link", name="Pack", exact=True).click()
    expect(page.locator("#isbn")).to_be_focused()
    for isbn, said in (
        ("9780141439587", "In the box: Emma"),
        ("9780691096124", "In the box: Walden"),
        ("9780691096124", "Too many of Walden"),
        ("978-0-14-143958-7", "3 of 3"),
    ):
        page.keyboard.type(f"{isbn}\n")
        expect(page.locator("#packing")).to_contain_text(said)
        expect(page.locator("#isbn")).to_be_focused()
        expect(page.locator("#isbn")).to_have_value("")
    page.get_by_label("Carrier").fill("Royal Mail")
    page.get_by_label("Tracking number").fill("JD1")
    page.get_by_role("button", name="Send parcel").click()
    expect(page.get_by_text(f"Order {order.pk} is done")).to_be_visible()
    assert order.parcels.get().lines.count() == 3


def test_order_goes_from_new_to_done(site, enter, alice, erin, dan):
    order = OrderFactory(user=alice)
    OrderLineFactory.create_batch(2, order=order)
    office = enter("office-admin", erin)
    office.goto(f"{site}/order-dashboard/")
    office.get_by_role("button", name=f"Mark order {order.pk} as paid").click()
    expect(office.get_by_text(f"Order {order.pk} is paid.")).to_be_visible()
    dispatch = enter("dispatch-admin", dan)
    dispatch.goto(f"{site}/dispatch-admin/shop/order/{order.pk}/change/")
    for select in dispatch.locator("select[name$='-status']:not([name*='__prefix__'])").all():
        select.select_option("30")
    dispatch.get_by_role("button", name="Save", exact=True).click()
    expect(dispatch.get_by_text(f"Order {order.pk} is done")).to_be_visible()
    assert Order.objects.get().status == Order.DONE
    office.goto(f"{site}/office-admin/shop/order/{order.pk}/change/")
    expect(office.get_by_text("Done", exact=True).first).to_be_attached()
    office.get_by_role("link", name="Invoice", exact=True).click()
    expect(office.get_by_role("heading", name=f"Invoice BT{order.pk}")).to_be_visible()


def test_dashboard_filters_in_place_and_keeps_the_address(site, enter, alice, bob, erin):
    hers, his = OrderFactory(user=alice), OrderFactory(user=bob)
    page = enter("office-admin", erin)
    page.goto(f"{site}/order-dashboard/")
    page.get_by_label("E-mail contains").fill("alice")
    expect(page.get_by_role("table").get_by_role("link", name=str(his.pk), exact=True)).to_have_count(0)
    expect(page.get_by_role("table").get_by_role("link", name=str(hers.pk), exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("user__email__icontains=alice"))
    page.reload()
    expect(page.get_by_text("1 order", exact=True)).to_be_visible()


def test_owner_reads_the_reports(site, enter, olga):
    OrderLineFactory(product=ProductFactory(name="Emma"))
    page = enter("admin", olga)
    for link in ("Orders per day", "Revenue per day", "Most bought products"):
        page.goto(f"{site}/admin/")
        page.get_by_role("link", name=link).click()
        # Chart.js makes a block of the canvas that it draws on.
        expect(page.locator("#report-chart")).to_have_css("display", "block")
    expect(page.get_by_role("cell", name="Emma")).to_be_visible()
    marks = page.evaluate("Chart.getChart('report-chart').scales.x.ticks.map((tick) => tick.label)")
    assert marks == ["0", "1"]  # nobody buys half a book
    page.get_by_label("Bought in the last").select_option("90")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("cell", name="Emma")).to_be_visible()


@pytest.mark.parametrize("width", [400, 1280])
def test_no_page_is_wider_than_its_window(site, enter, alice, erin, width):
    order = OrderFactory(user=alice)
    OrderLineFactory(order=order, product=ProductFactory(name="Les Misérables"))
    page = enter("office-admin", erin)
    page.set_viewport_size({"width": width, "height": 900})
    orders = "office-admin/shop/order/"
    for path in ("order-dashboard/", orders, f"{orders}{order.pk}/change/", "office-admin/orders_per_day/"):
        page.goto(f"{site}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{site}/{orders}{order.pk}/change/")
    title = page.get_by_text("Les Misérables")
    assert title.bounding_box()["width"] > 80  # in one piece
