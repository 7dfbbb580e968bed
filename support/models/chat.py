import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from shop.models import Order, User
from shop.web.throttle import Stretch


class TooManyMessages(ValidationError):
    """One person wrote too much in too short a time; `retry_after` says in how many seconds they may go on."""

    def __init__(self, text: str, code: str, retry_after: int) -> None:
        super().__init__(text, code=code)
        self.retry_after = retry_after


class ChatQuerySet(models.QuerySet["Chat"]):
    def of(self, order: Order) -> "Chat":
        """The chat about an order, begun where there was none."""
        return self.get_or_create(order=order)[0]

    def waiting(self) -> "ChatQuerySet":
        """Those whose shopper waits for an answer, the longest wait first."""
        return self.filter(waiting_since__isnull=False).order_by("waiting_since")


class Chat(models.Model):
    """How the conversation about one order stands; the messages hang on the order."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, primary_key=True, related_name="chat")
    last_message = models.ForeignKey("ChatMessage", on_delete=models.SET_NULL, null=True, related_name="+")
    # Since when the shopper waits for an answer; empty once they have one.
    waiting_since = models.DateTimeField(null=True, blank=True)
    claimed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="chats_claimed")
    # The newest message that each side has had before their eyes.
    shopper_seen = models.BigIntegerField(default=0)
    office_seen = models.BigIntegerField(default=0)
    # Whether a mail told the shopper of answers that they have not seen since.
    shopper_mailed = models.BooleanField(default=False)

    objects = ChatQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index("waiting_since", name="chat_waiting", condition=models.Q(waiting_since__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"Chat about order {self.order_id}"

    @transaction.atomic
    def post(self, by: User, text: Any, client_id: UUID | None = None) -> tuple["ChatMessage", bool]:
        """Store what `by` says; the message, and whether it is new: the same `client_id` again gives the first one.

        Messages of one chat are stored one at a time, so that a smaller id never appears after a larger one.
        Raises ValidationError (codes empty, too_long, invalid, client_id) and TooManyMessages.
        """
        text = clean_text(text)
        chat = Chat.objects.select_for_update().get(pk=self.pk)
        if client_id and (said_before := by.chat_messages.select_related("sender").filter(client_id=client_id).first()):
            if said_before.order_id != self.order_id:
                raise ValidationError("This client_id belongs to a message of another chat.", code="client_id")
            return said_before, False
        ChatMessage.objects.check_pace(by)
        message = ChatMessage.objects.create(order_id=self.order_id, sender=by, message=text, client_id=client_id)
        chat.answered_or_waiting(message)
        return message, True

    def answered_or_waiting(self, message: "ChatMessage") -> None:
        self.last_message = message
        if message.sender_id == self.order.user_id:
            self.waiting_since = self.waiting_since or message.sent_at
            self.shopper_mailed = False
        else:
            self.waiting_since = None
        self.save(update_fields=["last_message", "waiting_since", "shopper_mailed"])

    def mark_seen(self, by: User, message_id: int) -> bool:
        """Note that `by` has seen everything up to a message of this chat; False where that was known."""
        newest = self.order.chat_messages.filter(pk__lte=message_id).aggregate(newest=models.Max("pk"))["newest"] or 0
        side = "shopper_seen" if by.pk == self.order.user_id else "office_seen"
        news = {side: newest} | ({"shopper_mailed": False} if side == "shopper_seen" else {})
        return bool(Chat.objects.filter(**{"pk": self.pk, f"{side}__lt": newest}).update(**news))

    def note_mail(self) -> bool:
        """Whether the shopper is to be told of an answer by mail now: once for a run of answers not yet seen."""
        return bool(Chat.objects.filter(pk=self.pk, shopper_mailed=False).update(shopper_mailed=True))

    def claim(self, by: User, instead_of: int | None = None) -> bool:
        """Make `by` the one who looks after this chat; False where a colleague was faster.

        `instead_of` is the id of the user who is to hand it over, where there is one.
        """
        free = models.Q(claimed_by=instead_of) | models.Q(claimed_by=None) | models.Q(claimed_by=by)
        return bool(Chat.objects.filter(free, pk=self.pk).update(claimed_by=by))

    def release(self, by: User) -> bool:
        """Give the chat back to all; False where it was not `by` who held it."""
        return bool(Chat.objects.filter(pk=self.pk, claimed_by=by).update(claimed_by=None))


class ChatMessageQuerySet(models.QuerySet["ChatMessage"]):
    def after(self, message_id: int) -> "ChatMessageQuerySet":
        """What was said after a message, oldest first, with its sender; 0 for everything."""
        return self.filter(pk__gt=message_id).select_related("sender").order_by("pk")

    def before(self, message_id: int | None = None) -> "ChatMessageQuerySet":
        """A page of what was said last before a message, newest first, with its sender; None for the newest page."""
        earlier = self if message_id is None else self.filter(pk__lt=message_id)
        return earlier.select_related("sender").order_by("-pk")[: ChatMessage.A_PAGE]

    def check_pace(self, sender: User) -> None:
        """Raise TooManyMessages where this person has said as much lately as anyone may."""
        now = timezone.now()
        recent = self.filter(sender=sender, sent_at__gt=now - ChatMessage.WINDOW).order_by("-sent_at")
        oldest = recent.values_list("sent_at", flat=True)[ChatMessage.MOST_IN_WINDOW - 1 : ChatMessage.MOST_IN_WINDOW]
        for sent_at in oldest:
            wait = max(1, math.ceil((sent_at + ChatMessage.WINDOW - now).total_seconds()))
            most, window = ChatMessage.MOST_IN_WINDOW, ChatMessage.WINDOW.seconds
            seconds = "1 second" if wait == 1 else f"{wait} seconds"
            text = f"At most {most} messages in {window} seconds: go on in {seconds}."
            raise TooManyMessages(text, "rate_limit", wait)
        today = Stretch(f"messages:{sender.pk}", 24 * 3600)
        if today.count() > ChatMessage.MOST_A_DAY and not sender.is_employee:
            text = f"At most {ChatMessage.MOST_A_DAY:,} messages a day: go on tomorrow."
            raise TooManyMessages(text, "daily_limit", today.seconds_left())


class ChatMessage(models.Model):
    LONGEST = 4000
    MOST_IN_WINDOW, WINDOW = 100, timedelta(seconds=10)
    # No shopper has so much to say: it bounds what one account fills the database with.
    MOST_A_DAY = 5000
    # As many are shown, or given to a program, at once.
    A_PAGE = 200

    # The indexes below serve these two.
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="chat_messages", db_index=False)
    sender = models.ForeignKey(User, on_delete=models.PROTECT, related_name="chat_messages", db_index=False)
    message = models.TextField()
    client_id = models.UUIDField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(default=timezone.now)

    objects = ChatMessageQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=["sender", "client_id"], name="chat_message_once_a_client_id")]
        indexes = [
            models.Index(fields=["order", "id"], name="chat_message_by_order"),
            models.Index(fields=["sender", "sent_at"], name="chat_message_by_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.sender}: {self.message[:50]}"

    def as_json(self) -> dict[str, Any]:
        """What clients are sent: {"id", "username", "message", "sent_at", "client_id"}."""
        return {
            "id": self.pk,
            "username": str(self.sender),
            "message": self.message,
            "sent_at": utc_text(self.sent_at),
            "client_id": str(self.client_id) if self.client_id else None,
        }


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC: 2026-11-22T23:30:00.123456Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def clean_text(text: Any) -> str:
    """What may be stored as a message; raises ValidationError otherwise."""
    if not isinstance(text, str):
        raise ValidationError("A message is a text.", code="invalid")
    text = text.replace("\r\n", "\n")
    if not text.strip():
        raise ValidationError("Write something first.", code="empty")
    if len(text) > ChatMessage.LONGEST:
        over = len(text) - ChatMessage.LONGEST
        raise ValidationError(
            f"A message has at most {ChatMessage.LONGEST:,} characters; this one has {over:,} too many.",
            code="too_long",
        )
    # PostgreSQL stores neither NUL nor half a surrogate pair.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError("The message holds characters that cannot be stored.", code="invalid")
    return text
