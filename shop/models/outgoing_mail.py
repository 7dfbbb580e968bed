from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Cast, Concat
from django.utils import timezone


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def pending(self) -> "OutgoingMailQuerySet":
        """Neither sent nor given up."""
        return self.filter(date_sent=None, date_given_up=None)

    def due(self) -> "OutgoingMailQuerySet":
        """Pending, and neither in another's hands nor in its pause after a failure; by priority, the oldest first."""
        return self.pending().filter(not_before__lte=timezone.now()).order_by("-priority", "pk")

    def to_forget(self, before: datetime) -> "OutgoingMailQuerySet":
        """Sent or given up, queued before then, and still telling of a person."""
        over = models.Q(date_sent__isnull=False) | models.Q(date_given_up__isnull=False)
        return self.filter(over, date_added__lt=before).exclude(to="")

    def forget(self) -> None:
        """Keep of them the key alone, by which the same mail is never sent again."""
        # An address in a key stands beside the hour for which it holds.
        named = Concat(models.Value("forgotten-"), Cast("pk", models.CharField()))
        self.filter(key__contains="@").update(key=named)
        self.update(to="", reply_to="", subject="", text="", html="")


class OutgoingMail(models.Model):
    """A mail as it will be sent, kept until the mail server took it: see `shop.mail.outgoing`."""

    # Longer than the slowest conversation with a mail server: each of its steps may take EMAIL_TIMEOUT.
    LEASE = timedelta(minutes=2)
    PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240)]
    LIFETIME = timedelta(days=1)
    # What anybody may send waits for what somebody waits for. They are the worker's own priorities, too.
    USUAL, CAN_WAIT = 0, -10

    key = models.CharField(max_length=200, unique=True)
    to = models.EmailField()
    reply_to = models.EmailField(blank=True)
    subject = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    priority = models.SmallIntegerField(default=USUAL, db_default=USUAL)
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    date_added = models.DateTimeField(auto_now_add=True)
    date_sent = models.DateTimeField(null=True, blank=True)
    date_given_up = models.DateTimeField(null=True, blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                "not_before",
                name="outgoing_mail_pending",
                condition=models.Q(date_sent=None, date_given_up=None),
            ),
            models.Index("date_added", name="outgoing_mail_to_forget", condition=~models.Q(to="")),
        ]

    def __str__(self) -> str:
        return f"Mail {self.pk} ({self.key})"

    def claim(self) -> bool:
        """Take this mail to send it; False where it was sent, is in its pause, or another worker has it.

        A claim lasts as long as LEASE, so that a mail whose worker died is sent by the next one.
        """
        now = timezone.now()
        claimed = OutgoingMail.objects.due().filter(pk=self.pk)
        if not claimed.update(not_before=now + self.LEASE, attempts=models.F("attempts") + 1):
            return False
        self.refresh_from_db()
        return True

    def mark_sent(self) -> None:
        """The server took it. What it said is forgotten: it may hold a link that lets its reader in."""
        self.date_sent, self.text, self.html = timezone.now(), "", ""
        self.save(update_fields=["date_sent", "text", "html"])

    def mark_failed(self) -> bool:
        """It was not taken: try again after a pause that grows, for a day. False once that day is over."""
        now = timezone.now()
        if now - self.date_added >= self.LIFETIME:
            self.date_given_up, self.text, self.html = now, "", ""
        else:
            self.not_before = now + self.PAUSES[min(self.attempts, len(self.PAUSES)) - 1]
        self.save(update_fields=["date_given_up", "text", "html", "not_before"])
        return self.date_given_up is None
