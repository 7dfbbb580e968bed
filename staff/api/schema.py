"""The words of the OpenAPI document: each status a client may meet, and what to do about it."""

from typing import Any, ClassVar

from drf_spectacular.authentication import BasicScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from staff.models import IdempotencyKey
from support.mobile.schema import EITHER, FIELDS


class DispatchBasicScheme(BasicScheme):
    target_class = "staff.api.authentication.BasicAuthentication"


class Refusal(serializers.Serializer):
    detail = serializers.CharField()


def refusal(description: str, example: object, schema: Any = Refusal) -> OpenApiResponse:
    return OpenApiResponse(schema, description, [OpenApiExample("Refused", example, response_only=True)])


def detail(description: str, text: str) -> OpenApiResponse:
    return refusal(description, {"detail": text})


EVERYWHERE = {
    401: detail("No credentials, or wrong ones.", "Authentication credentials were not provided."),
    403: detail("The account may not use this API.", "This account may not use the dispatch API."),
    406: detail("Only JSON is served.", "Could not satisfy the request Accept header."),
    429: detail(
        "Too many requests, or too many wrong passwords: wait for `Retry-After` seconds.",
        "Request was throttled. Expected available in 12 seconds.",
    ),
}
LISTS = {
    400: refusal("A filter is wrong, or there is none of this name.", {"order": ["Enter a whole number."]}, FIELDS),
    404: detail("There is no such page.", "There is no such page."),
}
ONE = {404: detail("It does not exist, or is not with dispatch (any more).", "No OrderLine matches the given query.")}
WRITES = {
    400: refusal(
        "What is wrong, under each field's name; `detail` where it is not one field.",
        {"status": ["A line that is sent cannot become new. It is final."]},
        EITHER,
    ),
    413: detail("The request is too large.", "That is more than this API takes."),
    415: detail("Send `application/json`.", 'Unsupported media type "text/plain" in request.'),
    422: detail("The `Idempotency-Key` belongs to another request.", "This Idempotency-Key was used for another …"),
}
GUARDED = {412: detail("`If-Match` names an older state.", "The order was changed since you read it.")}

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": IdempotencyKey.MAX_LENGTH, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    OpenApiParameter.HEADER,
    description="A name of your own for this change. Repeated within 24 hours, it is answered as the first time, "
    "and nothing is changed twice.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` you read: if the order was changed since, 412 and no change.",
)


ORDER = OpenApiParameter("id", int, OpenApiParameter.PATH, description="The order's.")


def answer_header(name: str, description: str, *codes: int) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, response=[*codes])


class DispatchSchema(AutoSchema):
    """Adds to each operation what holds for all: refusals, headers, summaries."""

    SUMMARIES: ClassVar[dict[tuple[str, str], str]] = {
        ("OrderLine", "list"): "The lines of paid orders, newest order first",
        ("OrderLine", "retrieve"): "One line",
        ("OrderLine", "update"): "Report a line's progress",
        ("OrderLine", "partial_update"): "Report a line's progress, or only its parcel",
        ("Order", "list"): "The paid orders, newest first",
        ("Order", "retrieve"): "Where one order goes",
        ("Order", "update"): "Replace a shipping address",
        ("Order", "partial_update"): "Correct a shipping address",
        ("Parcel", "list"): "What a paid or done order was sent in, in the sequence it left",
        ("Parcel", "create"): "Send lines of a paid order in a parcel",
    }

    view: Any

    @property
    def noun(self) -> str:
        return self.view.queryset.model.__name__

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "PATCH", "POST")

    @property
    def success(self) -> int:
        return 201 if self.method == "POST" else 200

    def get_summary(self) -> str | None:
        return self.SUMMARIES[self.noun, self.view.action]

    def get_description(self) -> str:  # type: ignore[override]  # as the class above has it
        return ""

    def map_parsers(self) -> list[str]:
        """Forms are understood, for a try by hand; what is promised is JSON."""
        return ["application/json"]

    def get_tags(self) -> list[str]:
        return [{"Order": "Orders", "OrderLine": "Order lines", "Parcel": "Parcels"}[self.noun]]

    def get_response_serializers(self) -> Any:
        responses: dict[Any, Any] = {
            self.success: OpenApiResponse(super().get_response_serializers(), "As asked.")
        } | EVERYWHERE
        if self.view.action == "list":
            responses |= LISTS
        else:
            responses |= ONE
        if self.writes:
            responses |= WRITES | (GUARDED if self.noun == "Order" else {})
        return dict(sorted(responses.items()))

    def get_override_parameters(self) -> list[Any]:
        parameters = [
            answer_header("WWW-Authenticate", "How to authenticate.", 401),
            answer_header("Retry-After", "Seconds to wait.", 429),
        ]
        guarded = self.noun == "Order" and self.view.action != "list"
        if guarded:
            parameters.append(answer_header("ETag", "The state of the order, for `If-Match`.", 200))
        if self.noun == "Parcel":
            parameters.append(ORDER)
        if self.writes:
            parameters += [IDEMPOTENCY_KEY, IF_MATCH] if guarded else [IDEMPOTENCY_KEY]
            parameters.append(answer_header("Idempotency-Replayed", "`true` on a repeated answer.", self.success))
        return parameters
