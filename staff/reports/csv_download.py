"""Tables as CSV files that a spreadsheet may open without harm."""

import csv
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse

# What a formula begins with, in any width (a spreadsheet set to Japanese takes the full-width ones as well).
SIGNS = "=+-@\N{MINUS SIGN}"
# What another country's spreadsheet ends a cell at, quoted or not: the file is not cut there by its own rules.
ENDS = ";\t\r\n"


def safe_cell(value: Any) -> Any:
    """A text that a spreadsheet takes for text, whichever way it cuts the file into cells; numbers stay as they are."""
    if value is None or isinstance(value, int | float | Decimal):
        return value
    text = str(value)
    safe, begins, inside, harmful = "", True, False, text.startswith(("\t", "\r", "\n"))
    for character in text:
        if begins and is_sign(character):
            harmful = True
            # At the beginning the one before all does it.
            safe += "'" if inside else ""
        inside = inside or not is_blank(character)
        begins = character in ENDS or (begins and is_blank(character))
        safe += character
    return f"'{safe}" if harmful else text


def is_sign(character: str) -> bool:
    return unicodedata.normalize("NFKC", character) in SIGNS


def is_blank(character: str) -> bool:
    """Whether it is not seen, or left out: space, control and format characters, joiners, variation selectors."""
    return character.isspace() or unicodedata.category(character) in {"Cc", "Cf", "Mn"}


class Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_response(filename: str, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """The rows as a download, sent while they are read."""
    writer = csv.writer(Echo(), quoting=csv.QUOTE_ALL)

    def lines() -> Iterator[str]:
        # Spreadsheets tell UTF-8 by its byte order mark.
        yield "\ufeff" + writer.writerow([safe_cell(name) for name in header])
        for row in rows:
            yield writer.writerow([safe_cell(value) for value in row])

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
