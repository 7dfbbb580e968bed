"""A shopper on a phone and an agent at a desk talk about an order, and the line drops in between."""

import pytest
from django.contrib.auth.models import Group
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
