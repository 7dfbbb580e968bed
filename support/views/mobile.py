"""What the mobile app asks for, by token (docs/mobile-api.md)."""

import hashlib
import json
import re
from typing import Any, cast

from django.contrib.auth import authenticate
from django.db.models import QuerySet
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.models import Order, User
from shop.people.known_browsers import log_in_noted
from support.live.thread_pool import in_request_thread
from support.mobile.authentication import QueryTokenAuthentication, TokenAuthentication
from support.mobile.parcel_tracking import CarrierFailed, CarrierSlow, ask_carrier
from support.mobile.parsers import JSONParser
from support.mobile.rest import Nowhere, one_shape
from support.mobile.schema import AUTH_SCHEMA, ORDERS_SCHEMA, TRACKER_SCHEMA, LoginSerializer
from support.models import DeviceToken, ShipmentNews
from support.models.chat import utc_text

ORDERS_A_PAGE = 50


class OneFormat(DefaultContentNegotiation):
    """An app gets what there is, whatever it says it accepts."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class MobileView(APIView):
    authentication_classes = [TokenAuthentication, QueryTokenAuthentication, SessionAuthentication]
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = OneFormat

    def get_exception_handler(self) -> Any:
        return one_shape

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(*args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        if response.status_code == 403 and self.request.method not in SAFE_METHODS:
            # A page whose token grew old takes this one; no page of another site can read it.
            response.headers.setdefault("X-CSRFToken", get_token(self.request._request))
        return response


@AUTH_SCHEMA
class MobileAuth(MobileView):
    # Nobody's cookie logs a device in or out.
    authentication_classes = [TokenAuthentication]

    def get_authenticators(self) -> list[Any]:
        # A phone whose token was revoked logs in anew with that one still in its header.
        return [] if getattr(self.request, "method", "") == "POST" else super().get_authenticators()

    def get_permissions(self) -> Any:
        return [] if getattr(self.request, "method", "") == "POST" else super().get_permissions()

    def post(self, request: Request) -> HttpResponse:
        """Log in: a new token for this device. Guessing is throttled as on the web (`shop.web.throttle`)."""
        login = LoginSerializer(data=request.data)
        login.is_valid(raise_exception=True)
        values = login.validated_data
        user = authenticate(request._request, email=values["username"], password=values["password"])
        if not isinstance(user, User):
            raise ValidationError({"detail": "Wrong e-mail address or password."})
        log_in_noted(request._request, user)
        name = values.get("device") or device_name(request.headers.get("User-Agent", ""))
        return Response({"token": DeviceToken.objects.issue(user, name)[1]})

    def get(self, request: Request) -> Response:
        user = cast(User, request.user)
        return Response({"email": user.email, "username": str(user), "device": str(request.auth)})

    def delete(self, request: Request) -> Response:
        """Log out: this token holds no longer."""
        cast(Any, request.auth).delete()
        return Response(status=204)


@ORDERS_SCHEMA
class MobileOrders(MobileView):
    def get(self, request: Request) -> HttpResponse:
        orders = page_of(Order.objects.filter(user=request.user.pk).for_page(), request.query_params.get("before"))
        with_stage = request.query_params.get("with") == "stage"
        rows = [order_row(order, request) | (progress(order) if with_stage else {}) for order in orders]
        digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
        etag = f'W/"{digest[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
        response = Response(rows, headers=headers)
        return get_conditional_response(request._request, etag=etag) or response


def page_of(orders: QuerySet[Order], before: str | None) -> QuerySet[Order]:
    if before is not None:
        if not re.fullmatch(r"[0-9]{1,18}", before):
            raise ValidationError({"before": ["This is the id of an order: those before it are listed."]})
        orders = orders.filter(pk__lt=int(before))
    return orders.order_by("-pk")[:ORDERS_A_PAGE]


def order_row(order: Order, request: Request) -> dict[str, Any]:
    image = order.mobile_thumb_url
    return {
        "id": order.pk,
        "image": request.build_absolute_uri(image) if image else None,
        "summary": order.summary,
        "price": float(order.grand_total),
        "status": order.status,
        "date_added": utc_text(order.date_added),
    }


def progress(order: Order) -> dict[str, Any]:
    """How far an order is, and what it was sent in."""
    parcels = [
        {
            "carrier": parcel.carrier,
            "tracking_number": parcel.tracking_number,
            "link": parcel.link,
            "date_sent": utc_text(parcel.date_sent),
        }
        for parcel, _ in order.contents()
    ]
    return {"stage": order.stage.value, "parcels": parcels}


@TRACKER_SCHEMA
class OrderTracker(MobileView):
    """Where an order's parcel is. Asynchronous: whoever waits for the carrier holds up nobody else."""

    async def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """As REST framework does, with what reads the database in a thread."""
        self.args, self.kwargs, self.headers = args, kwargs, self.default_response_headers
        self.request = self.initialize_request(request, *args, **kwargs)
        try:
            order_id = await in_request_thread(self.own_order, kwargs["pk"])
            response = await self.get(self.request, order_id)
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        return self.response

    def own_order(self, pk: int) -> int:
        self.initial(self.request, *self.args, **self.kwargs)
        if self.request.method not in ("GET", "HEAD"):
            self.http_method_not_allowed(self.request)
        return get_object_or_404(Order.objects.filter(user=self.request.user.pk).only("pk"), pk=pk).pk

    async def get(self, request: Request, pk: int) -> HttpResponse:
        try:
            text = await ask_carrier(pk)
        except CarrierFailed as failure:
            body = {"detail": str(failure)} | await in_request_thread(ShipmentNews.last_known, pk)
            return Response(body, status=504 if isinstance(failure, CarrierSlow) else 502)
        await in_request_thread(ShipmentNews.note, pk, text)
        return HttpResponse(text, content_type="text/plain; charset=utf-8")


class MobileNowhere(Nowhere, MobileView):
    schema: Any = None


def device_name(agent: str) -> str:
    """What its owner knows a device by, from a browser's own description: "Chrome on Android"."""
    systems = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac OS": "Mac"}
    browsers = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    system = next((name for mark, name in (systems | {"Linux": "Linux"}).items() if mark in agent), "")
    browser = next((name for mark, name in browsers.items() if mark in agent), "")
    return " on ".join(part for part in (browser, system) if part) or DeviceToken.UNNAMED


mobile_auth = MobileAuth.as_view()
mobile_orders = MobileOrders.as_view()
order_tracker = OrderTracker.as_view()
nowhere = MobileNowhere.as_view()
