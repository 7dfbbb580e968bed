"""What the mobile and the dispatch API do alike: read JSON, shape errors, answer for paths where nothing is."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.http import HttpResponsePermanentRedirect
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView, exception_handler


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


class JSONParser(BaseParser):
    """JSON as RFC 8259 has it: in UTF-8, whatever charset is claimed, and not nested until the stack is full."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            data = json.loads(stream.read(), parse_constant=refuse_constant)
            # Half a surrogate pair could be neither stored nor sent back in an error.
            json.dumps(data, ensure_ascii=False).encode()
        except RecursionError as error:
            raise ParseError("JSON parse error: it is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"JSON parse error: {error}") from error
        return data


def one_shape(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Errors as `{"detail": text}`, or as a list of texts under each field's name."""
    response = exception_handler(exc, context)
    if response is not None:
        texts = response.data
        if isinstance(texts, dict):
            texts = texts.get(api_settings.NON_FIELD_ERRORS_KEY)
        if isinstance(texts, list):
            response.data = {"detail": " ".join(map(str, texts))}
    return response


class Nowhere(APIView):
    """Any other path: an error in JSON; only a reader who forgot the last slash is led on."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("There is nothing at this path; /api/docs/ lists the paths. Each ends in a slash.")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if request.method in ("GET", "HEAD") and not request.path.endswith("/"):
            return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
        return super().dispatch(request, *args, **kwargs)
