"""Days and moments that people and programs filter by: one without a zone is the shop's."""

from datetime import UTC, datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone


class MomentField(forms.DateTimeField):
    """A day or a moment, in UTC; what the calendar holds no longer there is an error, not a fault of the query.

    An hour that the clocks of the shop show twice, or skip, is read so that nothing is left out: as its last moment
    where `latest` says so, else as its first.
    """

    def __init__(self, *, latest: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latest = latest

    def clean(self, value: Any) -> Any:
        try:
            moment = super().clean(value)
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def to_python(self, value: Any) -> datetime | None:
        try:
            return super().to_python(value)
        except ValidationError as error:
            if error.code != "ambiguous_timezone":
                raise
        with timezone.override(UTC):
            clock: Any = super().to_python(value)
        zone = timezone.get_current_timezone()
        readings = [clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        return max(readings) if self.latest else min(readings)


class MomentFilter(django_filters.DateTimeFilter):
    """`MomentFilter("date_added", "gt")`: later than the day or moment; "lt": earlier."""

    field_class = MomentField

    def __init__(self, field_name: str, lookup_expr: str, **kwargs: Any) -> None:
        super().__init__(field_name, lookup_expr, latest=lookup_expr == "lt", **kwargs)
