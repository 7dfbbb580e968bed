"""However products are stored, they have an address, stand in order and are found."""

import json
from decimal import Decimal

import pytest
from django.core.management import call_command

from shop.models import BasketLine, Order, OrderLine, Product, ProductTag
from tests.factories import BasketFactory, OrderFactory, ProductFactory
from tests.shop.shelves import page, titles

pytestmark = pytest.mark.django_db


def found(client, words):
    return titles(page(client, f"/products/all/?q={words}"))


def test_many_at_once_are_found_and_sorted(client):
    Product.objects.bulk_create(Product(name=name, price=Decimal(3)) for name in ("Walden", "emma", "Emma"))
    assert titles(page(client, "/products/all/")) == ["emma", "Emma", "Walden"]
    assert sorted(Product.objects.values_list("slug", flat=True)) == ["emma", "emma-2", "walden"]
    assert found(client, "walden") == ["Walden"]


def test_many_at_once_keep_what_they_bring(client):
    Product.objects.bulk_create([Product(name="Emma", slug="my-emma", price=3, isbn="978-0-439-02348-1")])
    assert Product.objects.get(slug="my-emma").isbn == "9780439023481"


def test_renamed_in_the_database_is_found_by_the_new_name(client):
    ProductFactory(name="Emma")
    assert Product.objects.filter(name="Emma").update(name="Walden") == 1
    assert found(client, "walden") == ["Walden"]
    assert found(client, "emma") == []


def test_bulk_update_is_found_by_the_new_name(client):
    book = ProductFactory(name="Emma")
    book.name = "Walden"
    Product.objects.bulk_update([book], ["name"])
    assert found(client, "walden") == ["Walden"]


def fixture(tmp_path, *rows):
    path = tmp_path / "shop.json"
    path.write_text(json.dumps([{"model": f"shop.{model}", "pk": pk, "fields": fields} for model, pk, fields in rows]))
    return str(path)


def test_fixture_of_the_known_fields_is_loaded_and_found(client, tmp_path):
    ProductTag.objects.create(name="Gothic", slug="gothic")
    fields = {"name": "Drácula", "slug": "dracula", "price": "4.50", "tags": []}
    tagged = {"name": "Carmilla", "slug": "carmilla", "price": "4.50", "tags": [["gothic"]]}
    call_command("loaddata", fixture(tmp_path, ("product", 7, fields), ("product", 8, tagged)), verbosity=0)
    assert found(client, "dracula") == ["Drácula"]
    assert found(client, "gothic") == ["Carmilla"]
    assert Product.objects.get(pk=7).date_added


def test_fixture_of_a_basket_and_an_order_is_loaded(tmp_path):
    book, basket, order = ProductFactory(), BasketFactory(), OrderFactory()
    rows = [
        ("basketline", 1, {"basket": basket.pk, "product": book.pk, "quantity": 2}),
        ("orderline", 1, {"order": order.pk, "product": book.pk, "price": "4.50", "status": OrderLine.NEW}),
    ]
    call_command("loaddata", fixture(tmp_path, *rows), verbosity=0)
    assert basket.count() == 2 and not BasketLine.objects.get().price_changed
    assert Order.objects.get(pk=order.pk).total_price == Decimal("4.50")
