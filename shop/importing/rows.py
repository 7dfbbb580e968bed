"""A catalogue file as a stream of rows, each checked by itself."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from shop.importing.columns import COLUMNS, REQUIRED


class FileRefused(Exception):
    """The file as a whole cannot be imported; the message says why and what to do."""


@dataclass(slots=True)
class Row:
    """One product of the file: `cells` holds what its columns say, `problems` what is wrong with them."""

    line: int
    raw: str
    cells: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@contextmanager
def open_catalogue(path: Path) -> Iterator["Catalogue"]:
    """The catalogue in the file `path`, UTF-8 with or without a byte order mark.

    Raises FileRefused where the file cannot be read or its header is wrong.
    """
    try:
        # Bytes that are not UTF-8 become surrogates, are found row by row, and go back to a file as they were.
        file = path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except (OSError, ValueError) as error:
        raise FileRefused(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    with file:
        try:
            yield Catalogue(file, path)
        except IsADirectoryError as error:
            raise FileRefused(f"{path} is a folder, not a file.") from error


class Catalogue:
    """The header and the rows of an open catalogue file."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self.path = path
        self._raw: list[str] = []
        self._file = file
        self._reader = csv.reader(self._lines(), strict=True)
        self.header, self.columns = "", tuple[str, ...]()
        self._read_header()

    def _lines(self) -> Iterator[str]:
        for line in self._file:
            self._raw.append(line)
            yield line

    def _read_header(self) -> None:
        try:
            cells = next(self._reader, [])
        except csv.Error as error:
            raise FileRefused(f"{self.path.name}, line 1: the header cannot be read: {error}.") from error
        self.header = "".join(self._raw)
        if "\0" in self.header or self.header.startswith("\udcff\udcfe") or self.header.startswith("\udcfe\udcff"):
            raise FileRefused(f"{self.path.name} is not UTF-8: save it as CSV in UTF-8.")
        if not any(cells):
            raise FileRefused(f"{self.path.name} is empty: its first line names the columns {','.join(REQUIRED)}.")
        self.columns = tuple(cell.strip().lower() for cell in cells)
        problems = [
            *(f"unknown column “{_printable(name)}”" for name in self.columns if name not in COLUMNS),
            *(f"missing column “{name}”" for name in REQUIRED if name not in self.columns),
            *(f"column “{name}” stands twice" for name in COLUMNS if self.columns.count(name) > 1),
        ]
        if problems:
            hint = " Separate columns by commas." if len(cells) == 1 else ""
            raise FileRefused(f"{self.path.name}, line 1: {', '.join(problems)}.{hint}")

    def __iter__(self) -> Iterator[Row]:
        """Its rows with the lines that they begin in; blank lines are none."""
        while True:
            line = self._reader.line_num + 1
            self._raw.clear()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, "".join(self._raw), problems=[f"cannot be read as CSV: {error}"])
                continue
            if cells:
                yield self._checked(line, "".join(self._raw), cells)

    def _checked(self, line: int, raw: str, cells: list[str]) -> Row:
        row = Row(line, raw)
        if not raw.isascii() and not _is_utf8(raw):
            row.problems.append("wrong encoding: this row is not UTF-8")
        elif "\0" in raw:
            row.problems.append("holds a NUL character")
        elif len(cells) != len(self.columns):
            row.problems.append(f"has {len(cells)} cells; the header has {len(self.columns)}")
        if row.problems:
            return row
        for name, cell in zip(self.columns, cells, strict=True):
            try:
                row.cells[name] = COLUMNS[name](cell.strip())
            except ValueError as error:
                row.problems.append(f"{name}: {error}")
        if row.cells.get("series_number") is not None and row.cells.get("series") == "":
            row.problems.append("series_number: has no series beside it")
        return row


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()
