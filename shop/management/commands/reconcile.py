from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date

from shop.payments.paying import provider
from shop.payments.provider import ProviderAway, ProviderRefused
from shop.payments.reconciling import differences


class Command(BaseCommand):
    help = (
        "Compares card payments and refunds with the provider's books and prints what differs; "
        "exit status 1 where something does."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", metavar="DAY", help="what was begun on that day or later: 2026-11-01")
        parser.add_argument("--fix", action="store_true", help="book what is missing here")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = provider()
        if chosen is None:
            raise CommandError("No card payments are taken here: STRIPE_SECRET_KEY is not set.", returncode=2)
        try:
            found = list(differences(chosen, day(options["since"])))
        except (ProviderAway, ProviderRefused) as error:
            raise CommandError(f"The provider does not tell: {error}. Try again later.", returncode=2) from error
        for difference in found:
            fixed = options["fix"] and difference.fix is not None
            if fixed and difference.fix is not None:
                difference.fix()
            self.stdout.write(f"{difference.text}{' Booked.' if fixed else ''}")
        self.stdout.write(f"{len(found)} difference{'' if len(found) == 1 else 's'}.")
        if found:
            raise SystemExit(1)


def day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"--since is {text!r}: write a day like 2026-11-01.", returncode=2)
    return timezone.make_aware(datetime.combine(found, time.min))
