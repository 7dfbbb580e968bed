from typing import Any, cast

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from shop.mail.outgoing import link_in_mail
from shop.models import Order, User
from support.live.conversation import say
from support.live.socket_admission import message_id
from support.mobile.schema import MESSAGES_SCHEMA
from support.models import ChatMessage, TooManyMessages
from support.views.mobile import MobileView


@MESSAGES_SCHEMA
class MessageList(MobileView):
    """The conversation about an order without a socket, for its shopper and for employees."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.order = get_object_or_404(Order.objects.visible_to(request.user), pk=kwargs["pk"])

    def get(self, request: Request, pk: int) -> Response:
        """A page of what was said after `?since=<id>`, or last before `?before=<id>`; oldest first."""
        since, before = (message_id(request.query_params.get(name, "")) for name in ("since", "before"))
        said = self.order.chat_messages.all()
        page = said.after(since or 0)[: ChatMessage.A_PAGE] if before is None else reversed(said.before(before))
        return Response([message.as_json() for message in page])

    def post(self, request: Request, pk: int) -> Response:
        """Say `message`; the same `client_id` again is answered with what it said the first time."""
        data = request.data if isinstance(request.data, dict) else {}
        by, site = cast(User, request.user), link_in_mail(request, "/")
        try:
            message, created = say(self.order, by, data.get("message", ""), data.get("client_id"), site=site)
        except TooManyMessages as error:
            body = {"code": error.code, "detail": error.message}
            return Response(body, status=429, headers={"Retry-After": str(error.retry_after)})
        except ValidationError as error:
            return Response({"code": error.code, "detail": error.message}, status=400)
        return Response(message.as_json(), status=201 if created else 200)


message_list = MessageList.as_view()
