from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from booktime.observing.doctor import Skipped, checks, require_migrations, result_of
from staff.integrity import database_schema


class Command(BaseCommand):
    help = "Check everything that the site stands on as the site uses it, and say how to mend what does not work."
    # What they would complain of is examined here, in more words.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", type=float, default=15, metavar="SECONDS", help="for the worker's answer; 15")

        parser.add_argument(
            "--mend", action="store_true", help="first put back indexes, constraints and triggers that are missing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["mend"]:
            self._mend()
        states = []
        for check in checks(options["wait"]):
            state, sentence = result_of(check)
            self.stdout.write(f"{state:<8} {check.name}: {sentence}")
            states.append(state)
        if failed := states.count("FAILED"):
            raise CommandError(f"{failed} of {len(states)} checks failed.")
        if states.count("differs"):
            self.stdout.write("What differs may be meant so.")
        self.stdout.write(f"All is well: {states.count('ok')} checks, {states.count('skipped')} skipped.")

    def _mend(self) -> None:
        try:
            require_migrations()
        except Skipped as reason:
            raise CommandError(f"Nothing was mended, {reason}: python manage.py migrate.") from reason
        found = database_schema.missing()
        left = database_schema.put_back(found)
        for each in found:
            self.stdout.write(f"{'missing' if each in left else 'mended':<8} {each.what}")
        if left:
            self.stdout.write(
                "What is missing still is not to be made from the code alone, or rows break it: python manage.py "
                "integrity names those; mend them, then run this again."
            )
