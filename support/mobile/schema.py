"""The mobile endpoints in the OpenAPI document."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers

from support.models import ChatMessage, DeviceToken

TAGS = ["Mobile"]
EARLIER: Any = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
SINCE: Any = {"type": ["integer", "string"]}


class DeviceTokenScheme(OpenApiAuthenticationExtension):
    target_class = "support.mobile.authentication.TokenAuthentication"
    name = "deviceToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token …`, as `/mobile-api/auth/` gave it.",
        }


class QueryTokenScheme(OpenApiAuthenticationExtension):
    target_class = "support.mobile.authentication.QueryTokenAuthentication"
    name = "queryToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "query", "name": "token"}


class TextField(OpenApiSerializerFieldExtension):
    """What a text may hold: no NUL, and more than white space where it may not be empty."""

    target_class = "rest_framework.fields.CharField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> Any:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        if direction == "request":
            may_be_blank = self.target.allow_blank or not self.target.trim_whitespace
            schema["pattern"] = r"^[^\u0000]*$" if may_be_blank else r"^[^\u0000]*[^\u0000\s][^\u0000]*$"
        return schema


FIELDS: Any = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}

EITHER: Any = {
    "oneOf": [{"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}, FIELDS]
}


class LoginSerializer(serializers.Serializer):
    username = serializers.CharField(max_length=254, help_text="The e-mail address.")
    password = serializers.CharField(max_length=4096, trim_whitespace=False)
    device = serializers.CharField(
        max_length=DeviceToken.NAME_LENGTH,
        required=False,
        allow_blank=True,
        help_text="What its owner knows the device by; otherwise it is made from User-Agent.",
    )


class KeySerializer(serializers.Serializer):
    token = serializers.CharField()


class WhoSerializer(serializers.Serializer):
    email = serializers.EmailField()
    username = serializers.CharField(help_text="As chats name this person.")
    device = serializers.CharField()


class MobileParcelSerializer(serializers.Serializer):
    carrier = serializers.CharField(allow_blank=True)
    tracking_number = serializers.CharField(allow_blank=True)
    link = serializers.CharField(allow_blank=True, help_text="The carrier's page about it; empty where none is known.")
    date_sent = serializers.DateTimeField()


class MobileOrderSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    image = serializers.URLField(allow_null=True)
    summary = serializers.CharField()
    price = serializers.FloatField()
    status = serializers.IntegerField(help_text="10 new, 20 paid, 30 done.")
    date_added = serializers.DateTimeField()
    stage = serializers.ChoiceField(
        ["new", "paid", "processing", "sent", "cancelled"], required=False, help_text="With `?with=stage`."
    )
    parcels = MobileParcelSerializer(many=True, required=False, help_text="With `?with=stage`: what was sent.")


class MessageSerializer(serializers.ModelSerializer):
    username = serializers.CharField()

    class Meta:
        model = ChatMessage
        fields = ["id", "username", "message", "sent_at", "client_id"]


class SaySerializer(serializers.Serializer):
    message = serializers.CharField(max_length=ChatMessage.LONGEST)
    client_id = serializers.UUIDField(required=False, allow_null=True)


class MobileRefusal(serializers.Serializer):
    detail = serializers.CharField()


class CarrierRefusal(MobileRefusal):
    last_known = serializers.CharField(allow_null=True, help_text="What the carrier said last.")
    as_of = serializers.DateTimeField(allow_null=True, help_text="When it said so.")


def refusal(description: str, schema: Any = MobileRefusal) -> OpenApiResponse:
    return OpenApiResponse(schema, description)


JSON_ALONE = {415: refusal("Send `application/json`.")}
UNKNOWN = {401: refusal("No token, or one that was revoked.")}
NOT_OWN = {404: refusal("It does not exist, or belongs to somebody else.")}

AUTH_SCHEMA = extend_schema_view(
    post=extend_schema(
        summary="Log in on a device",
        tags=TAGS,
        auth=[],
        request={"application/json": LoginSerializer},
        responses={
            200: KeySerializer,
            400: refusal("Wrong e-mail address or password, or a field is missing.", EITHER),
            429: refusal("Too many wrong passwords: wait for `Retry-After` seconds."),
        }
        | JSON_ALONE,
    ),
    get=extend_schema(summary="Who is logged in", tags=TAGS, responses={200: WhoSerializer} | UNKNOWN),
    delete=extend_schema(summary="Log out on this device", tags=TAGS, request=None, responses={204: None} | UNKNOWN),
)

ORDERS_SCHEMA = extend_schema_view(
    get=extend_schema(
        summary="One's own orders, newest first",
        description="At most 50; `before` with the last one's id gives those that follow.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("before", EARLIER, description="Only orders before this id."),
            OpenApiParameter(
                "with", str, description="`stage`: say how far each order is, too, and in which parcels it was sent."
            ),
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` of the last list."),
        ],
        responses={
            200: MobileOrderSerializer(many=True),
            304: OpenApiResponse(None, "Nothing has changed since that `ETag`."),
            400: refusal("`before` is no id.", FIELDS),
        }
        | UNKNOWN,
    )
)

TRACKER_SCHEMA = extend_schema_view(
    get=extend_schema(
        summary="Where the parcel is",
        tags=TAGS,
        responses={
            (200, "text/plain"): OpenApiTypes.STR,
            502: OpenApiResponse(CarrierRefusal, "The carrier does not answer, or answers nonsense."),
            504: OpenApiResponse(CarrierRefusal, "The carrier took longer than 5 seconds."),
        }
        | UNKNOWN
        | NOT_OWN,
    )
)


MESSAGES_SCHEMA = extend_schema_view(
    get=extend_schema(
        summary="What was said about an order",
        description="At most 200, oldest first; `since` with the last one's id gives those that follow.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("since", SINCE, description="Only messages after this id; what is no id is ignored."),
            OpenApiParameter(
                "before", SINCE, description="The messages before this id, the last ones of them, instead."
            ),
        ],
        responses={200: MessageSerializer(many=True)} | UNKNOWN | NOT_OWN,
    ),
    post=extend_schema(
        summary="Say something about an order",
        tags=TAGS,
        request={"application/json": SaySerializer},
        responses={
            201: MessageSerializer,
            200: OpenApiResponse(MessageSerializer, "It was said already, with this `client_id`."),
            400: refusal("The message is empty or too long."),
            429: refusal("Too many messages, lately or today: wait for `Retry-After` seconds."),
        }
        | JSON_ALONE
        | UNKNOWN
        | NOT_OWN,
    ),
)
