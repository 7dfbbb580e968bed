from typing import Any

from django.core.management.base import BaseCommand

from shop.mail.outgoing import send_due
from shop.models import OutgoingMail


class Command(BaseCommand):
    help = "Send the mails that the mail server did not take before and whose time has come."

    def handle(self, *args: Any, **options: Any) -> None:
        sent = send_due()
        self.stdout.write(f"Mails sent={sent} waiting={OutgoingMail.objects.pending().count()}")
