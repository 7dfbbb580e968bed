from typing import Any

from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponse


class LatestNotices(CookieStorage):
    """Messages for the visitor's next page, in a cookie: the newest few, so that who saw no page need not read on."""

    MOST = 5

    def _store(self, messages: list[Message], response: HttpResponse, *args: Any, **kwargs: Any) -> list[Message]:
        return super()._store(messages[-self.MOST :], response, *args, **kwargs)  # type: ignore[misc]
