from datetime import UTC
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import DateTimeField
from rest_framework import serializers

from shop.models import DeliveryMethod, Order, OrderLine, Parcel
from shop.values.countries import canonical, name_of
from shop.values.postal_formats import postal_format
from staff.api.filters import LARGEST_ID


class MomentField(serializers.DateTimeField):
    """In UTC, whatever days the shop has."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


class DispatchSerializer(serializers.ModelSerializer):
    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        DateTimeField: MomentField,
    }


class OrderLineSerializer(DispatchSerializer):
    """A line as dispatch sees it; of what is sent, only the status and the parcel are taken."""

    product: Any = serializers.CharField(
        source="name", read_only=True, help_text="The product's name when it was ordered."
    )
    status = serializers.ChoiceField(
        choices=OrderLine.Status.choices,
        help_text="A new line may become anything, one in processing sent or cancelled; sent and cancelled are final.",
    )
    carrier = serializers.CharField(required=False, allow_blank=True, max_length=60)
    tracking_number = serializers.CharField(
        required=False, allow_blank=True, max_length=60, help_text="The parcel's; shown to the shopper."
    )

    class Meta:
        model = OrderLine
        fields = ["id", "order", "product", "isbn", "format", "status", "carrier", "tracking_number"]
        read_only_fields = ["isbn", "format"]
        extra_kwargs = {"order": {"read_only": True, "view_name": "order-detail"}}

    serializer_related_field = serializers.HyperlinkedRelatedField

    def update(self, line: OrderLine, data: dict[str, Any]) -> OrderLine:
        status = data.pop("status", None)
        line.track(**data)
        if status is not None:
            try:
                line.mark(status)
            except ValidationError as error:
                raise serializers.ValidationError({"status": error.messages}) from error
        return line


class OrderSerializer(DispatchSerializer):
    """A paid order: where it goes, and nothing of who pays for it."""

    shipping_country = serializers.RegexField(
        "^[A-Za-z]{2}$",
        help_text="ISO 3166, in small letters, the United Kingdom as uk: one of those that are delivered to, or the "
        "order's own.",
    )

    class Meta:
        model = Order
        fields = [
            "id",
            "shipping_name",
            "shipping_address1",
            "shipping_address2",
            "shipping_zip_code",
            "shipping_city",
            "shipping_country",
            "date_updated",
            "date_added",
        ]
        read_only_fields = ["date_updated", "date_added"]
        extra_kwargs = {
            # A replaced address without a second line must not keep the old one's.
            "shipping_address2": {"default": ""},
            "shipping_zip_code": {"required": True, "help_text": "Empty where the country has none."},
        }

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Where a parcel goes has a postcode, if its country always has one."""
        order: Any = self.instance
        country, postcode = (data.get(name, getattr(order, name)) for name in ("shipping_country", "shipping_zip_code"))
        touched = data.keys() & {"shipping_country", "shipping_zip_code"}
        if touched and not postcode and postal_format(country).needs_postcode:
            raise serializers.ValidationError({"shipping_zip_code": f"{name_of(country)} needs a postcode."})
        return data

    def validate_shipping_country(self, code: str) -> str:
        """One of those that addresses may be in, or the order's own."""
        order: Any = self.instance
        code, served = canonical(code), DeliveryMethod.objects.countries()
        if code != order.shipping_country and code not in served:
            raise serializers.ValidationError(f"“{code}” is not delivered to. Choose of {', '.join(sorted(served))}.")
        return code

    def update(self, order: Order, data: dict[str, Any]) -> Order:
        changed = [field for field, value in data.items() if getattr(order, field) != value]
        for field in changed:
            setattr(order, field, data[field])
        if changed:
            order.save(update_fields=[*changed, "date_updated"])
        return order


class ParcelSerializer(DispatchSerializer):
    """A parcel: what it is called, and the lines in it."""

    carrier = serializers.CharField(max_length=60, allow_blank=True)
    tracking_number = serializers.CharField(
        max_length=60, allow_blank=True, help_text="Shown to the shopper; empty where there is none."
    )
    lines: Any = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        required=False,
        min_length=1,
        help_text="Ids of the order's open lines; without them, all that are open.",
    )

    class Meta:
        model = Parcel
        fields = ["id", "carrier", "tracking_number", "lines", "date_sent"]
        read_only_fields = ["date_sent"]

    def to_representation(self, parcel: Parcel) -> dict[str, Any]:
        lines = sorted(line.pk for line in parcel.lines.all())
        shown = {"id": parcel.pk, "carrier": parcel.carrier, "tracking_number": parcel.tracking_number, "lines": lines}
        return shown | {"date_sent": self.fields["date_sent"].to_representation(parcel.date_sent)}

    def create(self, data: dict[str, Any]) -> Parcel:
        """Send it: `order` is given by `save()`."""
        try:
            parcel: Parcel = data.pop("order").send_parcel(**data)
        except ValidationError as error:
            raise serializers.ValidationError({"lines": error.messages}) from error
        return parcel
