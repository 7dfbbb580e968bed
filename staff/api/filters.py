from typing import Any

import django_filters
from django import forms
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.settings import api_settings

from shop.models import Order, OrderLine, Parcel
from staff.date_filters import MomentFilter

LARGEST_ID = 2**63 - 1


class IdField(forms.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID, **kwargs})


class IdFilter(django_filters.NumberFilter):
    field_class = IdField

    def get_max_validator(self) -> None:
        """The field has its own."""


def moment_filter(field: str, lookup: str, label: str) -> MomentFilter:
    """A day or a moment, in the address's own zone or else the shop's."""
    messages = {"invalid": "Write a day or a moment, such as 2026-07-02 or 2026-07-02T00:30:00Z."}
    described = extend_schema_field({"anyOf": [{"type": "string", "format": form} for form in ("date-time", "date")]})
    made: MomentFilter = described(MomentFilter(field, lookup, label=label, error_messages=messages))
    return made


class KnownFilters(DjangoFilterBackend):
    """Refuses what it does not know: ignored, a slip of the pen would be answered with everything."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filters = [*view.filterset_class.base_filters, view.paginator.page_query_param]
        known = {*filters, api_settings.URL_FORMAT_OVERRIDE}
        if unknown := [name for name in request.query_params if name not in known]:
            there_are = " and ".join(filter(None, (", ".join(filters[:-1]), filters[-1])))
            raise ValidationError({name: [f"There is no filter “{name}”: there are {there_are}."] for name in unknown})
        return super().filter_queryset(request, queryset, view)


class OrderFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=Order.Status.choices, label="only paid orders (20) are listed at all")
    date_added__gt = moment_filter("date_added", "gt", "placed after this day or moment")
    date_added__lt = moment_filter("date_added", "lt", "placed before")
    date_updated__gt = moment_filter("date_updated", "gt", "changed after: the order itself, not its lines")
    date_updated__lt = moment_filter("date_updated", "lt", "changed before")

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()


class OrderLineFilter(django_filters.FilterSet):
    order = extend_schema_field({"type": "integer", "minimum": 1, "maximum": LARGEST_ID})(
        IdFilter(field_name="order_id", label="id of a paid order")
    )
    status = django_filters.ChoiceFilter(choices=OrderLine.Status.choices)

    class Meta:
        model = OrderLine
        fields = ["order", "status"]


class ParcelFilter(django_filters.FilterSet):
    class Meta:
        model = Parcel
        fields: tuple[str, ...] = ()
