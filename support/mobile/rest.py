"""What the mobile and the dispatch API do alike: shape errors, answer for paths where nothing is."""

from typing import Any

from django.http import HttpResponsePermanentRedirect
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView, exception_handler


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
