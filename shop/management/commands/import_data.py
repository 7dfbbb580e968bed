from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.importing import FileRefused, Import, Tally


class Command(BaseCommand):
    help = """Create and update products from a CSV file with the columns name, description, tags (separated by |),
    image_filename and price. Optional columns: isbn, authors (separated by |), publisher, published, language, format,
    pages, series, series_number. An absent column changes nothing; an empty cell clears what it stands for, but an
    empty isbn or image_filename leaves the product's own. A file with a bad row changes nothing."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("csv", type=Path, help="the file, UTF-8")
        parser.add_argument("image_dir", type=Path, help="the folder that image_filename is looked up in")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument(
            "--skip-bad", action="store_true", help="import the good rows and write the bad ones to a file to be mended"
        )
        parser.add_argument(
            "--failed-rows", type=Path, metavar="CSV", help="that file; <name of the file>.failed.csv if not given"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["csv"]
        failed_rows = self._failed_rows(path, options) if options["skip_bad"] else None
        self.stdout.write("Importing products")
        job = Import(path, options["image_dir"], failed_rows, options["dry_run"], self._progress())
        try:
            tally = job.run()
        except FileRefused as error:
            raise CommandError(str(error)) from error
        if tally is None:
            raise CommandError(f"{self._bad_rows(job)}\nNothing was imported: mend them, or use --skip-bad.")
        if job.problems:
            done = "would be" if options["dry_run"] else "were"
            self.stderr.write(
                f"{self._bad_rows(job)}\nThey {done} written to {failed_rows}, to be mended and imported."
            )
        self._report(tally, options)

    def _failed_rows(self, path: Path, options: dict[str, Any]) -> Path:
        failed_rows: Path = options["failed_rows"] or path.with_name(f"{path.stem}.failed.csv")
        if failed_rows.resolve() == path.resolve():
            raise CommandError("--failed-rows is the file that is imported: name another.")
        return failed_rows

    def _progress(self) -> Any:
        def show(stage: str, rows: int) -> None:
            if self.stderr.isatty():
                self.stderr.write(f"\r{rows:,} rows {stage}", ending="\033[K")
                self.stderr.flush()

        return show

    def _bad_rows(self, job: Import) -> str:
        count = len(job.problems)
        lines = [f"{job.path.name} has {count} bad row{'s' if count > 1 else ''}:"]
        return "\n".join([*lines, *(f"  line {line}: {problem}" for line, problem in job.problems)])

    def _report(self, tally: Tally, options: dict[str, Any]) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\033[K", ending="")
        self.stdout.write(f"Products processed={tally.products} (created={tally.created})")
        self.stdout.write(f"Tags processed={tally.tags} (created={tally.tags_created})")
        self.stdout.write(f"Images processed={tally.images}")
        if options["verbosity"] > 1:
            self.stdout.write(f"Products updated={tally.updated}")
        if options["dry_run"]:
            self._report_dry_run(tally)

    def _report_dry_run(self, tally: Tally) -> None:
        changed = tally.created + tally.updated
        self.stdout.write(
            f"Dry run: nothing was changed. {tally.created} products are new, {tally.updated} would change."
        )
        for change in tally.changes:
            self.stdout.write(f"  {change}")
        if changed > len(tally.changes):
            self.stdout.write(f"  and {changed - len(tally.changes)} more")
