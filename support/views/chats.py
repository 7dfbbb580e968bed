from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from shop.mail.outgoing import link_in_mail
from shop.models import Order, User
from shop.web.fragments import render_page, wants_fragment
from support.live.conversation import say, see
from support.live.event_stream import list_context
from support.live.hub import tell
from support.live.presence import present_in, present_now
from support.live.socket_admission import message_id
from support.models import CannedReply, Chat, ChatMessage, Note


def employee_required(user: Any) -> None:
    if not user.is_employee:
        raise PermissionDenied


def chat_of(request: HttpRequest, pk: int) -> Order:
    """An order whose chat this person may enter; 404 otherwise."""
    orders = Order.objects.visible_to(request.user).select_related("user", "last_spoken_to").for_page()
    return get_object_or_404(orders, pk=pk)


@login_required
@require_safe
def customer_service(request: HttpRequest) -> HttpResponse:
    """The agents' live list of chats."""
    employee_required(request.user)
    return render(request, "support/customer_service.html", list_context(present_now()))


@login_required
def chat_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What was said last about an order, or with `?before=<id>` what was said before that message.

    POST `message` says something, without any JavaScript.
    """
    order = chat_of(request, pk)
    error = ""
    if request.method == "POST":
        try:
            site = link_in_mail(request, "/")
            say(order, by_of(request), request.POST.get("message", ""), request.POST.get("client_id"), site=site)
            return redirect("chat_detail", pk)
        except ValidationError as refusal:
            error = str(refusal.message)
    context = log_context(order, by_of(request), message_id(request.GET.get("before", "")))
    if not wants_fragment(request):
        context |= chat_context(order, by_of(request), context["chat"]) | {
            "error": error,
            "draft": draft_of(request, order),
        }
    return render_page(request, "support/chat_detail.html", context, partial="chat-log", status=422 if error else 200)


def by_of(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User):  # the views above are for people who are logged in
        raise PermissionDenied
    return user


def draft_of(request: HttpRequest, order: Order) -> str:
    """What stands in the input: what was not taken, or the canned reply that an agent chose."""
    if request.method == "POST":
        return request.POST.get("message", "")
    reply_id = request.GET.get("reply", "")
    if not by_of(request).is_employee or not reply_id.isdecimal() or len(reply_id) > 9:
        return ""
    reply = CannedReply.objects.filter(pk=reply_id).first()
    return reply.filled(order, by_of(request)) if reply else ""


def log_context(order: Order, user: User, before: int | None) -> dict[str, Any]:
    """A page of the conversation, up to its end where there is no `before`; it counts as seen then."""
    log = list(order.chat_messages.all().before(before))[::-1]
    if before is None and log:
        see(order, user, log[-1].pk)
    chat = Chat.objects.select_related("claimed_by").of(order)
    return {
        "order": order,
        "chat": chat,
        "log": log,
        "has_earlier": bool(log) and order.chat_messages.filter(pk__lt=log[0].pk).exists(),
        "is_live": before is None,
        "last_id": log[-1].pk if log else 0,
        "seen": chat.office_seen if user.pk == order.user_id else chat.shopper_seen,
        "is_agent": user.is_employee,
    }


def chat_context(order: Order, user: User, chat: Chat) -> dict[str, Any]:
    """What the page shows beside the conversation."""
    present = present_in(order.pk)
    context = {
        "client_id": uuid4(),
        "longest": ChatMessage.LONGEST,
        "present": [str(other) for other in User.objects.filter(pk__in=present - {user.pk})],
        "alone": "We answer here, and by mail when you have left",
    }
    if user.is_employee:
        context["alone"] = f"{order.user} is not here: an answer reaches them by mail"
        context["replies"] = [(reply, reply.filled(order, user)) for reply in CannedReply.objects.all()]
        context["notes"] = Note.objects.filter(order=order).select_related("author")
        context["holder_is_here"] = chat.claimed_by_id in present
    return context


@login_required
@require_POST
def chat_claim(request: HttpRequest, pk: int) -> HttpResponse:
    """Look after a chat; `instead_of` is the id of a colleague who has left it."""
    employee_required(request.user)
    chat = Chat.objects.of(chat_of(request, pk))
    instead_of = request.POST.get("instead_of", "")
    holder = int(instead_of) if instead_of.isdecimal() and len(instead_of) < 19 else None
    if holder in present_in(pk) or not chat.claim(by_of(request), holder):
        messages.error(request, "A colleague was faster and looks after this chat.")
    tell(pk)
    return redirect("chat_detail", pk)


@login_required
@require_POST
def chat_release(request: HttpRequest, pk: int) -> HttpResponse:
    employee_required(request.user)
    Chat.objects.of(chat_of(request, pk)).release(by_of(request))
    tell(pk)
    return redirect("chat_detail", pk)


@login_required
@require_POST
def note_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a private note about an order: for colleagues, never for the shopper."""
    employee_required(request.user)
    order = chat_of(request, pk)
    try:
        note = Note(order=order, author=by_of(request), text=request.POST.get("text", "").strip().replace("\0", ""))
        note.full_clean()
        note.save()
    except ValidationError:
        messages.error(request, "A note has between 1 and 4,000 characters.")
    return redirect("chat_detail", pk)
