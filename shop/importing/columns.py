"""What may stand in each column of a catalogue file. A parser takes a cell and raises ValueError with a sentence."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from shop.models import Author, Product, ProductTag, Series
from shop.values.isbn import normalise_isbn

REQUIRED = ("name", "description", "tags", "image_filename", "price")

NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
WHOLE_NUMBER = re.compile(r"-?\d+", re.ASCII)
LANGUAGE = re.compile(r"[a-z]{2,3}")
HIGHEST_PRICE = Decimal("999999.99")
EARLIEST, LATEST = -5000, 3000
MOST_PAGES = 100_000


def _at_most(text: str, length: int) -> str:
    if len(text) > length:
        raise ValueError(f"has {len(text)} characters; {length} is the most.")
    return text


def _text(model: Any, field: str) -> Callable[[str], str]:
    length = model._meta.get_field(field).max_length
    return lambda cell: _at_most(cell, length) if length else cell


def _names(model: Any) -> Callable[[str], list[str]]:
    """Names separated by `|`, each once, in their order."""
    length = model._meta.get_field("name").max_length

    def parse(cell: str) -> list[str]:
        names: dict[str, str] = {}
        for name in filter(None, map(str.strip, cell.split("|"))):
            names.setdefault(name.casefold(), _at_most(name, length))
        return list(names.values())

    return parse


def name(cell: str) -> str:
    if not cell:
        raise ValueError("is missing: every product needs one.")
    return _at_most(cell, 300)


def price(cell: str) -> Decimal:
    if not NUMBER.fullmatch(cell):
        raise ValueError(
            f"“{cell}” is not a number: write it like 12.50." if cell else "is missing: write it like 12.50."
        )
    number = Decimal(cell)
    if number <= 0:
        raise ValueError(f"{cell} is not more than 0.")
    if number > HIGHEST_PRICE:
        raise ValueError(f"{cell} is more than {HIGHEST_PRICE}.")
    if number != round(number, 2):
        raise ValueError(f"{cell} has more than two decimal places.")
    return round(number, 2)


def isbn(cell: str) -> str | None:
    return normalise_isbn(cell) if cell else None


def published(cell: str) -> int | None:
    return _whole(cell, EARLIEST, LATEST, "a year, negative before Christ") if cell else None


def pages(cell: str) -> int | None:
    return _whole(cell, 1, MOST_PAGES, "a number of pages") if cell else None


def _whole(cell: str, least: int, most: int, what: str) -> int:
    if not WHOLE_NUMBER.fullmatch(cell) or not least <= int(cell[:12]) <= most:
        raise ValueError(f"“{cell}” is not {what} ({least} to {most}).")
    return int(cell)


def language(cell: str) -> str:
    code = cell.lower()
    if code and not LANGUAGE.fullmatch(code):
        raise ValueError(f"“{cell}” is not an ISO 639 code, such as en or fil.")
    return code


def binding(cell: str) -> str:
    wanted = cell.lower().replace("-", "")
    if wanted and wanted not in Product.Format.values:
        raise ValueError(f"“{cell}” is not one of {', '.join(Product.Format.labels)}.")
    return wanted


def series_number(cell: str) -> Decimal | None:
    if not cell:
        return None
    if not NUMBER.fullmatch(cell) or not 0 <= Decimal(cell) < 10_000 or Decimal(cell) != round(Decimal(cell), 2):
        raise ValueError(f"“{cell}” is not a place in a series: write a number like 3 or 2.5.")
    return Decimal(cell)


COLUMNS: dict[str, Callable[[str], Any]] = {
    "name": name,
    "description": _text(Product, "description"),
    "tags": _names(ProductTag),
    "image_filename": str,
    "price": price,
    "isbn": isbn,
    "authors": _names(Author),
    "publisher": _text(Product, "publisher"),
    "published": published,
    "language": language,
    "format": binding,
    "pages": pages,
    "series": _text(Series, "name"),
    "series_number": series_number,
}
