import csv
import hashlib
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest

from shop.demo.covers import draw_cover
from shop.demo.lettering import FONTS, SANS, SERIF, fit
from shop.demo.people import PEOPLE, Role

PROJECT = Path(__file__).parents[2]
BOOKS = PROJECT / "shop" / "demo" / "books.csv"
COLUMNS = (
    "name description tags image_filename price isbn authors publisher published language format pages series "
    "series_number"
)
SMALL = (200, 300)


def books() -> list[dict[str, str]]:
    with BOOKS.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, strict=True))


def fingerprint(title: str, author: str, variant: int = 0) -> str:
    return hashlib.sha256(draw_cover(title, author, variant, SMALL).tobytes()).hexdigest()


def test_every_book_fills_in_every_column() -> None:
    rows = books()
    assert len(rows) >= 60
    for row in rows:
        assert list(row) == COLUMNS.split()
        series = {"series", "series_number"}
        assert all(row[column] for column in set(row) - series), row["name"]
        assert bool(row["series"]) == bool(row["series_number"])
        assert len(row["name"]) <= 250
        assert 1 <= len(row["tags"].split("|")) <= 4
        assert row["format"] in {"Hardcover", "Paperback"}
        assert Decimal(row["price"]) > 0
        assert int(row["pages"]) > 0
        assert -1000 < int(row["published"]) < 1931


def test_no_two_books_share_a_title_picture_or_place_in_a_series() -> None:
    rows = books()
    assert len({row["name"] for row in rows}) == len(rows)
    assert len({row["image_filename"] for row in rows}) == len(rows)
    places = [(row["series"], row["series_number"]) for row in rows if row["series"]]
    assert len(set(places)) == len(places)


def test_isbns_are_valid_unique_and_nobody_elses() -> None:
    isbns = [row["isbn"] for row in books()]
    assert len(set(isbns)) == len(isbns)
    for isbn in isbns:
        assert len(isbn) == 13
        assert isbn.startswith("9797")
        assert sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(isbn)) % 10 == 0


def test_same_book_gets_same_cover_in_every_process() -> None:
    draw = "from shop.demo.covers import *; print(draw_cover('Emma', 'Jane Austen', 0, (200, 300)).tobytes().hex())"
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(PROJECT)}
        other = subprocess.run(
            [sys.executable, "-c", draw], env=environment, capture_output=True, text=True, check=True
        )
        assert hashlib.sha256(bytes.fromhex(other.stdout)).hexdigest() == fingerprint("Emma", "Jane Austen")


def test_every_book_has_a_cover_of_its_own() -> None:
    covers = Counter(fingerprint(row["name"], row["authors"]) for row in books())
    assert covers.most_common(1)[0][1] == 1


def test_four_pictures_of_a_book_differ() -> None:
    assert len({fingerprint("Candide", "Voltaire", variant) for variant in range(4)}) == 4


def test_a_fifth_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="not 4"):
        draw_cover("Candide", "Voltaire", 4)


@pytest.mark.parametrize("variant", range(4))
def test_cover_has_the_size_asked_for_and_is_a_small_file(variant: int) -> None:
    assert draw_cover("I Am a Cat", "Natsume Sōseki", variant, SMALL).size == SMALL
    cover = draw_cover("I Am a Cat", "Natsume Sōseki", variant)
    assert (cover.mode, cover.size) == ("RGB", (600, 900))
    cover.save(file := BytesIO(), "JPEG", quality=82)
    assert file.tell() <= 120_000


@pytest.mark.parametrize("title", ["R.U.R.", "Les Misérables " * 17, "Donaudampfschifffahrtsgesellschaft" * 3])
@pytest.mark.parametrize("face", [SERIF, SANS])
def test_lettering_stays_within_its_box_and_loses_no_word(title: str, face: str) -> None:
    lines, font = fit(title, face, (500, 200), 90)
    assert " ".join(lines).split() == title.split()
    assert max(font.getlength(line) for line in lines) <= 500
    assert len(lines) * font.size <= 200


def test_fonts_draw_every_letter_of_the_titles_and_authors() -> None:
    letters = {letter for row in books() for letter in row["name"] + row["authors"].upper() if not letter.isspace()}
    for face in (SERIF, SANS):
        _, font = fit("x", face, (100, 100), 40)
        missing = bytes(font.getmask("\uffff"))
        assert [letter for letter in letters if bytes(font.getmask(letter)) == missing] == []


def test_each_font_comes_with_its_licence_and_checksum() -> None:
    readme = (FONTS / "README.md").read_text()
    for font in FONTS.glob("*.ttf"):
        assert hashlib.sha256(font.read_bytes()).hexdigest() in readme
        assert (FONTS / f"OFL-{font.name.split('-')[0]}.txt").exists()


def test_people_cover_every_role_and_can_be_written_to() -> None:
    logins = {person.email: person.role for person in PEOPLE}
    assert len(logins) == len(PEOPLE)
    assert all(email.endswith("@example.com") for email in logins)
    for role in Role:
        assert logins[f"{role.value}@example.com"] is role
    addresses = [address for person in PEOPLE for address in person.addresses]
    assert {address.country for address in addresses} == {"uk", "us"}
