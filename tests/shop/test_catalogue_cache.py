"""What is kept of the catalogue between two requests is never older than the last change, whoever made it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test import Client

from shop.browsing import catalogue_cache
from shop.database import catalogue_triggers
from shop.models import Author, CatalogueChange, Product, ProductTag, Series
from tests.factories import AuthorFactory, ProductFactory, ProductTagFactory, SeriesFactory
from tests.shop.shelves import page, picture_of, stock, titles


@pytest.fixture
def emma(db) -> Product:
    emma = ProductFactory(name="Emma", price=Decimal("9.50"), series=SeriesFactory(name="Highbury"))
    emma.authors.add(AuthorFactory(name="Jane Austen"))
    emma.tags.add(ProductTagFactory(name="Gothic"))
    return emma


def by_hand(statement: str):
    def change(emma: Product) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return change


CHANGES = [
    ("/products/all/", "Walden", lambda emma: ProductFactory(name="Walden")),
    ("/products/all/", "Walden", lambda emma: Product.objects.bulk_create([Product(name="Walden", price=1)])),
    ("/products/all/", "£12.00", lambda emma: Product.objects.update(price=Decimal(12))),
    ("/products/all/", "£12.00", by_hand("UPDATE shop_product SET price = 12")),
    ("/products/all/", "Out of stock", lambda emma: Product.objects.filter(pk=emma.pk).update(in_stock=False)),
    ("/products/all/", "No books here yet", lambda emma: Product.objects.update(active=False)),
    ("/products/all/", "No books here yet", lambda emma: emma.delete()),
    ("/products/all/", ">Memoir<", lambda emma: ProductTagFactory(name="Memoir")),
    ("/products/all/?q=emma", "2 books", lambda emma: ProductFactory(name="Emma Bovary")),
    ("/products/gothic/", "Macabre", lambda emma: ProductTag.objects.update(name="Macabre")),
    ("/products/gothic/", "Walden", lambda emma: ProductFactory(name="Walden").tags.add(emma.tags.get())),
    ("/products/gothic/", "No books here yet", lambda emma: emma.tags.clear()),
    ("/product/emma/", "/media/products/front.jpg", lambda emma: picture_of(emma, "front.jpg", 1).save()),
    ("/product/emma/", "A. Lady", lambda emma: Author.objects.update(name="A. Lady")),
    ("/product/emma/", "B. Lady", lambda emma: emma.authors.add(AuthorFactory(name="B. Lady"))),
    ("/product/emma/", "Hartfield", lambda emma: Series.objects.update(name="Hartfield")),
    ("/product/emma/", "More in", lambda emma: ProductFactory(name="Emma 2", series=emma.series)),
    ("/author/jane-austen/", "Walden", lambda emma: ProductFactory(name="Walden").authors.add(Author.objects.get())),
    ("/series/highbury/", "Walden", lambda emma: ProductFactory(name="Walden", series=emma.series)),
    ("/", "Walden", lambda emma: ProductFactory(name="Walden")),
]


@pytest.mark.parametrize(("path", "text", "change"), CHANGES)
def test_a_change_is_shown_by_the_next_request(client, emma, path, text, change):
    assert text not in page(client, path)
    change(emma)
    assert text in page(client, path)


@pytest.mark.parametrize(
    "path", ["/", "/products/all/", "/products/gothic/", "/products/all/?q=emma", "/product/emma/"]
)
def test_a_page_seen_before_takes_one_query(client, emma, path, django_assert_num_queries):
    before = page(client, path)
    with django_assert_num_queries(1):
        assert titles(page(client, path)) == titles(before)


def test_another_page_of_a_list_takes_two_queries(client, db, django_assert_num_queries):
    stock(60)
    page(client, "/products/all/")
    for address in ("/products/all/?page=2", "/products/all/?sort=-price&page=3"):
        with django_assert_num_queries(2):
            assert "60 books" in page(client, address)


def test_a_page_that_is_not_there_appears(client, db):
    assert client.get("/product/emma/").status_code == 404
    ProductFactory(name="Emma")
    assert client.get("/product/emma/").status_code == 200


def test_a_catalogue_from_before_the_triggers_is_shown(client, emma, monkeypatch):
    CatalogueChange.objects.all().delete()
    monkeypatch.setattr(catalogue_cache, "_latest", catalogue_cache.NOT_KNOWN)
    assert ">Gothic<" in page(client, "/products/all/")


def test_what_is_rolled_back_is_shown_to_nobody_afterwards(client, emma):
    page(client, "/products/all/")
    with transaction.atomic():
        ProductFactory(name="Walden")
        with transaction.atomic():
            ProductFactory(name="Xanadu")
            assert titles(page(client, "/products/all/")) == ["Emma", "Walden", "Xanadu"]
            transaction.set_rollback(True)
        assert titles(page(client, "/products/all/")) == ["Emma", "Walden"]
        ProductFactory(name="Yarrow")
        assert titles(page(client, "/products/all/")) == ["Emma", "Walden", "Yarrow"]
        transaction.set_rollback(True)
    assert titles(page(client, "/products/all/")) == ["Emma"]


def test_without_the_triggers_an_old_page_would_be_shown(client, emma):
    page(client, "/products/all/")
    catalogue_triggers.remove(connection)
    ProductFactory(name="Walden")
    assert titles(page(client, "/products/all/")) == ["Emma"]
    catalogue_triggers.install(connection)
    ProductFactory(name="Xanadu")
    assert titles(page(client, "/products/all/")) == ["Emma", "Walden", "Xanadu"]


@pytest.mark.django_db(transaction=True)
def test_changes_leave_no_heap_of_marks():
    for book in stock(30):
        book.save()
    assert CatalogueChange.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_truncating_is_a_change(client):
    stock(3)
    page(client, "/products/all/")
    by_hand("TRUNCATE shop_product CASCADE")(None)
    assert "No books here yet" in page(client, "/products/all/")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_changes_at_the_same_time_wait_for_nobody_and_are_shown_when_they_are_final():
    stock(1)
    both_at_work, seen_by_nobody = threading.Barrier(3), threading.Event()

    def add(name: str) -> None:
        try:
            with transaction.atomic():
                ProductFactory(name=name)
                both_at_work.wait(30)
                assert seen_by_nobody.wait(30)
        finally:
            connection.close()

    visitor = Client()
    before = titles(page(visitor, "/products/all/"))
    with ThreadPoolExecutor(2) as pool:
        adding = [pool.submit(add, name) for name in ("Walden", "Xanadu")]
        both_at_work.wait(30)
        assert titles(page(visitor, "/products/all/")) == before
        seen_by_nobody.set()
        for each in adding:
            each.result(30)
    assert titles(page(visitor, "/products/all/")) == [*before, "Walden", "Xanadu"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_crowd_of_changes_and_readers_never_sees_the_past():
    """Each writer looks at the list after its own change: it must hold the book."""
    stock(1)

    def add_and_look(number: int) -> bool:
        try:
            visitor = Client()
            for turn in range(10):
                name = f"Book {number} {turn}"
                with transaction.atomic():
                    ProductFactory(name=name)
                if name not in page(visitor, "/products/all/?sort=newest"):
                    return False
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(add_and_look, range(4)))
