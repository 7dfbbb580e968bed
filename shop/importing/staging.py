"""What is known of a file's rows between checking and writing them: on disk, so that memory does not grow with it."""

import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from shop.importing.rows import Row

TABLES = """
PRAGMA journal_mode = OFF;
CREATE TABLE row (line INTEGER PRIMARY KEY, name TEXT, isbn TEXT, problems TEXT, raw BLOB, cells BLOB);
CREATE TABLE isbn (isbn TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID;
CREATE INDEX row_name ON row (name);
CREATE TABLE picture (file_name TEXT PRIMARY KEY, digest TEXT, problem TEXT) WITHOUT ROWID;
BEGIN;
"""
NAMESAKES_OF_BAD_ROWS = """
UPDATE row SET problems = 'has the same title as line ' || (
    SELECT min(bad.line) FROM row AS bad WHERE bad.name = row.name AND bad.problems IS NOT NULL
) || ', which is bad: mend and import them together'
WHERE problems IS NULL AND name IN (SELECT name FROM row WHERE problems IS NOT NULL)
"""


class StagedRows:
    def __init__(self) -> None:
        # SQLite keeps a database without a name in a temporary file of its own, and deletes it.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(TABLES)

    def close(self) -> None:
        self._database.close()

    def add(self, row: Row) -> None:
        """Note a checked row. One whose ISBN an earlier row has becomes a bad one."""
        isbn = row.cells.get("isbn")
        if isbn:
            earlier = self._one("SELECT line FROM isbn WHERE isbn = ?", isbn)
            if earlier:
                row.problems.append(f"isbn: {isbn} stands in line {earlier[0]} already")
            else:
                self._database.execute("INSERT INTO isbn VALUES (?, ?)", (isbn, row.line))
        self._database.execute(
            "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)",
            (
                row.line,
                row.cells.get("name"),
                isbn,
                "; ".join(row.problems) or None,
                row.raw.encode(errors="surrogateescape"),
                pickle.dumps(row.cells),
            ),
        )

    def picture(self, file_name: str) -> tuple[str | None, str | None] | None:
        """The digest of a picture file, or what is wrong with it; None where it was not looked at yet."""
        return self._one("SELECT digest, problem FROM picture WHERE file_name = ?", file_name)

    def add_picture(self, file_name: str, digest: str | None, problem: str | None) -> None:
        self._database.execute("INSERT INTO picture VALUES (?, ?, ?)", (file_name, digest, problem))

    def hold_back_namesakes(self) -> None:
        """Keep a bad row and its namesakes together: which of them it is tells them apart."""
        self._database.execute(NAMESAKES_OF_BAD_ROWS)

    def bad_rows(self) -> Iterator[tuple[int, str, bytes]]:
        """Line, problems and the very bytes of each bad row."""
        yield from self._database.execute(
            "SELECT line, problems, raw FROM row WHERE problems IS NOT NULL ORDER BY line"
        )

    def has_bad_rows(self) -> bool:
        return self._one("SELECT 1 FROM row WHERE problems IS NOT NULL LIMIT 1") is not None

    def good_rows(self, size: int) -> Iterator[list[Row]]:
        """The rows that can be imported, in the file's order, `size` of them at a time."""
        cursor = self._database.execute("SELECT line, cells FROM row WHERE problems IS NULL ORDER BY line")
        while batch := cursor.fetchmany(size):
            # These bytes are our own, from a file that nobody else can open.
            yield [Row(line, "", pickle.loads(cells)) for line, cells in batch]  # noqa: S301

    def has_namesakes(self, name: str) -> bool:
        """Whether several rows that can be imported have this title."""
        return len(self._database.execute("SELECT 1 FROM row WHERE name = ? LIMIT 2", (name,)).fetchall()) > 1

    def isbns_among(self, isbns: Iterable[str]) -> set[str]:
        """Those of `isbns` that a row of the file has."""
        return {isbn for isbn in isbns if self._one("SELECT 1 FROM isbn WHERE isbn = ?", isbn)}

    def _one(self, sql: str, *values: str) -> Any:
        return self._database.execute(sql, values).fetchone()
