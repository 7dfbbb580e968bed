from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from booktime.doctor import checks, result_of


class Command(BaseCommand):
    help = "Check everything that the site stands on as the site uses it, and say how to mend what does not work."
    # What they would complain of is examined here, in more words.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", type=float, default=15, metavar="SECONDS", help="for the worker's answer; 15")

    def handle(self, *args: Any, **options: Any) -> None:
        states = []
        for check in checks(options["wait"]):
            state, sentence = result_of(check)
            self.stdout.write(f"{state:<8} {check.name}: {sentence}")
            states.append(state)
        if failed := states.count("FAILED"):
            raise CommandError(f"{failed} of {len(states)} checks failed.")
        self.stdout.write(f"All is well: {states.count('ok')} checks, {states.count('skipped')} skipped.")
