from tests.factories import AuthorFactory, ProductFactory
from tests.shop.shelves import FRAGMENT, page, titles


def books_by(name: str, number: int) -> None:
    author = AuthorFactory(name=name)
    for n in range(1, number + 1):
        ProductFactory(name=f"Book {n:02}").authors.add(author)


def test_an_author_has_a_page_of_their_active_books(client, db):
    author = AuthorFactory(name="Jane Austen")
    for name in ("Persuasion", "Emma"):
        ProductFactory(name=name).authors.add(author)
    ProductFactory(name="Sanditon", active=False).authors.add(author)
    ProductFactory(name="Dracula")
    html = page(client, "/author/jane-austen/")
    assert titles(html) == ["Emma", "Persuasion"]
    assert "2 books" in html


def test_many_books_are_paged_in_place(client, db):
    books_by("Agatha Christie", 30)
    html = page(client, "/author/agatha-christie/?page=2", **FRAGMENT)
    assert html.strip().startswith("<title>Agatha Christie, page 2, BookTime</title>")
    assert '<div id="their-books" data-say="Page 2 of 2, 30 books.">' in html
    assert "site-header" not in html
    assert titles(html) == [f"Book {n}" for n in range(25, 31)]


def test_an_author_without_books_for_sale_leads_on(client, db):
    AuthorFactory(name="Nobody")
    assert "Browse all books" in page(client, "/author/nobody/")


def test_an_unknown_author_is_404(client, db):
    assert client.get("/author/nobody/").status_code == 404
