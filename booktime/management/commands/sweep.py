from typing import Any

from django.core.management.base import BaseCommand

from booktime.housekeeping import in_words, sweep


class Command(BaseCommand):
    help = "Delete what nobody needs any more, as the worker does each hour; the shop may be open."

    def handle(self, *args: Any, **options: Any) -> None:
        swept = sweep()
        if options["verbosity"]:
            self.stdout.write(f"Swept: {in_words(swept) or 'nothing'}.")
