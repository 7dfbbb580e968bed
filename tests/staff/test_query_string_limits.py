"""A search, a filter or an order longer than anybody writes: the back offices answer it with a page."""

import pytest
from django.contrib import admin
from django.test import Client

from shop.search.folding import MOST_WORDS
from staff.admin_sites import dispatch_admin, office_admin
from tests.addresses import a_shop

pytestmark = pytest.mark.django_db

LONG = {
    "words": {"q": "word " * 1800},
    "words without spaces": {"q": "a-" * 8000},
    "a long word": {"q": "x" * 60_000},
    "quotes": {"q": '"' * 16_000},
    "a filter of many values": {"pk__in": ",".join(map(str, range(10_000)))},
    "all else": {
        "o": [".".join(["-1", "2"] * 4000)] * 100,
        "pk": ["1"] * 800,
        "p": "9" * 5000,
        "_changelist_filters": "q=" + "word+" * 1800,
    },
}


def lists():
    for site in (admin.site, office_admin, dispatch_admin):
        for model in site._registry:
            yield f"/{site.name.replace('_', '-')}/{model._meta.app_label}/{model._meta.model_name}/"


@pytest.fixture
def office(olga):
    a_shop(olga)
    owner = Client()
    owner.force_login(olga)
    return owner


@pytest.mark.parametrize("kind", LONG)
def test_long_query_of_an_office_list_is_answered(office, kind):
    """With 400 where an office does not filter by that."""
    answers = {path: office.get(path, LONG[kind], follow=True).status_code for path in lists()}
    assert set(answers.values()) <= {200, 400}
    assert kind == "a filter of many values" or 200 in answers.values()


@pytest.mark.parametrize("term", ["word " * 1800, "a-" * 8000, "x" * 60_000])
def test_long_term_is_answered_where_one_chooses(office, term):
    for model, field in (("product", "tags"), ("product", "series"), ("productimage", "product"), ("orderline", "x")):
        asked = {"app_label": "shop", "model_name": model, "field_name": field, "term": term}
        assert office.get("/admin/autocomplete/", asked).status_code in {200, 403}


@pytest.mark.parametrize(
    "query",
    [
        {"user__email__icontains": "x" * 60_000},
        {"user__email__icontains": "word " * 1800},
        {"sort": ["pk", "-user__email"] * 400},
        {"status": ["10"] * 800},
        {"page": "9" * 5000},
        {"date_added__gt": "2" * 16_000},
    ],
)
def test_long_query_of_the_dashboard_is_answered(office, query):
    for path in ("/order-dashboard/", "/order-dashboard/export/"):
        answer = office.get(path, query)
        assert answer.status_code == 200
        assert b"".join(answer) if answer.streaming else answer.content


def test_search_box_shows_the_words_that_were_looked_for(office):
    page = office.get("/admin/shop/product/", {"q": " ".join(f"word{n}" for n in range(100))}).content.decode()
    assert f"word{MOST_WORDS - 1}" in page
    assert f"word{MOST_WORDS}" not in page
