from typing import cast

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import api_view, authentication_classes
from rest_framework.request import Request
from rest_framework.response import Response

from shop.models import Order, User
from support.admission import message_id
from support.authentication import QueryTokenAuthentication, TokenAuthentication
from support.conversation import say
from support.mobile_schema import describes_messages
from support.models import TooManyMessages


@describes_messages
@api_view(["GET", "POST"])
@authentication_classes([TokenAuthentication, QueryTokenAuthentication, SessionAuthentication])
def message_list(request: Request, pk: int) -> Response:
    """The messages about an order after `?since=<id>`, oldest first; POST `message`, `client_id` says something."""
    order = get_object_or_404(Order.objects.visible_to(request.user), pk=pk)
    if request.method == "POST":
        return message_create(request, order)
    since = message_id(request.query_params.get("since", "")) or 0
    return Response([message.as_json() for message in order.chat_messages.all().after(since)])


def message_create(request: Request, order: Order) -> Response:
    data = request.data if isinstance(request.data, dict) else {}
    by, site = cast(User, request.user), request.build_absolute_uri("/")
    try:
        message, created = say(order, by, data.get("message", ""), data.get("client_id"), site=site)
    except TooManyMessages as error:
        body = {"code": error.code, "detail": error.message}
        return Response(body, status=429, headers={"Retry-After": str(error.retry_after)})
    except ValidationError as error:
        return Response({"code": error.code, "detail": error.message}, status=400)
    return Response(message.as_json(), status=201 if created else 200)
