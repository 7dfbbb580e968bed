"""What axe-core finds on every page of every role, in light, in dark and at the width of a small phone: nothing.

Of the back offices Django's own markup is left out, by rule and place; what is ours in them is not. Of `/api/docs/`
all is Swagger's.
"""

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.auth.models import Group
from playwright.sync_api import Page

from shop.models import Basket, Order, OrderLine, User
from support.models import Chat
from tests.addresses import a_shop, every_address
from tests.factories import (
    AddressFactory,
    BasketLineFactory,
    OrderFactory,
    OrderLineFactory,
    ProductFactory,
    UserFactory,
)

# Pages of which the three offices have the same, and what is no page.
LEFT_OUT = ("/api/docs/", "/history/", "/logout/", "/notify/", "/password_change/", "/password_change/done/")
OFFICES = ("/admin/", "/office-admin/", "/dispatch-admin/")
# Tables of libraries in the owners' office: all of their markup is Django's.
OTHERS = ("/admin/axes/", "/admin/authtoken/", "/admin/django_tasks_database/")
# What a visitor may look at beside the addresses: states that a shop of one of everything does not show.
STATES = ("/nowhere/", "/products/all/?q=nothing-of-that-name", "/product/sold-out/", "/login/?next=/orders/")
# Django's markup: (rule, a part of the element's selector or of its HTML).
DJANGOS = (
    ("empty-table-header", "<th"),
    ("aria-input-field-name", "select2"),
    ("aria-required-children", "select2"),
    ("label-title-only", 'id="searchbar"'),
    ("label-title-only", 'id="nav-filter"'),
    ("label", "select2-search__field"),
    ("aria-prohibited-attr", "help-tooltip"),
    # A filter on an empty value.
    ("link-name", 'href="?'),
    ("region", ""),
    ("heading-order", ""),
    ("landmark-unique", ""),
)
MODES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "light": ("light", 1280, {}),
    "small": ("light", 320, {}),
    "dark": ("dark", 1280, {"runOnly": ["color-contrast", "link-in-text-block"]}),
}
# Colours change by and by.
SETTLED = "Promise.all(document.getAnimations().map((each) => each.finished.catch(() => null)))"


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """axe tries out styles, which the policy forbids."""
    return {**browser_context_args, "bypass_csp": True}


@pytest.fixture
def people() -> dict[str, User]:
    """One of each role, by its name; the shopper has one of everything."""
    shopper = UserFactory(email="alice@example.com", first_name="Alice")
    employee = UserFactory(email="erin@example.com", is_staff=True)
    employee.groups.add(Group.objects.get(name=User.EMPLOYEES))
    dispatcher = UserFactory(email="dan@example.com", is_staff=True)
    dispatcher.groups.add(Group.objects.get(name=User.DISPATCHERS))
    owner = UserFactory(email="olga@example.com", is_staff=True, is_superuser=True)
    return {"shopper": shopper, "employee": employee, "dispatcher": dispatcher, "owner": owner}


def furnish(person: User) -> list[str]:
    """The addresses of a shop in which much has happened."""
    paths = every_address(a_shop(person))
    ProductFactory(name="Sold out", in_stock=False)
    for n in range(30):
        ProductFactory(name=f"Book {n} of many")
    Basket.objects.filter(user=person, status=Basket.OPEN).first() or BasketLineFactory(basket__user=person)
    AddressFactory(user=person)
    done = OrderFactory(user=person, status=Order.DONE)
    OrderLineFactory(order=done, status=OrderLine.SENT, carrier="Royal Mail", tracking_number="AB123")
    cancelled = OrderFactory(user=person)
    OrderLineFactory(order=cancelled)
    cancelled.cancel()
    Chat.objects.of(done).post(person, "It has come, thank you!")
    return [*paths, f"/orders/{done.pk}/", f"/orders/{cancelled.pk}/", f"/customer-service/{cancelled.pk}/"]


def is_page(page: Page, address: str) -> bool:
    answer = page.request.get(address, headers={"Accept": "text/html"}, max_redirects=0)
    is_there = answer.status == 200 or address.endswith("/nowhere/")
    return is_there and answer.headers.get("content-type", "").startswith("text/html")


def findings(page: Page, path: str) -> list[str]:
    """What axe has to say of the page that is open, in each mode."""
    found = []
    page.evaluate(AXE_SCRIPT)
    for mode, (scheme, width, options) in MODES.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(SETTLED)
        results = page.evaluate("(options) => axe.run(options)", {"resultTypes": ["violations"], **options})
        for violation in results["violations"]:
            found += [
                f"{path} {mode}: {violation['id']}: {node['html'][:160]} ({' '.join(map(str, node['target']))})"
                for node in violation["nodes"]
                if not (path.startswith(OFFICES) and is_djangos(violation["id"], node))
            ]
    return found


def is_djangos(rule: str, node: dict[str, Any]) -> bool:
    return any(rule == name and (part in node["html"] or part in str(node["target"])) for name, part in DJANGOS)


def look_at(page: Page, site: str, paths: list[str]) -> list[str]:
    found = []
    for path in paths:
        if is_page(page, site + path):
            page.goto(site + path, wait_until="domcontentloaded")
            found += findings(page, path)
    return found


def pages_of(role: str, paths: list[str]) -> list[str]:
    """What this role is the first to see: what others see too, they see alike."""
    paths = [path for path in paths if not path.endswith(LEFT_OUT)]
    offices = {"employee": "/office-admin/", "dispatcher": "/dispatch-admin/", "owner": "/admin/"}
    if role in {"visitor", "shopper"}:
        return [path for path in paths if not path.startswith(OFFICES)]
    own = [path for path in paths if path.startswith(offices[role])]
    if role == "owner":
        of_employees = {
            path.replace("/office-admin/", "/admin/") for path in paths if path.startswith("/office-admin/")
        }
        own = [path for path in own if path not in of_employees and not path.startswith(OTHERS)]
    # The question before something is deleted is Django's, and the same for everything.
    own = [path for path in own if not path.endswith("/delete/") or "/order/" in path]
    desk = ("/order-dashboard/", "/customer-service/")
    return own + [path for path in paths if role == "employee" and path.startswith(desk)] + ["/"]


@pytest.mark.parametrize("role", ["visitor", "shopper", "employee", "dispatcher", "owner"])
def test_axe_finds_nothing(site, page: Page, log_in, media_root, people, role):
    paths = furnish(people["shopper"])
    if role != "visitor":
        log_in(page, people[role])
    pages = pages_of(role, [*paths, *STATES])
    found = look_at(page, site, pages)
    assert not found, "\n".join(found)
