"""Saying something in a chat: stored first, then everybody is told, and who has left gets a mail."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from shop.mail.outgoing import queue_mail
from shop.models import Order, User
from support.live.hub import tell
from support.live.presence import present_in
from support.models import Chat, ChatMessage


def say(order: Order, by: User, text: Any, client_id: Any = None, *, site: str) -> tuple[ChatMessage, bool]:
    """Post a message; the message, and whether it is new. `site` is how links in mails begin: https://shop.example.

    Raises ValidationError as `Chat.post` does, and where `client_id` is neither empty nor a UUID.
    """
    client_id = parse_client_id(client_id)
    answers_someone_gone = by.pk != order.user_id and order.user_id not in present_in(order.pk)
    with transaction.atomic():
        chat = Chat.objects.of(order)
        message, created = chat.post(by, text, client_id)
        if created and answers_someone_gone and chat.note_mail():
            mail_answer(message, site)
        if created:
            transaction.on_commit(partial(tell, order.pk))
    return message, created


def see(order: Order, by: User, message_id: int) -> None:
    """Note what somebody has read, and show it to the others."""
    with transaction.atomic():
        if Chat.objects.of(order).mark_seen(by, message_id):
            frame = {"type": "chat_seen", "username": str(by), "id": message_id}
            transaction.on_commit(partial(tell, order.pk, frame, by.pk))


def parse_client_id(value: Any) -> UUID | None:
    if value is None or value == "":
        return None
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError) as error:
        raise ValidationError("The client_id is a UUID, or is left out.", code="client_id") from error


def mail_answer(message: ChatMessage, site: str) -> None:
    order = message.order
    context = {
        "order": order,
        "message": message,
        "name": order.user.first_name or order.shipping_name,
        "link": site.rstrip("/") + reverse("chat_detail", args=[order.pk]),
    }
    queue_mail(f"chat-answer-{message.pk}", order.user.email, "chat_answer", context)
