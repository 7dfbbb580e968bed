"""A file of products becomes the shop's catalogue: what `manage.py import_data` does.

The file is read once. Each row is checked by itself (`rows`, `columns`, `pictures`) and noted down on disk (`staging`).
If all are good, or the bad ones are to be skipped, the good ones are matched with the shop's products (`matching`)
and written in batches inside one transaction (`writing`).
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from django.db import IntegrityError, OperationalError, connection, transaction

from shop.importing.matching import Matcher
from shop.importing.pictures import PictureFolder
from shop.importing.rows import Catalogue, FileRefused, Row, open_catalogue
from shop.importing.staging import StagedRows
from shop.importing.writing import Tally, Writer

__all__ = ["FileRefused", "Import", "Tally"]

BATCH = 500
# Any number will do that no other part of the shop locks.
ADVISORY_LOCK = 2_026_010_001


def no_progress(stage: str, rows: int) -> None:
    pass


class Import:
    """One import of the file `path` with the pictures of `folder`.

    With `failed_rows` the rows that are bad are written to that file, as they are, and the others imported; without
    it one bad row keeps all of them out. A dry run changes nothing. `progress` is called with what is being done
    and how many rows that far.
    """

    def __init__(
        self,
        path: Path,
        folder: Path,
        failed_rows: Path | None = None,
        dry_run: bool = False,
        progress: Callable[[str, int], None] = no_progress,
    ) -> None:
        self.path, self.folder, self.failed_rows, self.dry_run = path, folder, failed_rows, dry_run
        self.progress = progress
        # Line and reason of each bad row.
        self.problems: list[tuple[int, str]] = []

    def run(self) -> Tally | None:
        """Import the file; what was done, or None where `problems` kept it from being done.

        Raises FileRefused where the file as a whole cannot be imported, or not now; nothing is changed then.
        """
        if not self.folder.is_dir():
            raise FileRefused(f"{self.folder} is not a folder.")
        with (
            open_catalogue(self.path) as catalogue,
            closing(StagedRows()) as staged,
            closing(PictureFolder(self.folder, staged)) as pictures,
        ):
            self._check(catalogue, staged, pictures)
            if self.problems and self.failed_rows is None:
                return None
            if self.problems:
                self._write_failed_rows(catalogue.header, staged)
            return self._write(catalogue, staged, pictures)

    def _check(self, catalogue: Catalogue, staged: StagedRows, pictures: PictureFolder) -> None:
        for number, row in enumerate(catalogue, 1):
            self._check_picture(row, pictures)
            staged.add(row)
            if number % BATCH == 0:
                self.progress("checked", number)
        if self.failed_rows is not None:
            staged.hold_back_namesakes()
        self.problems = [(line, problems) for line, problems, _ in staged.bad_rows()]

    @staticmethod
    def _check_picture(row: Row, pictures: PictureFolder) -> None:
        if file_name := row.cells.get("image_filename"):
            try:
                row.cells["picture"] = pictures.digest(file_name)
            except ValueError as error:
                row.problems.append(f"image_filename: {error}")

    def _write_failed_rows(self, header: str, staged: StagedRows) -> None:
        if self.failed_rows is None or self.dry_run:
            return
        try:
            with self.failed_rows.open("wb") as file:
                for raw in _whole_lines(header, staged):
                    file.write(raw)
        except OSError as error:
            raise FileRefused(f"{self.failed_rows} cannot be written: {error.strerror}.") from error

    def _write(self, catalogue: Catalogue, staged: StagedRows, pictures: PictureFolder) -> Tally:
        try:
            with transaction.atomic():
                lock_out_other_imports()
                writer = Writer(catalogue.columns, Matcher(staged), pictures, self.dry_run)
                for rows in staged.good_rows(BATCH):
                    writer.write(rows)
                    self.progress("imported", writer.tally.products)
                transaction.set_rollback(self.dry_run)
        except (IntegrityError, OperationalError) as error:
            pictures.take_back()
            raise FileRefused(
                f"Somebody else changes the catalogue at the same time, and nothing was imported: try again. ({error})"
            ) from error
        except OSError as error:
            pictures.take_back()
            raise FileRefused(f"The pictures cannot be stored, and nothing was imported: {error}") from error
        except BaseException:
            pictures.take_back()
            raise
        return writer.tally


def _whole_lines(header: str, staged: StagedRows) -> Iterator[bytes]:
    yield header.encode(errors="surrogateescape")
    for _, _, raw in staged.bad_rows():
        yield raw if raw.endswith((b"\n", b"\r")) else raw + b"\n"


def lock_out_other_imports() -> None:
    """Until the transaction ends. Raises FileRefused where another import is at work.

    SQLite lets one transaction write at a time by itself.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ADVISORY_LOCK])
            if not cursor.fetchone()[0]:
                raise FileRefused("Another import is at work: wait until it has ended.")
