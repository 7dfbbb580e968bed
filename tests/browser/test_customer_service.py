"""The agents' list of chats: whether it is live, and on screens of every width."""

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from playwright.sync_api import expect

from shop.models import User
from support.models import Chat
from tests.browser.conftest import SITE
from tests.factories import PASSWORD, OrderFactory, UserFactory
from tests.servers import Daphne

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(daphne_variables, var_dir):
    """A daphne of this file's own, to be held up."""
    with Daphne(var_dir, daphne_variables, SITE) as running:
        yield running


@pytest.fixture
def agent(transactional_db):
    agent = UserFactory(email="erin@example.com", first_name="Erin", is_staff=True)
    agent.groups.add(Group.objects.get(name=User.EMPLOYEES))
    yield agent
    cache.clear()


@pytest.fixture
def enter(browser, server):
    contexts = []

    def enter(person, path, width=1280):
        contexts.append(browser.new_context(viewport={"width": width, "height": 740}, base_url=server.url))
        page = contexts[-1].new_page()
        page.goto(f"/login/?next={path}")
        page.locator("main input[name=email]").fill(person.email)
        page.locator("main input[name=password]").fill(PASSWORD)
        page.locator("main input[name=password]").press("Enter")
        page.wait_for_url(f"**{path}")
        return page

    yield enter
    for context in contexts:
        context.close()


WATCH_TWO_SIGNS_OF_LIFE = """() => new Promise((resolve) => {
    const status = document.getElementById("stream-status"), said = [status.textContent], started = Date.now();
    new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true });
    const source = new EventSource("/customer-service/notify/");
    source.addEventListener("alive", () => {
        if (Date.now() - started < 21000) return;
        source.close();
        resolve(said);
    });
})"""


def status(page):
    return page.locator("#stream-status")


def bear_silence(page, seconds):
    page.locator("#chat-stream").evaluate("(stream, seconds) => { stream.dataset.silence = seconds; }", seconds)


def test_list_is_not_live_while_the_server_is_silent_and_is_again_after(agent, enter, server):
    desk = enter(agent, "/customer-service/")
    expect(status(desk)).to_have_text("Live")
    server.hang()
    try:
        bear_silence(desk, 1)
        expect(status(desk)).to_have_text("Connection lost, trying again")
    finally:
        bear_silence(desk, 20)
        server.go_on()
    expect(status(desk)).to_have_text("Live", timeout=60_000)
    order = OrderFactory(user__first_name="Alice")
    Chat.objects.of(order).post(order.user, "Are you back?")
    expect(desk.locator("#notification-area")).to_contain_text("Are you back?")


def test_list_in_which_nothing_changes_stays_live(agent, enter):
    """For longer than it bears silence: two signs of life are further apart from the start than that."""
    desk = enter(agent, "/customer-service/")
    expect(status(desk)).to_have_text("Live")
    assert desk.locator("#chat-stream").get_attribute("data-silence") == "20"
    assert desk.evaluate(WATCH_TWO_SIGNS_OF_LIFE) == ["Live"]


def test_list_is_not_live_offline_and_is_again_after(agent, enter):
    desk = enter(agent, "/customer-service/")
    expect(status(desk)).to_have_text("Live")
    desk.context.set_offline(True)
    expect(status(desk)).to_have_text("Connection lost, trying again")
    desk.context.set_offline(False)
    expect(status(desk)).to_have_text("Live", timeout=60_000)
    order = OrderFactory(user__first_name="Alice")
    Chat.objects.of(order).post(order.user, "Are you back?")
    expect(desk.locator("#notification-area")).to_contain_text("Are you back?")


# Asked in one go: the row is another one whenever the list changed.
SHARE_OF_ITS_ROW = """() => {
  const widths = [".presence", ".chat-row"].map((each) => document.querySelector(each).getBoundingClientRect().width);
  return widths[0] / widths[1];
}"""


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_people_in_a_chat_are_readable_on_every_width(agent, enter, width):
    shopper = UserFactory(
        email="maximiliana.featherstonehaugh@a-rather-long-company.example",
        first_name="Maximiliana",
        last_name="Featherstonehaugh-Cholmondeley",
    )
    order = OrderFactory(user=shopper)
    Chat.objects.of(order).post(shopper, "Hello?")
    enter(shopper, f"/customer-service/{order.pk}/")
    desk = enter(agent, "/customer-service/", width)
    name = desk.locator(".presence", has_text="Featherstonehaugh")
    expect(name).to_contain_text(shopper.email)
    assert desk.evaluate("document.documentElement.scrollWidth") <= width
    # One under the other where there is no room for both: not squeezed into columns.
    assert width > 360 or desk.evaluate(SHARE_OF_ITS_ROW) > 0.75
