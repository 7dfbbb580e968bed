"""Mail to people, which never fails or delays what it tells of.

`queue_mail` stores a mail in the caller's transaction. After the commit a task sends it: at once in the demo, by the
worker (`manage.py db_worker`) on a server. A mail that the server does not take is tried again with growing pauses for
a day. It is sent once: who sends it claims it first, for as long as a conversation with a mail server can last, and no
transaction is open meanwhile. Only a worker that dies between the server's yes and the note of it sends it again,
with the same Message-ID, by which mailboxes know a duplicate.
"""

import logging
from collections.abc import Mapping
from email.utils import parseaddr
from functools import partial
from smtplib import SMTPResponseException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.http import HttpRequest
from django.template import Context
from django.template.loader import get_template, render_to_string
from django.utils import timezone
from django_tasks import task

from shop.models import Company, OutgoingMail

logger = logging.getLogger(__name__)

# How many mails that failed before are tried again after one that did not.
RETRIES_AT_ONCE = 5


def link_in_mail(request: HttpRequest, path: str) -> str:
    """The address of a page, as it stands in mails.

    Which host and port the site has, a visitor's request says only where `SITE_ADDRESS` does not.
    """
    return f"{settings.SITE_ADDRESS}{path}" if settings.SITE_ADDRESS else request.build_absolute_uri(path)


def queue_mail(
    key: str,
    to: str,
    template: str,
    context: Mapping[str, Any],
    reply_to: str = "",
    *,
    alone: bool = False,
    priority: int = OutgoingMail.USUAL,
) -> None:
    """Send a mail once this transaction is committed. Call it in the transaction of what the mail tells of.

    `alone` says that it tells of nothing that is stored, and waits for no commit.

    `key` names the occasion, such as "order-placed-7": the same key is never sent twice.
    `template` names two files, `emails/<template>.txt`, whose first line is the subject, and `emails/<template>.html`.
    Addresses of pages in `context` are absolute (`link_in_mail`). An answer goes to `reply_to`, or to
    customer service. What the mail says is stored until it is sent, and then forgotten. One of a lower `priority` is
    sent when no other is left.
    """
    written = compose(template, context, Company.objects.current())
    known = {"to": to, "reply_to": reply_to, "priority": priority, **written}
    mail, created = OutgoingMail.objects.get_or_create(key=key, defaults=known)
    if created and alone:
        wake_up(mail)
    elif created:
        transaction.on_commit(partial(wake_up, mail), robust=True)


def queue_mails(to: str, template: str, contexts: Mapping[str, Mapping[str, Any]]) -> None:
    """As `queue_mail`, several together: their contexts by their keys, none of which may ever have been used."""
    company = Company.objects.current()
    mails = [OutgoingMail(key=key, to=to, **compose(template, contexts[key], company)) for key in contexts]
    for mail in OutgoingMail.objects.bulk_create(mails):
        transaction.on_commit(partial(wake_up, mail), robust=True)


def compose(template: str, context: Mapping[str, Any], company: Company) -> dict[str, str]:
    """What a mail says: its `subject`, `text` and `html`."""
    context = {"company": company, **context}
    plain = get_template(f"emails/{template}.txt").template  # type: ignore[attr-defined]
    subject, _, text = plain.render(Context(dict(context), autoescape=False)).strip().partition("\n")
    return {
        "subject": subject.strip()[:300],
        "text": f"{text.strip()}\n{company.in_a_line()}\n" if company.address else f"{text.strip()}\n",
        "html": render_to_string(f"emails/{template}.html", {"subject": subject, **context}),
    }


def queue_some(
    an_hour: int, occasion: str, to: str, template: str, context: Mapping[str, Any], *, alone: bool = False
) -> bool:
    """As `queue_mail`, for an occasion that comes again ("password-reset-7"): so many an hour; False for one more.

    They are counted by their rows, which are there while the cache is away, too.
    """
    key = f"{occasion}-{timezone.now():%Y%m%d%H}-"
    so_far = OutgoingMail.objects.filter(key__startswith=key).count()
    if so_far >= an_hour:
        return False
    # Of two at once that counted the same, one is sent.
    queue_mail(f"{key}{so_far + 1}", to, template, context, alone=alone)
    return True


def wake_up(mail: OutgoingMail, **when: Any) -> None:
    """Have a worker send it."""
    deliver.using(priority=mail.priority, **when).enqueue(mail.pk)


@task()
def deliver(mail_id: int) -> None:
    """Send one mail, and then some of those that failed before: the server is there again."""
    mail = OutgoingMail.objects.filter(pk=mail_id).first()
    if mail is not None and send(mail):
        send_due(limit=RETRIES_AT_ONCE)


def send_due(limit: int | None = None) -> int:
    """Send the mails whose time has come, until one fails; how many were sent."""
    sent = 0
    for mail in OutgoingMail.objects.due()[:limit]:
        if not send(mail):
            break
        sent += 1
    return sent


def send(mail: OutgoingMail) -> bool:
    """Hand a mail to the mail server; False where it did not take it, or the mail is not to be sent now."""
    if not mail.claim():
        return False
    try:
        message(mail).send()
    except Exception as error:  # whatever a server does: the shopper's page is not to fail by it
        # The error's text may quote the mail, and its traceback show it.
        code = f" {error.smtp_code}" if isinstance(error, SMTPResponseException) else ""
        again = mail.mark_failed()
        logger.warning(
            "Mail %s not sent (%s%s), attempt %s: %s",
            *(mail.pk, type(error).__name__, code, mail.attempts, "will try again" if again else "given up"),
        )
        if again and deliver.get_backend().supports_defer:
            wake_up(mail, run_after=mail.not_before)
        return False
    mail.mark_sent()
    return True


def message(mail: OutgoingMail) -> EmailMultiAlternatives:
    """The mail as it goes over the wire: the same each time it is tried."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2]
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        to=[mail.to],
        reply_to=[mail.reply_to or settings.CUSTOMER_SERVICE_EMAIL],
        headers={"Message-ID": f"<booktime-{mail.pk}-{mail.date_added:%Y%m%d%H%M%S%f}@{domain}>"},
    )
    message.attach_alternative(mail.html, "text/html")
    return message
