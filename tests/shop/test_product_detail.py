import re
from decimal import Decimal

import pytest
from django.test import Client

from shop.models import ProductImage
from tests.factories import AuthorFactory, ProductFactory, ProductTagFactory, SeriesFactory
from tests.shop.shelves import FRAGMENT, page, picture_of, titles


@pytest.fixture
def odyssey(db):
    book = ProductFactory(
        name="The Odyssey",
        price=Decimal("12.99"),
        description="Sing to me.\n\nOf the man.",
        isbn="978-0-14-026886-7",
        publisher="Penguin",
        published=-750,
        language="en",
        format="paperback",
        pages=541,
        series=SeriesFactory(name="Homeric Epics"),
        series_number=Decimal("2.00"),
    )
    for position, name in enumerate(("Homer", "Robert Fagles")):
        book.author_links.create(author=AuthorFactory(name=name), position=position)
    book.tags.add(ProductTagFactory(name="Classics"), ProductTagFactory(name="Retired", active=False))
    return book


def gallery(html: str) -> str:
    return html[html.index('id="product-pictures"') : html.index("<h1>") if "<h1>" in html else None]


def current_image(html: str) -> str:
    return html.partition('<div class="current-image">')[2].partition("</div>")[0]


def test_a_page_tells_what_is_known_of_the_edition(client, odyssey):
    html = page(client, "/product/the-odyssey/")
    for fact in ("9780140268867", "Penguin", "750 BC", "English", "Paperback", "541", "£12.99", "Homeric Epics #2"):
        assert fact in html
    assert "<p>Sing to me.</p>" in html


def test_a_page_links_to_authors_series_and_active_subjects(client, odyssey):
    html = page(client, "/product/the-odyssey/")
    homer, fagles = html.index('href="/author/homer/"'), html.index('href="/author/robert-fagles/"')
    assert homer < fagles
    assert 'href="/series/homeric-epics/"' in html
    assert 'href="/products/classics/"' in html
    assert "Retired" not in html


def test_a_book_of_which_little_is_known_has_no_details(client, db):
    ProductFactory(name="Pamphlet")
    html = page(client, "/product/pamphlet/")
    assert "Details" not in html
    assert "cover--blank" in html


def test_a_book_in_stock_has_a_form_for_the_basket(client, odyssey):
    html = page(client, "/product/the-odyssey/")
    form = html[html.index('action="/add_to_basket/"') :].partition("</form>")[0]
    assert f'name="product_id" value="{odyssey.pk}"' in form
    assert "csrfmiddlewaretoken" in form


def test_a_book_out_of_stock_says_so_and_cannot_be_bought(client, odyssey):
    odyssey.in_stock = False
    odyssey.save()
    html = page(client, "/product/the-odyssey/")
    assert "/add_to_basket/" not in html
    assert '<button class="btn" disabled>Out of stock</button>' in html


def test_unknown_and_inactive_books_are_404(client, db):
    ProductFactory(name="Withdrawn", active=False)
    assert client.get("/product/withdrawn/").status_code == 404
    assert client.get("/product/never-was/").status_code == 404


@pytest.mark.parametrize(("asked", "shown"), [("", "1"), ("?image=2", "2"), ("?image=9", "2"), ("?image=x", "1")])
def test_a_thumbnail_switches_the_picture(client, odyssey, asked, shown):
    ProductImage.objects.bulk_create(picture_of(odyssey, f"{n}.jpg", n) for n in (2, 1))
    html = page(client, f"/product/the-odyssey/{asked}")
    assert f'<img src="/media/products/{shown}.jpg" width="800" height="1200"' in current_image(html)
    assert f'href="?image={shown}" aria-current="true"' in html
    assert html.count('class="image"') == 2


def test_htmx_gets_the_pictures_alone(client, odyssey):
    ProductImage.objects.bulk_create(picture_of(odyssey, f"{n}.jpg", n) for n in (1, 2))
    response = client.get("/product/the-odyssey/?image=2", headers=FRAGMENT)
    html = response.content.decode()
    assert html.strip().startswith('<div class="gallery sticky" id="product-pictures" data-say="Picture 2 of 2."')
    assert "products/2.jpg" in current_image(html)
    assert "<h1>" not in html


def test_a_series_goes_on_with_the_next_volume(client, odyssey):
    for number in (1, 3, 4):
        ProductFactory(name=f"Epic {number}", series=odyssey.series, series_number=Decimal(number))
    assert titles(page(client, "/product/the-odyssey/")) == ["Epic 3", "Epic 4", "Epic 1"]


def test_a_book_without_a_series_leads_to_more_by_its_author(client, db):
    austen = AuthorFactory(name="Jane Austen")
    for name in ("Persuasion", "Emma", "Sanditon"):
        ProductFactory(name=name, active=name != "Sanditon").authors.add(austen)
    html = page(client, "/product/emma/")
    assert "More by Jane Austen" in html
    assert titles(html) == ["Persuasion"]


@pytest.mark.parametrize("others", [0, 40])
@pytest.mark.parametrize("person", ["visitor", "shopper"])
def test_a_product_page_takes_six_queries_at_most(request, odyssey, person, others, django_assert_max_num_queries):
    client: Client = request.getfixturevalue(person)
    ProductImage.objects.bulk_create(picture_of(odyssey, f"{n}.jpg", n) for n in range(others))
    odyssey.tags.add(*(ProductTagFactory() for _ in range(others)))
    for _ in range(others):
        ProductFactory().authors.add(odyssey.authors.first())
    with django_assert_max_num_queries(6):
        page(client, "/product/the-odyssey/")


def test_a_description_is_text_in_paragraphs(client, db):
    ProductFactory(name="Emma", description="<b>Clever</b> & rich\n\nNearly twenty-one")
    html = page(client, "/product/emma/")
    assert "<p>&lt;b&gt;Clever&lt;/b&gt; &amp; rich</p>\n\n<p>Nearly twenty-one</p>" in html


@pytest.mark.parametrize(("code", "name"), [("fr", "French"), ("zh", "Chinese"), ("xx", "xx")])
def test_a_language_goes_by_its_name(client, db, code, name):
    ProductFactory(name="Book", language=code)
    assert f"<dt>Language</dt><dd>{name}</dd>" in page(client, "/product/book/")


def test_breadcrumb_is_the_subject_with_the_fewest_books(client, db):
    fiction, mystery = ProductTagFactory(name="Fiction"), ProductTagFactory(name="Mystery")
    hidden = ProductTagFactory(name="Signed copies", active=False)
    for number in range(3):
        ProductFactory(name=f"Novel {number}").tags.add(fiction)
    ProductFactory(name="The Hound of the Baskervilles").tags.add(fiction, mystery, hidden)
    crumbs = page(client, "/product/the-hound-of-the-baskervilles/").partition('<nav class="breadcrumbs"')[2]
    assert re.findall(r"<li[^>]*>(?:<a[^>]*>)?([^<]+)", crumbs.partition("</nav>")[0]) == [
        "Books",
        "Mystery",
        "The Hound of the Baskervilles",
    ]


def test_breadcrumb_of_a_book_without_a_subject_leads_to_all_books(client, db):
    ProductFactory(name="Emma")
    crumbs = page(client, "/product/emma/").partition('<nav class="breadcrumbs"')[2].partition("</nav>")[0]
    assert crumbs.count("<li") == 2
