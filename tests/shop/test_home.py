from shop.models import ProductImage
from tests.factories import ProductFactory, ProductTagFactory
from tests.shop.shelves import page, picture_of, stock, titles


def test_home_shows_the_newest_books_and_the_subjects(client, db):
    for name in ("Old", "Middle", "New"):
        ProductFactory(name=name)
    ProductFactory(name="Withdrawn", active=False)
    ProductTagFactory(name="Gothic")
    ProductTagFactory(name="Hidden", active=False)
    html = page(client, "/")
    assert titles(html) == ["New", "Middle", "Old"]
    assert 'href="/products/gothic/"' in html
    assert "Hidden" not in html


def test_the_newest_books_with_a_picture_open_the_page(client, db):
    book = ProductFactory(name="Emma")
    ProductImage.objects.bulk_create([picture_of(book)])
    html = page(client, "/")
    assert '<a class="cover" href="/product/emma/"><img src="/media/thumbnails/a.jpg"' in html


def test_an_empty_shop_says_so(client, db):
    assert "shelves are being filled" in page(client, "/")


def test_home_takes_six_queries_at_most(shopper, django_assert_max_num_queries):
    stock(300)
    with django_assert_max_num_queries(6):
        assert len(titles(page(shopper, "/"))) == 12
