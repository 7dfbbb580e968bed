from decimal import Decimal

import pytest

from shop.models import Product, ProductImage, ProductTag
from tests.factories import AuthorFactory, ProductFactory, ProductTagFactory, SeriesFactory
from tests.shop.shelves import FRAGMENT, page, picture_of, stock, titles


def test_active_books_stand_in_order_of_title(client, db):
    for name in ("Émile", "Dune", "emma"):
        ProductFactory(name=name)
    ProductFactory(name="Withdrawn", active=False)
    html = page(client, "/products/all/")
    assert titles(html) == ["Dune", "Émile", "emma"]
    assert "3 books" in html


def test_a_card_shows_price_authors_series_and_stock(client, db):
    book = ProductFactory(
        name="Emma",
        price=Decimal("1234.50"),
        in_stock=False,
        series=SeriesFactory(name="Highbury"),
        series_number=Decimal(2),
    )
    book.authors.add(AuthorFactory(name="Jane Austen"))
    html = page(client, "/products/all/")
    for text in ("Jane Austen", "Highbury #2", "£1,234.50", "Out of stock", 'href="/product/emma/"'):
        assert text in html


def test_a_card_has_the_picture_that_comes_first(client, db):
    book = ProductFactory(name="Emma")
    ProductImage.objects.bulk_create([picture_of(book, "back.jpg", 2), picture_of(book, "the front.jpg", 1)])
    assert '<img src="/media/thumbnails/the%20front.jpg" width="200" height="300" loading="lazy" alt="">' in page(
        client, "/products/all/"
    )


def test_titles_are_escaped_and_may_be_long(client, db):
    ProductFactory(name="<b>Bold</b> & " + "long " * 40)
    html = page(client, "/products/all/")
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; long" in html
    assert "<b>Bold" not in html


def test_a_tag_page_holds_its_books_alone(client, db):
    tag = ProductTagFactory(name="Gothic", description="Castles and fog.")
    ProductFactory(name="Dracula").tags.add(tag)
    ProductFactory(name="Emma")
    html = page(client, "/products/gothic/")
    assert titles(html) == ["Dracula"]
    assert "Castles and fog." in html
    assert '<a href="/products/gothic/" aria-current="page">Gothic</a>' in html


def test_all_holds_every_book_whatever_tags_are_called(client, db):
    ProductFactory(name="Emma")
    ProductFactory(name="Walden").tags.add(ProductTagFactory(name="All", slug="all"))
    assert titles(page(client, "/products/all/")) == ["Emma", "Walden"]


def test_unknown_and_inactive_tags_are_404(client, db):
    ProductTagFactory(name="Hidden", active=False)
    assert client.get("/products/nowhere/").status_code == 404
    assert client.get("/products/hidden/").status_code == 404
    assert "Hidden" not in page(client, "/products/all/")


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("title", ["Book 001", "Book 002"]),
        ("price", ["Book 001", "Book 002"]),
        ("-price", ["Book 030", "Book 029"]),
        ("newest", ["Book 030", "Book 029"]),
        ("nonsense", ["Book 001", "Book 002"]),
        ("match", ["Book 001", "Book 002"]),
    ],
)
def test_books_can_be_sorted(client, db, sort, expected):
    stock(30)
    assert titles(page(client, f"/products/all/?sort={sort}"))[:2] == expected


@pytest.mark.parametrize(
    ("number", "first"),
    [("1", "001"), ("2", "025"), ("3", "049"), ("4", "049"), ("9" * 5000, "001"), ("99999", "049")]
    + [(bad, "001") for bad in ("0", "-3", "abc", "", "1.5", "%00")],
)
def test_a_bad_page_shows_the_nearest_good_one(client, db, number, first):
    stock(50)
    assert titles(page(client, f"/products/all/?page={number}"))[0] == f"Book {first}"


def test_pages_hold_24_books_and_keep_the_order(client, db):
    stock(50)
    html = page(client, "/products/all/?sort=-price&page=2")
    assert titles(html) == [f"Book {n:03}" for n in range(26, 2, -1)]
    assert 'href="?sort=-price&amp;page=3"' in html


def test_a_later_page_of_what_was_found_in_a_subject_is_its_own(client, db):
    tag = ProductTagFactory(name="Gothic")
    stock(60, tag)
    ProductFactory(name="Book of another subject")
    for number, first, last in ((2, 25, 48), (3, 49, 60)):
        html = page(client, f"/products/gothic/?q=book&page={number}")
        assert titles(html) == [f"Book {n:03}" for n in range(first, last + 1)]
        assert "60 books" in html


def test_an_empty_shelf_leads_on(client, db):
    ProductTagFactory(name="Gothic")
    html = page(client, "/products/gothic/")
    assert "No books here yet" in html
    assert "Browse all books" in html


def test_htmx_gets_the_list_alone_and_the_address_to_show(client, db):
    stock(50)
    response = client.get("/products/all/?q=&sort=title&page=99", headers=FRAGMENT)
    html = response.content.decode()
    # htmx takes a title that stands at the top of a fragment for the window's.
    assert html.strip().startswith("<title>All books, page 3, BookTime</title>")
    assert '<div id="product-list" data-say="Page 3 of 3, 50 books.">' in html
    assert "site-header" not in html
    assert response.headers["HX-Push-Url"] == "/products/all/?page=3"
    assert "HX-Request" in response.headers["Vary"]


def test_a_restored_history_gets_the_whole_page(client, db):
    html = page(client, "/products/all/", **FRAGMENT, **{"HX-History-Restore-Request": "true"})
    assert html.startswith("<!doctype html>")
    assert html.count("<title>") == 1


def test_what_was_found_can_be_sorted_without_javascript(client, db):
    html = page(client, "/products/all/?q=book")
    form = html[html.rindex('<form action="/products/all/"') :].partition("</form>")[0]
    assert 'name="q" value="book"' in form
    assert 'name="sort"' in form
    assert "<noscript><button" in form


def test_the_list_is_for_reading(client, db):
    assert client.post("/products/all/").status_code == 405


@pytest.mark.parametrize("number", [10, 300])
@pytest.mark.parametrize(
    "path", ["/products/all/", "/products/gothic/", "/products/all/?q=book", "/products/all/?page=2"]
)
@pytest.mark.parametrize("person", ["visitor", "shopper"])
def test_a_list_takes_six_queries_at_most(request, db, person, path, number, django_assert_max_num_queries):
    stock(number, ProductTagFactory(name="Gothic"))
    client = request.getfixturevalue(person)
    with django_assert_max_num_queries(6):
        html = page(client, path)
    assert '<span id="basket-count" class="count">3</span>' in html


def test_a_new_visitor_costs_no_query_of_their_own(client, db, django_assert_num_queries):
    stock(30)
    with django_assert_num_queries(3):  # subjects, number of books, books
        page(client, "/products/all/")


def test_a_full_page_is_at_most_60_kb(client, db):
    ProductTag.objects.bulk_create(ProductTag(name=f"Subject {n}", slug=f"subject-{n}") for n in range(52))
    books = stock(100)
    for book in books:
        book.name, book.authors_text, book.series_text = "W" * 250, "A" * 200, "S" * 100
    Product.objects.bulk_update(books, ["name", "authors_text", "series_text"])
    assert len(client.get("/products/all/?page=2").content) <= 60_000


def test_a_new_book_counts_at_once(client, db):
    stock(40, ProductTagFactory(name="Few"))
    assert "40 books" in page(client, "/products/few/")
    ProductFactory(name="Another").tags.add(ProductTag.objects.get())
    assert "41 books" in page(client, "/products/few/")


def test_a_subject_that_was_renamed_or_hidden_is_so_at_once(client, db):
    tag = ProductTagFactory(name="Gothic")
    assert ">Gothic</a>" in page(client, "/products/all/")
    ProductTag.objects.filter(pk=tag.pk).update(name="Gloomy")
    assert ">Gloomy</a>" in page(client, "/products/all/")
    ProductTag.objects.filter(pk=tag.pk).update(active=False)
    assert "Gloomy" not in page(client, "/products/all/")
