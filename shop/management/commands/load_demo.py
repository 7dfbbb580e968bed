from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.demo.loading import is_loaded, load_demo
from shop.demo.people import PASSWORD, PEOPLE
from shop.importing import FileRefused
from shop.models import Order, Product


class Command(BaseCommand):
    help = "Fill the shop with the demo's books, people and orders, once, and say how to log in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force", action="store_true", help="also on a server, whose visitors know the passwords")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.IS_DEMO and not options["force"]:
            raise CommandError(
                "This is a server (SECRET_KEY is set), and the demo's passwords are known to everyone. "
                "Use --force if nobody but you can reach it."
            )
        loaded, quiet = is_loaded(), options["verbosity"] == 0
        if not quiet:
            self.stdout.write(
                "The demo is loaded already." if loaded else "Loading the demo: drawing covers takes a few seconds."
            )
        if not loaded:
            self._load()
        if not quiet:
            self._print_summary()

    def _load(self) -> None:
        try:
            load_demo()
        except FileRefused as error:
            raise CommandError(str(error)) from error

    def _print_summary(self) -> None:
        self.stdout.write(f"{Product.objects.count()} books, {len(PEOPLE)} people, {Order.objects.count()} orders.")
        first = {person.role: person for person in reversed(PEOPLE)}
        self.stdout.write("")
        for role, person in sorted(first.items(), key=lambda each: PEOPLE.index(each[1])):
            self.stdout.write(f"  {role.value:<11} {person.email:<24} {PASSWORD}")
