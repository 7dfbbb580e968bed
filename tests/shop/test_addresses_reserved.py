"""No subject, author, series or book takes the address of another page."""

import pytest
from django.urls import resolve, reverse

from shop.models import Author, Product, ProductTag, Series
from tests.factories import ProductFactory, ProductTagFactory
from tests.shop.shelves import page, titles

pytestmark = pytest.mark.django_db

NAMED = [Author, Product, ProductTag, Series]


def test_subject_called_all_is_reached(client):
    ProductFactory(name="Emma").tags.add(ProductTagFactory(name="All"))
    ProductFactory(name="Walden")
    tag = ProductTag.objects.get()
    assert tag.slug == "all-2"
    assert titles(page(client, tag.get_absolute_url())) == ["Emma"]
    assert titles(page(client, "/products/all/")) == ["Emma", "Walden"]


@pytest.mark.parametrize("office", ["admin", "office-admin"])
def test_office_says_what_to_do_about_the_address_of_all_books(client, olga, office):
    client.force_login(olga)
    fields = {"name": "All", "slug": "all", "description": "", "active": "on"}
    answer = client.post(f"/{office}/shop/producttag/add/", fields)
    assert "“all” is the address of another page: choose another one, such as all-books." in answer.content.decode()
    assert not ProductTag.objects.exists()
    client.post(f"/{office}/shop/producttag/add/", {**fields, "slug": "all-books"})
    assert ProductTag.objects.get().get_absolute_url() == "/products/all-books/"


@pytest.mark.parametrize("model", NAMED)
@pytest.mark.parametrize("slug", ["add", "edit", "new", "search", "feed", "page", "create", "delete", "2"])
def test_every_other_slug_leads_to_the_page_of_its_own(model, slug):
    match = resolve(reverse(model.detail_view, args=[slug]))
    assert match.url_name == model.detail_view
    assert slug in match.kwargs.values()
