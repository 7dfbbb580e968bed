"""What changes the shop, on every address: never a GET, and no POST that another site's page could have sent."""

import pytest
from django.apps import apps
from django.test import Client

from tests.addresses import a_shop, every_address

pytestmark = [pytest.mark.django_db, pytest.mark.once]

# A visit's own: what a visitor is told once, and which messages a reader has had before their eyes; and what a report
# has added up once.
NOT_THE_SHOPS = {"sessions.session", "support.chat", "staff.salessummary"}


def everything():
    models = [model for model in apps.get_models() if model._meta.label_lower not in NOT_THE_SHOPS]
    return {model._meta.label: sorted(map(repr, model._base_manager.values())) for model in models}


@pytest.fixture
def shop(olga, blank_papers):
    return a_shop(olga)


@pytest.fixture
def owner(olga):
    browser = Client(enforce_csrf_checks=True, headers={"Accept": "text/html"})
    browser.force_login(olga)
    return browser


def test_reading_changes_nothing(shop, owner):
    before = everything()
    for path in every_address(shop):
        for query in ("", "?action=delete_selected&delete=1&status=20&quantity=5&message=x&_method=POST"):
            owner.get(path + query)
            owner.head(path + query)
    assert everything() == before


def test_another_sites_form_changes_nothing(shop, owner):
    before = everything()
    form = {"status": 20, "quantity": 5, "message": "x", "text": "x", "post": "yes", "email": "x@example.com"}
    for path in every_address(shop):
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(owner, method)(path, form)
            led_on = answer.status_code in (301, 302) and "/login/" not in path
            refused = answer.status_code in (400, 401, 403, 404, 405, 406, 415)
            assert refused or led_on, f"{method} {path}: {answer.status_code}"
    assert everything() == before
    assert owner.get("/orders/").status_code == 200  # not even logged out
