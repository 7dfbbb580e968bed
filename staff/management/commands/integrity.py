from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop.models import Order
from staff.integrity.rules import RULES, Rule, broken


class Command(BaseCommand):
    help = "Check that the shop's data agrees with itself: a sentence for each thing that does not, and exit status 1."

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for rule in RULES:
            for sentence in self._ask(rule):
                self.stdout.write(f"{sentence} Mend: {rule.mend}")
                found += 1
        if found:
            raise CommandError(f"{found} {'things do' if found > 1 else 'thing does'} not hold.")
        self.stdout.write(f"All holds: {len(RULES)} rules, {Order.objects.count()} orders.")

    def _ask(self, rule: Rule) -> list[str]:
        """What breaks the rule; a storage that is away must not hide what the other rules find."""
        try:
            return broken(rule)
        except Exception as error:
            return [f"{rule.holds} This could not be checked: {type(error).__name__}: {error}"]
