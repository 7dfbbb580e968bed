import csv
import gc
import os
import subprocess
import sys
import threading
import tracemalloc
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from PIL import Image

from shop.importing import Import, lock_out_other_imports
from shop.models import Author, Product, ProductImage, ProductTag, Series
from shop.values.picture_files import read_picture

pytestmark = pytest.mark.django_db

HEADER = "name,description,tags,image_filename,price"
THREE_BOOKS = """\
The cathedral and the bazaar,About open source,Open source|Programming,red.png,10.00
Siddhartha,"A novel,
in two lines",Religion|Narrative,red.png,6.00
Backgammon for dummies,How to play,Games|Manual,blue.png,13.00
"""
REPORT = """\
Importing products
Products processed=3 (created=3)
Tags processed=6 (created=6)
Images processed=3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    covers = tmp_path / "covers"
    covers.mkdir()
    for name in ("red", "blue", "green"):
        Image.new("RGB", (400, 600), name).save(covers / f"{name}.png")
    return tmp_path


def write(folder: Path, rows: str, header: str = HEADER, encoding: str = "utf-8", name: str = "books.csv") -> Path:
    path = folder / name
    path.write_bytes(f"{header}\n{rows}".encode(encoding))
    return path


def run(path: Path, *options: str) -> str:
    output, errors = StringIO(), StringIO()
    call_command("import_data", str(path), str(path.parent / "covers"), *options, stdout=output, stderr=errors)
    run.errors = errors.getvalue()
    return output.getvalue()


def problems_of(folder: Path, rows: str, header: str = HEADER) -> str:
    """What the command says about a file that it refuses, having changed nothing."""
    with pytest.raises(CommandError) as error:
        run(write(folder, rows, header))
    assert not Product.objects.exists()
    assert not ProductTag.objects.exists()
    assert error.value.returncode == 1
    return str(error.value)


def snapshot() -> list:
    """Everything that an import could touch, to the microsecond."""
    rows = [list(model.objects.order_by("pk").values()) for model in (Product, ProductTag, Author, Series)]
    rows.append(list(ProductImage.objects.order_by("pk").values()))
    rows.append(list(Product.tags.through.objects.order_by("pk").values()))
    rows.append(list(Product.authors.through.objects.order_by("pk").values()))
    return rows


def test_three_books_are_created_and_counted(folder) -> None:
    assert run(write(folder, THREE_BOOKS)) == REPORT
    book = Product.objects.get(name="Siddhartha")
    assert (book.slug, book.price, book.description) == ("siddhartha", Decimal("6.00"), "A novel,\nin two lines")
    assert book.active and book.in_stock
    assert {tag.name for tag in book.tags.all()} == {"Religion", "Narrative"}
    image = book.images.get()
    with Image.open(image.thumbnail) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("JPEG", (200, 300))
    assert (image.width, image.height, image.thumbnail_width) == (400, 600, 200)


def test_what_is_imported_is_found(folder) -> None:
    run(write(folder, "Café Society,Jazz,Musique,,5.00\n"))
    for text in ("cafe", "jazz", "musique"):
        assert [book.name for book in Product.objects.search(text)] == ["Café Society"]


def test_twice_changes_nothing(folder, media_root) -> None:
    path = write(folder, THREE_BOOKS)
    run(path)
    before = snapshot()
    made = {file: file.stat().st_mtime_ns for file in media_root.rglob("*.*")}
    assert "Products processed=3 (created=0)" in run(path)
    assert snapshot() == before
    assert {file: file.stat().st_mtime_ns for file in media_root.rglob("*.*")} == made


def test_a_tag_of_several_books_counts_once_as_created(folder) -> None:
    assert "Tags processed=3 (created=2)" in run(write(folder, "Emma,,Fiction|Love,,5\nKim,,fiction,,5\n"))
    assert sorted(tag.name for tag in ProductTag.objects.all()) == ["Fiction", "Love"]


def test_changed_cells_update_a_book_in_place(folder, media_root) -> None:
    run(write(folder, THREE_BOOKS))
    old = Product.objects.get(name="Siddhartha")
    run(write(folder, "Siddhartha,Shorter,Religion|Classics,green.png,7.50\n"))
    new = Product.objects.get(name="Siddhartha")
    assert (new.pk, new.slug, new.date_added) == (old.pk, old.slug, old.date_added)
    assert (new.description, new.price) == ("Shorter", Decimal("7.50"))
    assert new.date_updated > old.date_updated
    assert {tag.name for tag in new.tags.all()} == {"Religion", "Classics"}
    with Image.open(new.images.get().image) as picture:
        assert picture.getpixel((0, 0)) == (0, 128, 0)
    assert [book.pk for book in Product.objects.search("classics")] == [new.pk]
    assert not Product.objects.search("narrative").exists()


def test_a_renamed_book_is_known_by_its_isbn_and_keeps_its_slug(folder) -> None:
    header = f"{HEADER},isbn"
    run(write(folder, "Emma,,,,5,0-14-143958-0\n", header))
    assert Product.objects.get().isbn == "9780141439587"
    run(write(folder, "Emma: A Novel,,,,5,978-0-14-143958-7\n", header))
    book = Product.objects.get()
    assert (book.name, book.slug) == ("Emma: A Novel", "emma")


def test_namesakes_are_told_apart_by_their_order(folder) -> None:
    path = write(folder, "Poems,first,,,5\nPoems,second,,,6\n")
    run(path)
    before = snapshot()
    assert sorted(Product.objects.values_list("slug", "description")) == [("poems", "first"), ("poems-2", "second")]
    assert "(created=0)" in run(path)
    assert snapshot() == before


def test_isbns_are_added_to_namesakes_that_had_none(folder) -> None:
    run(write(folder, "Poems,first,,,5\nPoems,second,,,6\n"))
    full = write(folder, "Poems,first,,,5,9780141439587\nPoems,second,,,6,9780439023481\n", f"{HEADER},isbn")
    assert "(created=0)" in run(full)
    assert list(Product.objects.order_by("pk").values_list("description", "isbn")) == [
        ("first", "9780141439587"),
        ("second", "9780439023481"),
    ]
    # By now the ISBN knows them, whatever their order.
    swapped = write(folder, "Poems,second,,,6,9780439023481\nPoems,first,,,5,9780141439587\n", f"{HEADER},isbn")
    before = snapshot()
    assert "(created=0)" in run(swapped)
    assert snapshot() == before


def test_a_row_does_not_take_the_book_that_another_rows_isbn_names(folder) -> None:
    header = f"{HEADER},isbn"
    run(write(folder, "Poems,with,,,5,9780141439587\nPoems,without,,,6,\n", header))
    before = snapshot()
    assert "(created=0)" in run(write(folder, "Poems,without,,,6,\nPoems,with,,,5,9780141439587\n", header))
    assert snapshot() == before


def test_two_isbns_are_two_books(folder) -> None:
    run(write(folder, "Emma,,,,5,9780141439587\n", f"{HEADER},isbn"))
    assert "(created=1)" in run(write(folder, "Emma,,,,5,9780439023481\n", f"{HEADER},isbn"))
    assert sorted(Product.objects.values_list("slug", flat=True)) == ["emma", "emma-2"]


def test_optional_columns_are_read(folder) -> None:
    header = f"{HEADER},isbn,authors,publisher,published,language,format,pages,series,series_number"
    row = "Odyssey,,,,5,,Homer|Emily Wilson| Homer ,Norton,-700,EN,E-book,592,Epics,2.5\n"
    run(write(folder, row, header))
    book = Product.objects.get()
    assert [link.author.name for link in book.author_links.all()] == ["Homer", "Emily Wilson"]
    assert book.authors_text == "Homer, Emily Wilson"
    assert (book.publisher, book.published, book.language, book.pages) == ("Norton", -700, "en", 592)
    assert (book.format, book.series.name, book.series_text) == (Product.Format.EBOOK, "Epics", "Epics #2.5")
    assert [found.pk for found in Product.objects.search("wilson epics norton")] == [book.pk]
    before = snapshot()
    run(write(folder, row, header))
    assert snapshot() == before


def test_an_absent_column_changes_nothing_and_an_empty_cell_clears(folder) -> None:
    header = f"{HEADER},isbn,authors,publisher,series,pages"
    run(write(folder, "Emma,Words,Love,red.png,5,9780141439587,Jane Austen,Egerton,Classics,400\n", header))
    run(write(folder, "Emma,Words,Love,red.png,6\n"))
    book = Product.objects.get()
    assert (book.authors_text, book.publisher, book.series.name, book.pages) == (
        "Jane Austen", "Egerton", "Classics", 400,
    )  # fmt: skip
    run(write(folder, "Emma,,,,6,,,,,\n", header))
    book = Product.objects.get()
    assert (book.description, book.authors_text, book.publisher, book.series, book.pages) == ("", "", "", None, None)
    assert not book.tags.exists() and not book.author_links.exists()
    # Neither says that there is none.
    assert book.isbn == "9780141439587"
    assert book.images.count() == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",,,,5", "name: is missing"),
        ("A" * 301 + ",,,,5", "name: has 301 characters; 300 is the most"),
        ("Emma,,,,", "price: is missing"),
        ("Emma,,,,cheap", "price: “cheap” is not a number"),
        ("Emma,,,,NaN", "price: “NaN” is not a number"),
        ("Emma,,,,1e3", "price: “1e3” is not a number"),
        ("Emma,,,,-3.00", "price: -3.00 is not more than 0"),
        ("Emma,,,,0", "price: 0 is not more than 0"),
        ("Emma,,,,5.001", "price: 5.001 has more than two decimal places"),
        ("Emma,,,,1000000", "price: 1000000 is more than 999999.99"),
        ("Emma,,,none.png,5", "image_filename: there is no file “none.png”"),
        ("Emma,,,../secret.png,5", "image_filename: “../secret.png” lies outside"),
        ("Emma,,,/etc/passwd,5", "image_filename: “/etc/passwd” lies outside"),
        ("Emma,,,fake.png,5", "image_filename: “fake.png” cannot be used: This is not a picture"),
        ("Emma,,,cut.png,5", "image_filename: “cut.png” cannot be used: This picture is broken"),
        ("Emma,," + "t" * 61 + ",,5", "tags: has 61 characters; 60 is the most"),
        ("Emma,,,5", "has 4 cells; the header has 5"),
        ("Emma,,,,5,6", "has 6 cells; the header has 5"),
        ('"Em"ma,,,,5', "cannot be read as CSV"),
        ("Em\0ma,,,,5", "holds a NUL character"),
    ],
)
def test_a_bad_cell_is_named_with_its_line(folder, row, reason) -> None:
    Image.new("RGB", (9, 9)).save(folder / "secret.png")
    (folder / "covers" / "fake.png").write_text("<svg/>")
    whole = (folder / "covers" / "red.png").read_bytes()
    (folder / "covers" / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert f"line 5: {reason}" in problems_of(folder, f'Good,"two\nlines",Tag,red.png,5\n\n{row}\nAlso good,,,,5\n')


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("isbn", "9780141439588"), ("isbn", "12"), ("published", "soon"), ("published", "99999"), ("pages", "0"),
        ("pages", "-4"), ("language", "English"), ("format", "Scroll"), ("series_number", "two"),
        ("series_number", "1.234"), ("series_number", "٣"), ("published", "9" * 5000),
    ],
)  # fmt: skip
def test_a_bad_optional_cell_is_named(folder, column, cell) -> None:
    assert f"line 2: {column}: " in problems_of(folder, f"Emma,,,,5,{cell}\n", f"{HEADER},{column}")


def test_every_bad_row_is_reported(folder) -> None:
    report = problems_of(folder, "Emma,,,,x\nKim,,,,5\n,,,none.png,y\n")
    assert "books.csv has 2 bad rows" in report
    assert "line 2: price" in report
    assert "line 4: name: is missing: every product needs one.; price: “y”" in report
    assert "none.png" in report


def test_an_isbn_that_stands_twice_is_refused(folder) -> None:
    rows = "Emma,,,,5,9780141439587\nEmma again,,,,5,0-14-143958-0\n"
    assert "line 3: isbn: 9780141439587 stands in line 2 already" in problems_of(folder, rows, f"{HEADER},isbn")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "is empty"),
        (f"{HEADER},autor", "line 1: unknown column “autor”"),
        ("name,description,tags,price", "line 1: missing column “image_filename”"),
        (f"{HEADER},price", "line 1: column “price” stands twice"),
        (HEADER.replace(",", ";"), "Separate columns by commas"),
    ],
)
def test_a_wrong_header_is_refused(folder, header, reason) -> None:
    assert reason in problems_of(folder, "", header)


def test_a_byte_order_mark_is_welcome(folder) -> None:
    assert run(write(folder, THREE_BOOKS, encoding="utf-8-sig")) == REPORT


def test_other_encodings_are_named_by_line(folder) -> None:
    path = write(folder, "Emma,,,,5\nCafé,,,,5\n", encoding="latin-1")
    with pytest.raises(CommandError, match="line 3: wrong encoding: this row is not UTF-8"):
        run(path)
    with pytest.raises(CommandError, match="is not UTF-8: save it as CSV in UTF-8"):
        run(write(folder, THREE_BOOKS, encoding="utf-16"))
    assert not Product.objects.exists()


def test_missing_files_and_folders_are_named(folder) -> None:
    with pytest.raises(CommandError, match=r"none\.csv cannot be read: No such file"):
        run(folder / "none.csv")
    with pytest.raises(CommandError, match="is not a folder"):
        call_command("import_data", str(write(folder, THREE_BOOKS)), str(folder / "none"), stdout=StringIO())


def test_a_dry_run_tells_and_changes_nothing(folder, media_root) -> None:
    run(write(folder, "Emma,,,,5\nKim,,,,5\n"))
    before = snapshot()
    output = run(write(folder, "Emma,,,red.png,6\nKim,,,,5\nVathek,,Gothic,,5\n"), "--dry-run")
    assert "1 products are new, 1 would change" in output
    assert "line 2: “Emma” gets another price, picture" in output
    assert "line 4: “Vathek” is new" in output
    assert "Kim" not in output
    assert snapshot() == before
    assert not list(media_root.rglob("*.*"))


def test_skip_bad_imports_the_rest_and_keeps_the_failed_rows_for_mending(folder) -> None:
    bad = 'Ivanhoe,"two\nlines",,,cheap\nCaf\udce9,,,,5\n'
    path = folder / "books.csv"
    path.write_bytes(f"{HEADER}\nEmma,,,,5\n{bad}Kim,,,,5".encode(errors="surrogateescape"))
    assert "Products processed=2 (created=2)" in run(path, "--skip-bad")
    assert "line 3: price: “cheap” is not a number" in run.errors
    assert "line 5: wrong encoding" in run.errors
    failed = folder / "books.failed.csv"
    assert failed.read_bytes() == f"{HEADER}\n{bad}".encode(errors="surrogateescape")
    failed.write_bytes(failed.read_bytes().replace(b"cheap", b"9").replace(b"\xe9", "é".encode()))
    assert "Products processed=2 (created=2)" in run(failed)
    assert sorted(Product.objects.values_list("name", flat=True)) == ["Café", "Emma", "Ivanhoe", "Kim"]


def test_skip_bad_keeps_namesakes_together(folder) -> None:
    path = write(folder, "Poems,first,,,x\nEmma,,,,5\nPoems,second,,,6\n")
    run(path, "--skip-bad", "--failed-rows", str(folder / "mend.csv"))
    assert "line 4: has the same title as line 2, which is bad" in run.errors
    mended = folder / "mend.csv"
    mended.write_text(mended.read_text().replace(",x", ",5"))
    assert "(created=2)" in run(mended)
    assert "(created=0)" in run(write(folder, "Poems,first,,,5\nEmma,,,,5\nPoems,second,,,6\n"))


def test_skip_bad_never_overwrites_the_file_it_reads(folder) -> None:
    path = write(folder, "Emma,,,,x\n")
    with pytest.raises(CommandError, match="name another"):
        run(path, "--skip-bad", "--failed-rows", str(path))


def test_a_picture_of_many_rows_is_decoded_once(folder, monkeypatch, media_root) -> None:
    decoded = []
    monkeypatch.setattr(
        "shop.importing.pictures.read_picture", lambda file: decoded.append(file.name) or read_picture(file)
    )
    (folder / "covers" / "copy.png").write_bytes((folder / "covers" / "red.png").read_bytes())
    path = write(folder, "".join(f"Book {n},,,{'copy' if n % 2 else 'red'}.png,5\n" for n in range(1200)))
    assert "Images processed=1200" in run(path)
    assert len(decoded) == 1
    assert len(list(media_root.rglob("*.*"))) == 3
    run(path)
    assert len(decoded) == 1


def test_nothing_stays_behind_when_writing_fails(folder, monkeypatch, media_root) -> None:
    def fail(self) -> None:
        raise RuntimeError

    monkeypatch.setattr("shop.importing.pictures.PictureFolder.end_batch", fail)
    with pytest.raises(RuntimeError):
        run(write(folder, THREE_BOOKS))
    assert not Product.objects.exists()
    assert not list(media_root.rglob("*.*"))


def test_queries_do_not_grow_with_the_rows_of_a_batch(folder, django_assert_max_num_queries) -> None:
    path = write(folder, "".join(f"Book {n},,Tag {n % 7},red.png,5\n" for n in range(490)))
    with django_assert_max_num_queries(80):
        run(path)
    with django_assert_max_num_queries(15):
        run(path)


def peak_memory(folder: Path, rows: int) -> int:
    """Bytes that Python held at most while importing `rows` new rows."""
    path = folder / f"{rows}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        writer.writerows([f"Book {n} of {rows}", "words " * 20, "Tag", "", "5.00"] for n in range(rows))
    tracemalloc.start()
    # Collected after each batch: when Python would do it by itself is its own affair.
    Import(path, folder, progress=lambda stage, rows: gc.collect()).run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.once
def test_memory_does_not_grow_with_the_file(folder, monkeypatch) -> None:
    monkeypatch.setattr("shop.importing.BATCH", 100)
    peak_memory(folder, 200)
    assert peak_memory(folder, 1600) < peak_memory(folder, 400) * 1.2


def test_the_command_line_exits_with_one(folder) -> None:
    project = Path(__file__).parents[2]
    command = [sys.executable, "manage.py", "import_data", str(folder / "none.csv"), str(folder)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert result.returncode == 1
    assert "none.csv cannot be read" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time")
def test_a_second_import_at_the_same_time_is_turned_away(folder) -> None:
    path = write(folder, THREE_BOOKS)
    locked, ended = threading.Event(), threading.Event()

    def first_import() -> None:
        with transaction.atomic():
            lock_out_other_imports()
            locked.set()
            ended.wait(20)
        connections.close_all()

    thread = threading.Thread(target=first_import)
    thread.start()
    assert locked.wait(20)
    try:
        with pytest.raises(CommandError, match="Another import is at work"):
            run(path)
    finally:
        ended.set()
        thread.join()
    assert run(path) == REPORT
