import hashlib
import json
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.http import parse_etags
from rest_framework.authentication import SessionAuthentication
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import APIRootView
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from shop.models import Order, OrderLine, Parcel
from staff.api.authentication import BasicAuthentication, TokenAuthentication
from staff.api.errors import PreconditionFailed, TooLarge
from staff.api.filters import KnownFilters, OrderFilter, OrderLineFilter, ParcelFilter
from staff.api.idempotency import SafeRetries
from staff.api.pagination import DispatchPagination
from staff.api.permissions import WorksForDispatch
from staff.api.renderers import StaffBrowser
from staff.api.schema import DispatchSchema
from staff.api.serializers import OrderLineSerializer, OrderSerializer, ParcelSerializer
from staff.api.throttles import RequestThrottle
from support.mobile.parsers import JSONParser
from support.mobile.rest import Nowhere, one_shape

MOST_BYTES = 100_000


class DispatchView(APIView):
    """What every path of this API does alike."""

    authentication_classes = [TokenAuthentication, BasicAuthentication, SessionAuthentication]
    permission_classes = [WorksForDispatch]
    throttle_classes = [RequestThrottle]
    renderer_classes = [JSONRenderer]
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    schema: Any = None  # described in their own view sets

    def get_exception_handler(self) -> Any:
        return one_shape

    def get_renderers(self) -> list[Any]:
        # The session's user, before tokens are looked at: the pages are for people, and for staff alone.
        person = getattr(self.request._request, "user", None)
        pages = [StaffBrowser()] if person and person.is_authenticated and person.is_staff else []
        return super().get_renderers() + pages

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        # A claimed charset such as "hex" is no text encoding, and would end in a server error.
        request.encoding = "utf-8"
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            raise TooLarge

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(*args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class RootView(DispatchView, APIRootView):
    """Where the dispatch API begins; /api/docs/ describes it."""


class NowhereView(Nowhere, DispatchView):
    pass


class DispatchViewSet(DispatchView, SafeRetries, ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Reading and changing, never creating or deleting."""

    pagination_class = DispatchPagination
    filter_backends = [KnownFilters]
    lookup_value_converter = "int"
    schema = DispatchSchema()

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.once(request, partial=False)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.once(request, partial=True)

    def write(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(self.get_object(), data=request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        self.check_preconditions(serializer)
        serializer.save()
        return Response(serializer.data)

    def check_preconditions(self, serializer: BaseSerializer) -> None:
        """Raise PreconditionFailed where the client says it read something else."""


class OrderLineViewSet(DispatchViewSet):
    queryset = OrderLine.objects.paid().not_waiting()
    serializer_class = OrderLineSerializer
    filterset_class = OrderLineFilter


class OrderViewSet(DispatchViewSet):
    queryset = Order.objects.for_dispatch()
    serializer_class = OrderSerializer
    filterset_class = OrderFilter

    def get_queryset(self) -> QuerySet[Order]:
        orders = super().get_queryset()
        # Two who compare and then change wait for each other.
        return orders.select_for_update() if self.action in ("update", "partial_update") else orders

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return with_etag(super().retrieve(request, *args, **kwargs))

    def write(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return with_etag(super().write(request, *args, **kwargs))

    def check_preconditions(self, serializer: BaseSerializer) -> None:
        asked = self.request.headers.get("If-Match")
        if asked is None:
            return
        # Who forgot the quotes means the same.
        tags = parse_etags(asked.strip()) or [f'"{asked.strip()}"']
        if not {"*", etag_of(self.get_serializer(serializer.instance).data)} & set(tags):
            raise PreconditionFailed


class ParcelViewSet(DispatchViewSet):
    """What an order was sent in. Those of an order that is done are read still: its last parcel made it so."""

    queryset = Parcel.objects.all()
    serializer_class = ParcelSerializer
    filterset_class = ParcelFilter

    def get_queryset(self) -> QuerySet[Parcel]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        order = get_object_or_404(Order.objects.paid_for(), pk=self.kwargs["pk"])
        lines = OrderLine.objects.only("pk", "parcel").order_by("pk")
        return super().get_queryset().filter(order=order).prefetch_related(Prefetch("lines", lines))

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.once(request)

    def write(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        order = get_object_or_404(Order.objects.paid_for().select_for_update(), pk=self.kwargs["pk"])
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save(order=order)
        return Response(serializer.data, status=201)


def etag_of(order: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(order, sort_keys=True, default=str).encode()).hexdigest()
    return f'"{digest[:32]}"'


def with_etag(response: Response) -> Response:
    response.headers["ETag"] = etag_of(response.data)
    return response
