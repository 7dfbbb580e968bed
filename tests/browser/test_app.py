"""The mobile app on an emulated phone, against a daphne of its own that is stopped and started again.

Not by `wait_for_function`: it looks a second time by eval(), which the content security policy forbids.
"""

import json
import re

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from shop.models import Order
from support.models import ChatMessage, DeviceToken
from tests.browser.conftest import SITE
from tests.factories import PASSWORD, OrderFactory, OrderLineFactory, ProductFactory, UserFactory
from tests.servers import Daphne, wait_until
from tests.support.carriers import carrier

PHONE = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36",
}

HOLD_THE_CARRIERS_ANSWER = """() => {
    const ask = window.fetch;
    window.fetch = async (address, options) => {
        const answer = await ask(address, options);
        if (!address.includes("tracker")) return answer;
        const text = await answer.text();
        await new Promise((resolve) => { window.let_go = resolve; });
        return new Response(text);
    };
}"""


@pytest.fixture(scope="module")
def company():
    with carrier() as made:
        made.says(b"Out for delivery")
        yield made


@pytest.fixture(scope="module")
def server(daphne_variables, var_dir, company):
    with Daphne(var_dir, {**daphne_variables, "TRACKER_URL": company.url}, SITE) as running:
        yield running


@pytest.fixture
def order(transactional_db):
    alice = UserFactory(email="alice@example.com", first_name="Alice", last_name="Liddell")
    order = OrderFactory(user=alice, status=Order.PAID)
    OrderLineFactory(order=order, product=ProductFactory(name="Siddhartha"), price="12.50")
    OrderLineFactory(order=order, product=ProductFactory(name="Emma"), price="8.00")
    yield order
    cache.clear()


@pytest.fixture
def phone(browser, server, order):
    context = browser.new_context(**PHONE)
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(f"{server.url}/app/")
    yield page
    assert not errors
    context.close()


@pytest.fixture
def inside(phone):
    log_in(phone)
    return phone


def log_in(page, password=PASSWORD):
    page.locator("#login-email").fill("alice@example.com")
    page.locator("#login-password").fill(password)
    page.get_by_role("button", name="Log in").tap()
    if password == PASSWORD:
        page.locator("#orders li").first.wait_for()


def write(page, text):
    page.locator("#chat-message-input").fill(text)
    page.locator("#chat-message-submit").tap()


def read_again(page):
    """Have the list asked for again, and wait until the app has taken the answer in."""
    page.evaluate("localStorage.removeItem('booktime-app-orders-at'); dispatchEvent(new Event('online'))")
    wait_until(lambda: page.evaluate("localStorage.getItem('booktime-app-orders-at')"), "the list's answer")


def until_worker_is_ready(page):
    page.evaluate("navigator.serviceWorker.ready")
    kept = "caches.keys().then(async (k) => k.length && (await (await caches.open(k[0])).keys()).length)"
    wait_until(lambda: page.evaluate(kept), "keeping of the app's files")


def said(page, text, state="Sent"):
    return page.locator("#chat-log .msg--own", has_text=text).filter(has_text=state)


def test_wrong_password_is_explained(phone):
    log_in(phone, "wrong")
    phone.get_by_text("Wrong e-mail address or password.").wait_for()
    assert phone.locator("#orders").is_hidden()


def test_orders_show_what_there_is_and_one_opens_its_chat_and_parcel(inside, order):
    row = inside.locator("#orders li")
    assert "1 x Siddhartha, 1 x Emma" in row.inner_text()
    assert "£20.50" in row.inner_text()
    assert "Paid" in row.inner_text()
    row.tap()
    inside.locator("#shipment", has_text="Out for delivery").wait_for()
    write(inside, "Is it gift-wrapped?")
    said(inside, "Is it gift-wrapped?").wait_for()
    assert ChatMessage.objects.get().message == "Is it gift-wrapped?"


def test_order_without_a_picture_gets_a_cover_with_its_title(inside):
    title = inside.locator("#orders .cover--blank > span")
    assert title.inner_text() == "Siddhartha"
    assert title.bounding_box()["width"] > 30


def test_list_that_has_not_changed_keeps_the_readers_place(inside, order):
    link = inside.locator("#orders a")
    link.focus()
    read_again(inside)
    assert link.evaluate("link => link === document.activeElement")


def test_older_orders_stay_when_the_newest_are_read_again(phone, order):
    OrderFactory.create_batch(50, user=order.user)
    log_in(phone)
    phone.get_by_role("button", name="Show older orders").tap()
    phone.locator("#orders li", has_text="Siddhartha").wait_for()
    read_again(phone)
    assert phone.locator("#orders li").count() == 51
    assert phone.get_by_role("button", name="Show older orders").is_hidden()


def test_back_leads_to_the_orders_and_then_out_of_the_app(inside):
    inside.locator("#orders a").tap()
    expect(inside).to_have_url(re.compile("order="))
    inside.go_back()
    inside.locator("#orders").wait_for()
    inside.locator("#orders a").tap()
    inside.get_by_label("Back to your orders").tap()
    inside.locator("#orders").wait_for()
    expect(inside).to_have_url(re.compile("/app/$"))


def test_unsent_message_survives_closing_the_app_without_a_server(inside, server, order):
    until_worker_is_ready(inside)
    inside.locator("#orders a").tap()
    write(inside, "Before the tunnel")
    said(inside, "Before the tunnel").wait_for()
    server.stop()
    try:
        write(inside, "In the tunnel")
        said(inside, "In the tunnel", "Sending").wait_for()
        inside.goto(f"{server.url}/app/")
        inside.locator("#orders", has_text="Siddhartha").wait_for()
        assert "Not sent yet" in inside.locator("#orders").inner_text()
        inside.locator("#orders a").tap()
        said(inside, "Before the tunnel").wait_for()
        said(inside, "In the tunnel", "Sending").wait_for()
    finally:
        server.start()
    said(inside, "In the tunnel").wait_for(timeout=60_000)
    assert [message.message for message in ChatMessage.objects.all()] == ["Before the tunnel", "In the tunnel"]


def test_being_offline_is_said_and_ends(inside):
    inside.context.set_offline(True)
    inside.get_by_text("You are offline. What you write is kept").wait_for()
    inside.context.set_offline(False)
    inside.get_by_text("You are offline. What you write is kept").wait_for(state="hidden")


def test_last_known_news_is_shown_as_such_when_the_carrier_fails(inside, company):
    inside.locator("#orders a").tap()
    inside.locator("#shipment", has_text="Out for delivery").wait_for()
    company.says(b"", "500 Internal Server Error")
    try:
        inside.get_by_role("button", name="Ask again").tap()
        inside.locator("#shipment-note", has_text="This is as of").wait_for()
        assert inside.locator("#shipment").inner_text() == "Out for delivery"
    finally:
        company.says(b"Out for delivery")


def test_logging_out_forgets_everything(inside):
    inside.locator("#orders a").tap()
    write(inside, "A secret")
    said(inside, "A secret").wait_for()
    inside.get_by_label("Back to your orders").tap()
    inside.get_by_role("button", name="Log out").tap()
    inside.locator("#login-email").wait_for()
    assert json.loads(inside.evaluate("JSON.stringify(localStorage)")) == {}
    assert "Siddhartha" not in inside.content()
    assert "A secret" not in inside.content()
    assert inside.evaluate("fetch('/mobile-api/auth/').then((answer) => answer.status)") == 401
    wait_until(lambda: not DeviceToken.objects.exists(), "end of the token")


def test_what_the_carrier_says_after_logging_out_is_kept_nowhere(inside):
    inside.evaluate(HOLD_THE_CARRIERS_ANSWER)
    inside.locator("#orders a").tap()
    wait_until(lambda: inside.evaluate("Boolean(window.let_go)"), "the carrier's answer")
    inside.get_by_label("Back to your orders").tap()
    inside.get_by_role("button", name="Log out").tap()
    inside.locator("#login-email").wait_for()
    inside.evaluate("let_go()")
    inside.evaluate("fetch('/app/').then((answer) => answer.text())")
    assert json.loads(inside.evaluate("JSON.stringify(localStorage)")) == {}


def test_revoked_device_asks_for_the_password_again(inside):
    inside.locator("#orders a").tap()
    inside.locator("#shipment", has_text="Out for delivery").wait_for()
    DeviceToken.objects.all().delete()
    inside.get_by_text("You were logged out.").wait_for()
    assert json.loads(inside.evaluate("JSON.stringify(localStorage)")) == {}


def test_it_can_be_installed(phone, server):
    manifest = phone.evaluate("fetch(document.querySelector('link[rel=manifest]').href).then((a) => a.json())")
    assert (manifest["start_url"], manifest["display"]) == ("/app/", "standalone")
    for icon in manifest["icons"]:
        assert phone.request.get(server.url + icon["src"]).headers["content-type"] == "image/png"
    assert phone.evaluate("navigator.serviceWorker.ready.then((r) => r.scope)") == f"{server.url}/app/"


def test_targets_are_large_and_typing_does_not_zoom(inside):
    inside.locator("#orders a").tap()
    inside.locator("#chat-form").wait_for()
    sizes = inside.locator("main:not([hidden]) :is(button, a, textarea)").evaluate_all(
        "all => all.filter(e => e.offsetParent).map(e => [e.textContent.trim(), e.offsetWidth, e.offsetHeight])"
    )
    assert sizes and all(width >= 44 and height >= 44 for _, width, height in sizes), sizes
    fonts = inside.locator("input, textarea").evaluate_all(
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(fonts) >= 16
    assert inside.evaluate("document.documentElement.scrollWidth") <= 360


def test_newest_message_stays_in_sight_when_the_carriers_news_grows(inside, order, company):
    said_before = [ChatMessage(order=order, sender=order.user, message=f"Message {number}") for number in range(30)]
    ChatMessage.objects.bulk_create(said_before)
    company.says(b"Collected\nIn Leeds\nIn London\nIn the van\nOut for delivery")
    try:
        inside.evaluate(HOLD_THE_CARRIERS_ANSWER)
        inside.locator("#orders a").tap()
        newest = inside.locator("#chat-log .msg", has_text="Message 29")
        expect(newest).to_be_in_viewport(ratio=1)
        wait_until(lambda: inside.evaluate("Boolean(window.let_go)"), "the carrier's answer")
        inside.evaluate("let_go()")
        inside.locator("#shipment", has_text="Out for delivery").wait_for()
        expect(newest).to_be_in_viewport(ratio=1)
    finally:
        company.says(b"Out for delivery")


def test_long_conversation_begins_at_its_end_and_is_read_backwards(inside, order):
    """And so it is when the app is opened again, which keeps the last hundred."""
    said_before = [ChatMessage(order=order, sender=order.user, message=f"Message {number}.") for number in range(450)]
    ChatMessage.objects.bulk_create(said_before)
    inside.locator("#orders a").tap()
    messages, earlier = inside.locator("#chat-log [data-id]"), inside.get_by_role("button", name="Earlier messages")
    expect(messages).to_have_count(200)
    expect(messages.last).to_contain_text("Message 449.")
    expect(messages.last).to_be_in_viewport(ratio=1)
    write(inside, "And now?")
    said(inside, "And now?").wait_for()
    for count in (401, 451):
        earlier.tap()
        expect(messages).to_have_count(count)
    expect(earlier).to_be_hidden()
    expect(messages.first).to_contain_text("Message 0.")
    inside.reload()
    expect(messages).to_have_count(100)
    earlier.tap()
    expect(messages).to_have_count(300)


def test_order_that_was_opened_as_it_was_known_shows_what_has_changed(phone, server, order):
    Order.objects.update(status=Order.NEW)
    log_in(phone)
    phone.locator("#orders a").tap()
    expect(phone.locator("#order-stage")).to_have_text("Placed")
    Order.objects.update(status=Order.PAID)
    phone.goto(f"{server.url}/app/?order={order.pk}")
    expect(phone.locator("#order-stage")).to_have_text("Paid")
    phone.get_by_label("Back to your orders").tap()
    expect(phone.locator("#orders li")).to_contain_text("Paid")


def test_slow_line_shows_that_something_is_under_way(phone):
    held = []
    phone.route("**/mobile-api/**", lambda route: held.append(route))

    def go_on(part):
        wait_until(lambda: phone.wait_for_timeout(20) or bool(held), "request")
        assert part in held[0].request.url
        held.pop(0).continue_()

    phone.locator("#login-email").fill("alice@example.com")
    phone.locator("#login-password").fill(PASSWORD)
    phone.locator("form button").first.tap()
    expect(phone.get_by_role("button", name="Logging in…")).to_be_visible()
    go_on("/auth/")
    go_on("/auth/")
    expect(phone.get_by_text("Fetching your orders…")).to_be_visible()
    go_on("/my-orders/")
    phone.locator("#orders li").wait_for()
    expect(phone.get_by_text("Fetching your orders…")).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "words"),
    [(Order.NEW, "Not sent yet: it is not paid for."), (Order.PAID, "Not sent yet: we are getting")],
)
def test_order_that_is_not_sent_says_so_where_no_carrier_knows_it(phone, order, company, status, words):
    Order.objects.update(status=status)
    company.says(b"", "404 Not Found")
    try:
        log_in(phone)
        with phone.expect_response("**/tracker/"):
            phone.locator("#orders a").tap()
        expect(phone.locator("#shipment")).to_contain_text(words)
        expect(phone.locator("#shipment-note")).to_be_hidden()
        expect(phone.locator("#shipment-again")).to_be_visible(visible=status == Order.PAID)
    finally:
        company.says(b"Out for delivery")
