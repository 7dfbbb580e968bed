"""Conditional requests (RFC 9110, section 13): who has a page already is told so instead of being sent it again."""

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.messages import get_messages
from django.contrib.messages.storage.base import BaseStorage
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers

View = Callable[..., HttpResponse]
CSRF_FIELD = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"')


def conditional_page(view: View) -> View:
    """Give the pages of a view an ETag, and answer 304 to a browser that holds the same page.

    The browser keeps them for this visitor alone and asks each time before it shows them. A page with messages is
    kept nowhere: they are shown once.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_vary_headers(response, ["Cookie", "HX-Request"])
        if request.method not in {"GET", "HEAD"} or response.status_code != 200:
            return response
        if shows_messages(request):
            patch_cache_control(response, private=True, no_store=True)
            return response
        patch_cache_control(response, private=True, no_cache=True)
        etag = page_etag(request, response.content)
        response.headers["ETag"] = etag
        return get_conditional_response(request, etag=etag, response=response) or response

    return answer


def shows_messages(request: HttpRequest) -> bool:
    messages = get_messages(request)
    # Only a page that shows them reads them; asking for their number would.
    return isinstance(messages, BaseStorage) and messages.used and len(messages) > 0


def page_etag(request: HttpRequest, content: bytes) -> str:
    """A weak ETag of what a page says.

    Each rendering masks the CSRF secret anew, so the tokens are left out. The secret itself counts where there was a
    token, so that nobody is told to keep a page whose forms have died with an old secret.
    """
    plain, tokens = CSRF_FIELD.subn(b"", content)
    digest = hashlib.blake2b(plain, digest_size=16)
    if tokens:
        digest.update(request.META["CSRF_COOKIE"].encode())
    return f'W/"{digest.hexdigest()}"'
