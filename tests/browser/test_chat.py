"""A shopper on a phone and an agent at a desk talk about an order, and the line drops in between."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import expect

from shop.models import User
from support.models import ChatMessage
from tests.factories import OrderFactory, OrderLineFactory, UserFactory

pytestmark = pytest.mark.browser


@pytest.fixture
def enter(site, browser, log_in):
    """A window of its own for a person, who is logged in."""
    contexts = []

    def enter(person, width):
        contexts.append(browser.new_context(viewport={"width": width, "height": 740}, base_url=site))
        page = contexts[-1].new_page()
        log_in(page, person)
        return page

    yield enter
    for context in contexts:
        context.close()


@pytest.fixture
def order(site):
    return OrderLineFactory(order=OrderFactory(user__first_name="Alice"), product__name="Emma").order


@pytest.fixture
def agent(site):
    agent = UserFactory(first_name="Erin", is_staff=True)
    agent.groups.add(Group.objects.get(name=User.EMPLOYEES))
    return agent


def say(page, text):
    page.locator("#chat-message-input").fill(text)
    page.locator("#chat-message-submit").click()


def test_what_is_said_offline_arrives_once_when_the_line_is_back(order, agent, enter):
    desk = enter(agent, 1280)
    desk.goto("/customer-service/")
    phone = enter(order.user, 360)
    phone.goto(f"/customer-service/{order.pk}/")
    say(phone, "Where is <b>Emma</b>?")
    row = desk.locator("#notification-area").get_by_role("link", name=f"Order {order.pk}").first
    # With what was said in it the list is as it stays: a row that is drawn anew under the mouse takes no click.
    expect(desk.locator("#notification-area")).to_contain_text("Where is <b>Emma</b>?")
    row.click()
    expect(desk.locator("#chat-log")).to_contain_text("Where is <b>Emma</b>?")
    say(desk, "On her way.")
    expect(phone.locator("#chat-log")).to_contain_text("On her way.")
    expect(phone.locator("#chat-presence")).to_have_text("Erin is here")
    phone.context.set_offline(True)
    expect(phone.locator("#chat-status")).to_contain_text("Not connected")
    say(phone, "Thank you!")
    phone.context.set_offline(False)
    expect(desk.locator("#chat-log")).to_contain_text("Thank you!", timeout=60_000)
    said = list(ChatMessage.objects.filter(order=order).order_by("pk").values_list("message", flat=True))
    assert said == ["Where is <b>Emma</b>?", "On her way.", "Thank you!"]
    assert desk.locator("#chat-log .msg", has_text="Thank you!").count() == 1
    desk.goto("/")
    expect(phone.locator("#chat-presence")).to_have_text("We answer here, and by mail when you have left")


def test_chat_works_without_javascript(order, site, browser, log_in):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, order.user)
    page.goto(f"{site}/customer-service/{order.pk}/")
    say(page, "Hello")
    expect(page.locator("#chat-log")).to_contain_text("Hello")
    context.close()


@pytest.fixture
def long_talk(order):
    past = timezone.now() - timedelta(hours=1)
    said = [ChatMessage(order=order, sender=order.user, message=f"Number {n}.", sent_at=past) for n in range(450)]
    ChatMessage.objects.bulk_create(said)


def messages_of(page):
    return page.locator("#chat-log [data-id]")


@pytest.mark.usefixtures("long_talk")
@pytest.mark.parametrize("width", [360, 1280])
def test_earlier_messages_come_above_what_is_read_which_stays_in_its_place(order, agent, enter, width):
    desk = enter(agent, width)
    desk.goto(f"/customer-service/{order.pk}/")
    expect(messages_of(desk)).to_have_count(200)
    expect(messages_of(desk).last).to_be_in_viewport()
    read = desk.locator("#chat-log .msg", has_text="Number 250.")
    for count, shown in ((400, "200 earlier messages are shown."), (450, "50 earlier messages are shown.")):
        read = messages_of(desk).first
        identity = read.get_attribute("data-id")
        link = desk.get_by_role("link", name="Earlier messages")
        link.scroll_into_view_if_needed()
        link.focus()
        read = desk.locator(f"#chat-log [data-id='{identity}']")
        before = read.bounding_box()["y"]
        link.press("Enter")
        expect(messages_of(desk)).to_have_count(count)
        expect(desk.locator("#spoken")).to_have_text(shown)
        # But for the link itself, in whose place the message above now stands.
        assert abs(read.bounding_box()["y"] - before) < 80
        assert desk.evaluate("document.querySelector('#chat-log').contains(document.activeElement)")
    expect(desk.get_by_role("link", name="Earlier messages")).to_have_count(0)
    expect(messages_of(desk).first).to_contain_text("Number 0.")
    say(desk, "All read.")
    expect(messages_of(desk).last).to_contain_text("All read.")


@pytest.mark.usefixtures("long_talk")
def test_earlier_messages_are_pages_without_javascript(order, site, browser, log_in):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, order.user)
    page.goto(f"{site}/customer-service/{order.pk}/")
    page.get_by_role("link", name="Earlier messages").click()
    expect(messages_of(page).first).to_contain_text("Number 50.")
    page.get_by_role("link", name="Earlier messages").click()
    expect(messages_of(page).first).to_contain_text("Number 0.")
    page.get_by_role("link", name="Newest messages").click()
    expect(messages_of(page).last).to_contain_text("Number 449.")
    context.close()


OPEN_TWENTY = """(address) => Promise.all(Array.from({ length: 20 }, () => new Promise((resolve) => {
    const socket = new WebSocket(location.origin.replace("http", "ws") + address);
    socket.addEventListener("message", resolve, { once: true });
    socket.addEventListener("open", () => socket.send('{"type": "state"}'));
})))"""


def test_person_with_too_many_chats_open_is_told_so(order, enter):
    phone = enter(order.user, 360)
    phone.goto("/about-us/")
    phone.evaluate(OPEN_TWENTY, f"/ws/customer-service/{order.pk}/")
    other = phone.context.new_page()
    other.goto(f"/customer-service/{order.pk}/")
    expect(other.locator("#chat-status")).to_contain_text("You have too many chats open. Close another one")
    assert other.evaluate("document.documentElement.scrollWidth") <= 360
