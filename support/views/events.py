import json
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from support.live.event_stream import Stream, chat_rows, presence_events
from support.live.presence import present_now
from support.live.socket_admission import Credential


@require_GET
async def chat_events(request: HttpRequest) -> Any:
    """The agents' list of chats as it changes; with `?nopoll` who is in which chat, once."""
    credential = await sync_to_async(credential_of)(request)
    if credential is None:
        return HttpResponseForbidden("For employees.", content_type="text/plain")
    if "nopoll" in request.GET:
        return events(HttpResponse(await sync_to_async(snapshot)()))
    stream = Stream.open(credential)
    if stream is None:
        text = "You have this list open too often: close it elsewhere."
        return HttpResponse(text, status=429, headers={"Retry-After": "10"}, content_type="text/plain")
    return events(StreamingHttpResponse(presence_events(stream)))


def credential_of(request: HttpRequest) -> Credential | None:
    """By what right somebody may watch. Leaves no database connection open: a stream stays for hours."""
    try:
        if not request.user.is_authenticated or not request.user.is_employee:
            return None
        return Credential.of_session(request.user, request.session.session_key, as_employee=True)
    finally:
        if not connections["default"].in_atomic_block:
            connections["default"].close()


def events(response: Any) -> Any:
    response["Content-Type"] = "text/event-stream"
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def snapshot() -> str:
    chats = [
        {
            "link": reverse("chat_detail", args=[row.order.pk]),
            "text": f"{row.order.pk} ({', '.join(user.email for user in row.people)})",
        }
        for row in chat_rows(present_now())
        if row.people
    ]
    return f"data: {json.dumps(chats)}\n\n"
