"""An import never takes a book by another author for the same book."""

import pytest
from django.core.management import CommandError

from shop.importing.matching import author_key
from shop.models import Product, ProductTag
from tests.shop.test_import_data import HEADER, folder, run, snapshot, write

__all__ = ["folder"]

pytestmark = pytest.mark.django_db
AUTHORS = f"{HEADER},authors"
FULL = f"{HEADER},isbn,authors"
POEMS = "Collected Poems"


def books():
    return sorted(Product.objects.values_list("authors_text", "description", "isbn"))


def test_book_of_another_author_is_another_book_also_when_it_has_an_isbn(folder):
    run(write(folder, f"{POEMS},Larkin's,Poetry,,14.99,Philip Larkin\n", AUTHORS))
    plaths = f"{POEMS},Plath's,Poetry,,16.99,9780571118380,Sylvia Plath\n"
    assert "(created=1)" in run(write(folder, plaths, FULL))
    both = [("Philip Larkin", "Larkin's", None), ("Sylvia Plath", "Plath's", "9780571118380")]
    assert books() == both
    assert "(created=0)" in run(write(folder, plaths, FULL))
    assert books() == both


def test_file_with_both_changes_nothing_the_second_time(folder):
    rows = [f"{POEMS},Larkin's,,,14.99,Philip Larkin\n", f"{POEMS},Plath's,,,16.99,Sylvia Plath\n"]
    run(write(folder, "".join(rows), AUTHORS))
    before = snapshot()
    assert "(created=0)" in run(write(folder, "".join(rows), AUTHORS))
    assert "(created=0)" in run(write(folder, "".join(reversed(rows)), AUTHORS))
    assert snapshot() == before


SAME = [
    ("H. G. Wells", "HG Wells"),
    ("H. G. Wells", "H.G. WELLS"),
    ("H. G. Wells", "Wells, H. G."),
    ("Gabriel García Márquez", "gabriel garcia marquez"),
    ("Terry Pratchett|Neil Gaiman", "Neil Gaiman|Terry Pratchett"),
    ("村上春樹", "村上春樹"),
]
OTHER = [
    ("Philip Larkin", "Sylvia Plath"),
    ("Homer|Emily Wilson", "Homer|Robert Fagles"),
    ("Homer", "Homer|Emily Wilson"),
    ("Jane Smith", "John Smith"),
    ("村上春樹", "村上龍"),
]


@pytest.mark.parametrize(("shops", "files"), SAME)
def test_author_written_otherwise_is_the_same(folder, shops, files):
    run(write(folder, f"Tales,old,,,5,{shops}\n", AUTHORS))
    quoted = f'"{files}"'
    assert "(created=0)" in run(write(folder, f"Tales,new,,,5,{quoted}\n", AUTHORS))
    assert [book.description for book in Product.objects.all()] == ["new"]


@pytest.mark.parametrize(("shops", "files"), OTHER)
def test_others_are_others(folder, shops, files):
    run(write(folder, f"Tales,old,,,5,{shops}\n", AUTHORS))
    assert "(created=1)" in run(write(folder, f"Tales,new,,,5,{files}\n", AUTHORS))
    assert {book.description for book in Product.objects.all()} == {"old", "new"}


def test_isbn_says_otherwise(folder):
    run(write(folder, "Tales,old,,,5,9780571118380,Sylvia Plath\n", FULL))
    assert "(created=0)" in run(write(folder, "Tales,new,,,5,9780571118380,Ted Hughes\n", FULL))
    assert books() == [("Ted Hughes", "new", "9780571118380")]


def test_two_isbns_of_one_author_are_two_books(folder):
    run(write(folder, "Tales,old,,,5,9780571118380,Sylvia Plath\n", FULL))
    assert "(created=1)" in run(write(folder, "Tales,new,,,5,9780141439587,Sylvia Plath\n", FULL))


def test_book_gets_its_isbn_from_the_row_with_its_authors(folder):
    run(write(folder, "Tales,Hughes's,,,5,Ted Hughes\nTales,Plath's,,,5,Sylvia Plath\n", AUTHORS))
    assert "(created=0)" in run(write(folder, "Tales,Plath's,,,5,9780571118380,Sylvia Plath\n", FULL))
    assert books() == [("Sylvia Plath", "Plath's", "9780571118380"), ("Ted Hughes", "Hughes's", None)]


def test_book_without_authors_gets_them(folder):
    run(write(folder, "Tales,old,,,5\n"))
    assert "(created=0)" in run(write(folder, "Tales,new,,,5,Sylvia Plath\n", AUTHORS))
    assert books() == [("Sylvia Plath", "new", None)]


def test_row_without_authors_is_the_one_book_of_its_title(folder):
    run(write(folder, "Tales,old,,,5,Sylvia Plath\n", AUTHORS))
    assert "(created=0)" in run(write(folder, "Tales,new,,,5\n"))
    assert books() == [("Sylvia Plath", "new", None)]


def test_row_without_authors_is_the_book_without_authors_where_there_are_others(folder):
    run(write(folder, "Tales,theirs,,,5,Ted Hughes\nTales,nobody's,,,5,\n", AUTHORS))
    assert "(created=0)" in run(write(folder, "Tales,new,,,5\n"))
    assert books() == [("", "new", None), ("Ted Hughes", "theirs", None)]


def test_row_that_could_be_each_of_two_authors_books_is_refused(folder):
    run(write(folder, "Tales,Hughes's,,,5,Ted Hughes\nTales,Plath's,,,5,Sylvia Plath\n", AUTHORS))
    before = snapshot()
    with pytest.raises(CommandError, match="line 3: the shop has books by different authors called “Tales”") as error:
        run(write(folder, "Emma,,,,5\nTales,new,,,5\n"))
    assert "add a column with authors or isbn" in str(error.value)
    assert snapshot() == before


def test_initials_are_joined_and_names_are_not():
    assert author_key("J. R. R. Tolkien") == author_key("JRR Tolkien") == "jrr tolkien"
    assert author_key("Johann Wolfgang von Goethe") == "johann wolfgang von goethe"


def test_subject_called_all_gets_an_address_of_its_own(folder, client):
    path = write(folder, "Emma,,All|Love,,5\n")
    run(path)
    assert ProductTag.objects.get(name="All").slug == "all-2"
    before = snapshot()
    run(path)
    assert snapshot() == before
    assert "created=0" in run(write(folder, "Emma,,ALL|Love,,5\n")).splitlines()[2]
    assert "Emma" in client.get("/products/all-2/").content.decode()
