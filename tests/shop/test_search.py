from urllib.parse import quote

import pytest

from shop.models import Product
from tests.factories import AuthorFactory, ProductFactory, ProductTagFactory
from tests.shop.shelves import page, stock, titles


@pytest.fixture
def library(db):
    stone = ProductFactory(name="Harry Potter and the Sorcerer's Stone", isbn="9780439554930")
    stone.authors.add(AuthorFactory(name="J.K. Rowling"))
    stone.tags.add(ProductTagFactory(name="Fantasy"))
    solitude = ProductFactory(name="One Hundred Years of Solitude", description="Macondo, by the river.")
    solitude.authors.add(AuthorFactory(name="Gabriel García Márquez"))
    ProductFactory(name="Harry Houdini")
    ProductFactory(name="Harry Withdrawn", active=False)


def found(client, query: str, tag: str = "all") -> list[str]:
    return titles(page(client, f"/products/{tag}/?q={quote(query)}"))


STONE = "Harry Potter and the Sorcerer&#x27;s Stone"
SOLITUDE = "One Hundred Years of Solitude"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("garcia marquez", [SOLITUDE]),
        ("GARCÍA MÁRQUEZ", [SOLITUDE]),
        ("macondo", [SOLITUDE]),
        ("harry potter stone", [STONE]),
        ("stone harry", [STONE]),
        ("sorcerers", [STONE]),
        ("sorc", [STONE]),
        ("fantasy", [STONE]),
        ("978-0-439-55493-0", [STONE]),
        ("0-439-55493-X rowling", []),
        ("harry solitude", []),
        ("withdrawn", []),
    ],
)
def test_every_word_must_match(client, library, query, expected):
    assert found(client, query) == expected


def test_a_search_stays_within_its_tag(client, library):
    assert found(client, "harry", "fantasy") == [STONE]
    assert len(found(client, "harry")) == 2


@pytest.mark.parametrize(
    "query", ["'", '"', "&|!:*'\\", "a' OR 1=1 --", "harry AND", "NEAR(a b)", "(", "-", "harry\0potter", "%", "_", "𝒜"]
)
def test_operators_and_quotes_are_no_error(client, library, query):
    assert client.get("/products/all/", {"q": query}).status_code == 200


@pytest.mark.parametrize("query", ["a" * 10_000, "ab " * 3_333, "é" * 10_000, "'" * 10_000])
def test_a_very_long_query_is_no_error(client, library, query):
    assert client.get("/products/all/", {"q": query}).status_code == 200
    assert list(Product.objects.search(query)) == []


@pytest.mark.parametrize("query", ["?!", "***", "&", "“”", "-- --"])
def test_punctuation_alone_finds_nothing_and_leads_on(client, library, query):
    html = page(client, f"/products/all/?q={quote(query)}")
    assert titles(html) == []
    assert "Browse all books" in html


def test_nothing_found_in_a_tag_leads_to_a_search_of_all_books(client, library):
    html = page(client, "/products/fantasy/?q=solitude")
    assert "No book matches “solitude”" in html
    assert 'href="/products/all/?q=solitude"' in html


def test_the_best_match_comes_first_unless_another_order_is_chosen(client, db):
    ProductFactory(name="A Life", description="Of Emma Bovary's maker, and emma again.", price=1)
    ProductFactory(name="Emma", price=9)
    assert found(client, "emma") == ["Emma", "A Life"]
    assert titles(page(client, "/products/all/?q=emma&sort=price")) == ["A Life", "Emma"]
    assert titles(page(client, "/products/all/?q=emma&sort=nonsense")) == ["Emma", "A Life"]


def test_the_pages_of_a_search_keep_query_and_order(client, db):
    stock(60)
    first, second = (titles(page(client, f"/products/all/?q=book&page={n}")) for n in (1, 2))
    assert [len(first), len(second)] == [24, 24]
    assert [*first, *second] == [f"Book {n:03}" for n in range(1, 49)]
    assert 'href="?q=book&amp;page=2"' in page(client, "/products/all/?q=book")


def test_the_query_is_shown_again_and_escaped(client, db):
    html = page(client, "/products/all/?q=%3Cscript%3E&page=1")
    assert "<script>" not in html.partition("<body>")[2]
    assert "&lt;script&gt;" in html
