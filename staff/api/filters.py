from typing import Any

import django_filters
from django import forms
from drf_spectacular.utils import extend_schema_field

from shop.models import OrderLine

LARGEST_ID = 2**63 - 1


class IdField(forms.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID, **kwargs})


class IdFilter(django_filters.NumberFilter):
    field_class = IdField

    def get_max_validator(self) -> None:
        """The field has its own."""


class OrderLineFilter(django_filters.FilterSet):
    order = extend_schema_field({"type": "integer", "minimum": 1, "maximum": LARGEST_ID})(
        IdFilter(field_name="order_id", label="id of a paid order")
    )
    status = django_filters.ChoiceFilter(choices=OrderLine.Status.choices)

    class Meta:
        model = OrderLine
        fields = ["order", "status"]
