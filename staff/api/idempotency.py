import hashlib
import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from rest_framework.exceptions import APIException, ParseError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from staff.api.errors import KeyReused
from staff.models import IdempotencyKey


class SafeRetries(GenericAPIView):
    """A write whose `Idempotency-Key` was seen in the last 24 hours gets the first answer, and changes nothing.

    The key is kept in the transaction of the change; a repeated request waits for the first to end. Refusals are
    first answers too; a server error is not, so that repeating helps.
    """

    def once(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Run `self.write` at most once for a key."""
        key = request.headers.get("Idempotency-Key")
        with transaction.atomic():
            if key is None:
                return self.write(request, *args, **kwargs)
            record, is_new = self._record(request, key)
            if not is_new:
                return replay(record)
            try:
                with transaction.atomic():
                    response = self.write(request, *args, **kwargs)
            except (APIException, Http404, PermissionDenied) as error:
                response = self.handle_exception(error)
            # As text: the database's own JSON would sort the fields, and takes no NUL, which an error may quote.
            record.status_code, record.body = response.status_code, json.dumps(response.data)
            record.etag = response.headers.get("ETag", "")
            record.save(update_fields=["status_code", "body", "etag"])
            return response

    def write(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise NotImplementedError

    def _record(self, request: Request, key: str) -> tuple[IdempotencyKey, bool]:
        if not (0 < len(key) <= IdempotencyKey.MAX_LENGTH and key.isascii() and key.isprintable()):
            raise ParseError(f"An Idempotency-Key has 1 to {IdempotencyKey.MAX_LENGTH} printable characters.")
        asked = repr((request.method, request.path, request.headers.get("If-Match"), request.data))
        digest = hashlib.sha256(asked.encode(errors="replace")).hexdigest()
        IdempotencyKey.objects.expired().delete()
        user: Any = request.user
        record, is_new = IdempotencyKey.objects.get_or_create(user=user, key=key, defaults={"request": digest})
        if record.request != digest:
            raise KeyReused
        return record, is_new


def replay(record: IdempotencyKey) -> Response:
    headers = {"Idempotency-Replayed": "true"} | ({"ETag": record.etag} if record.etag else {})
    return Response(json.loads(record.body), status=record.status_code, headers=headers)
