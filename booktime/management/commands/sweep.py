from typing import Any

from django.core.management.base import BaseCommand

from booktime.housekeeping import in_words, sweep
from shop.payments.unpaid import cancel_overdue


class Command(BaseCommand):
    help = "Cancel what was not paid in time and delete what nobody needs, as the worker does; the shop may be open."

    def handle(self, *args: Any, **options: Any) -> None:
        cancel_overdue()
        swept = sweep()
        if options["verbosity"]:
            self.stdout.write(f"Swept: {in_words(swept) or 'nothing'}.")
