"""What a book is found, sorted and shown by follows its subjects, authors and series, by whatever path they change."""

import json

import pytest
from django.core.management import call_command

from shop.models import Author, Product, ProductAuthor, ProductTag, Series
from tests.factories import AuthorFactory, ProductFactory, ProductTagFactory, SeriesFactory
from tests.shop.shelves import page, titles

pytestmark = pytest.mark.django_db


@pytest.fixture
def emma(db):
    emma = ProductFactory(name="Emma", series=SeriesFactory(name="Highbury"))
    ProductFactory(name="Persuasion").tags.add(ProductTagFactory(name="Naval"))
    emma.tags.add(ProductTagFactory(name="Gothic"), ProductTagFactory(name="Comedy"))
    ProductAuthor.objects.create(product=emma, author=AuthorFactory(name="Jane Austen"))
    return emma


def stale():
    """The books, and which of their derived texts are not what they would be now."""
    return [
        (product.name, name)
        for product, stored in Product.objects.derived_anew()
        for name in stored
        if sorted(stored[name].split()) != sorted(getattr(product, name).split())
    ]


def gothic():
    return ProductTag.objects.get(slug="gothic")


def author():
    return AuthorFactory(name="Ann Radcliffe")


def upsert(row, model, **options):
    model.objects.bulk_create([row], update_conflicts=True, unique_fields=["id"], **options)


def renamed(row):
    row.name = "Walden"
    return row


PATHS = {
    "tag deleted": lambda emma: gothic().delete(),
    "tags deleted at once": lambda emma: ProductTag.objects.all().delete(),
    "tag renamed": lambda emma: renamed(gothic()).save(),
    "tag renamed alone": lambda emma: renamed(gothic()).save(update_fields=["name"]),
    "tag renamed in the database": lambda emma: ProductTag.objects.filter(slug="gothic").update(name="Macabre"),
    "tags renamed at once": lambda emma: ProductTag.objects.bulk_update([renamed(gothic())], ["name"]),
    "tag switched off": lambda emma: ProductTag.objects.update(active=False),
    "tag put on books": lambda emma: gothic().products.add(*Product.objects.all()),
    "tag taken from all": lambda emma: gothic().products.clear(),
    "tags set": lambda emma: emma.tags.set([gothic()]),
    "author renamed": lambda emma: renamed(Author.objects.get()).save(),
    "author renamed in the database": lambda emma: Author.objects.update(name="A. Lady"),
    "authors renamed at once": lambda emma: Author.objects.bulk_update([renamed(Author.objects.get())], ["name"]),
    "author added": lambda emma: emma.authors.add(author()),
    "author linked": lambda emma: ProductAuthor.objects.create(product=emma, author=author()),
    "authors linked at once": lambda emma: ProductAuthor.objects.bulk_create(
        [ProductAuthor(product=emma, author=author())]
    ),
    "link led to another": lambda emma: ProductAuthor.objects.update(author=author()),
    "link moved to another book": lambda emma: ProductAuthor.objects.update(
        product=Product.objects.get(name="Persuasion")
    ),
    "link taken over": lambda emma: author().product_links.add(ProductAuthor.objects.get()),
    "links deleted": lambda emma: ProductAuthor.objects.all().delete(),
    "authors cleared": lambda emma: emma.authors.clear(),
    "series renamed": lambda emma: renamed(emma.series).save(),
    "series renamed in the database": lambda emma: Series.objects.update(name="Hartfield"),
    "series taken away": lambda emma: Product.objects.update(series=None),
    "book put into a series": lambda emma: SeriesFactory(name="Donwell").products.add(emma),
    "books taken from a series": lambda emma: emma.series.products.clear(),
    "book renamed": lambda emma: renamed(emma).save(update_fields=["name"]),
    "books renamed in the database": lambda emma: Product.objects.update(name="Walden"),
    "books renamed at once": lambda emma: Product.objects.bulk_update([renamed(emma)], ["name"]),
    "books stored over others": lambda emma: upsert(renamed(emma), Product, update_fields=["name"]),
    "book deleted": lambda emma: emma.delete(),
}


@pytest.mark.parametrize("change", PATHS.values(), ids=PATHS.keys())
def test_nothing_is_left_stale(emma, change):
    assert stale() == []
    change(emma)
    assert stale() == []


def test_book_is_not_found_by_a_subject_that_an_owner_deleted(client, emma, olga):
    assert "1 book" in page(client, "/products/all/?q=gothic")
    client.force_login(olga)
    chosen = {"action": "delete_selected", "_selected_action": gothic().pk, "post": "yes"}
    assert client.post("/admin/shop/producttag/", chosen).status_code == 302
    assert not ProductTag.objects.filter(slug="gothic").exists()
    assert titles(page(client, "/products/all/?q=gothic")) == []
    assert titles(page(client, "/products/all/?q=comedy")) == ["Emma"]


def test_deleting_a_subject_leaves_other_books_alone(emma, django_assert_max_num_queries):
    for _ in range(20):
        ProductFactory()
    with django_assert_max_num_queries(20):
        gothic().delete()


def test_fixture_with_the_links_before_what_they_link(emma, tmp_path):
    rows = [
        {"model": "shop.product", "pk": 70, "fields": {"name": "Carmilla", "slug": "carmilla", "price": "4.50"}},
        {"model": "shop.productauthor", "pk": 71, "fields": {"product": 70, "author": 72}},
        {"model": "shop.author", "pk": 72, "fields": {"name": "Sheridan Le Fanu", "slug": "le-fanu"}},
    ]
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(rows))
    call_command("loaddata", str(path), verbosity=0)
    assert stale() == []
    assert Product.objects.get(pk=70).authors_text == "Sheridan Le Fanu"
