"""Errors in one shape: `{"detail": text}`, or a list of texts under each field's name."""

from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler


class PreconditionFailed(APIException):
    status_code = 412
    default_detail = "The order was changed since you read it. Read it again, then decide."


class TooLarge(APIException):
    status_code = 413
    default_detail = "That is more than this API takes."


class KeyReused(APIException):
    status_code = 422
    default_detail = "This Idempotency-Key was used for another request. Take a new one for each change."


def one_shape(exc: Exception, context: dict[str, Any]) -> Response | None:
    response = exception_handler(exc, context)
    if response is not None:
        texts = response.data
        if isinstance(texts, dict):
            texts = texts.get(api_settings.NON_FIELD_ERRORS_KEY)
        if isinstance(texts, list):
            response.data = {"detail": " ".join(map(str, texts))}
    return response
