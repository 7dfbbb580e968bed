import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

logger = logging.getLogger(__name__)


def next_url(request: HttpRequest, default: str = "") -> str:
    """Where `?next=` (or the form's `next`) leads, if that is on this site; else `default`, a URL or its name."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    # Anything else would be taken for a view's name.
    if safe and url.startswith(("/", "http")) and "\0" not in url:
        return url
    return resolve_url(default) if default else ""


class RedirectThenDo(HttpResponseRedirect):
    """A redirect that leaves before its work is done, so that its time tells nothing of the work.

    `work` runs when the answer was handed over; where it fails, that is logged.
    """

    def __init__(self, redirect_to: str, work: Callable[[], Any]) -> None:
        super().__init__(redirect_to)
        self.work: Callable[[], Any] | None = work

    def close(self) -> None:
        work, self.work = self.work, None
        try:
            if work is not None:
                work()
        except Exception:
            logger.exception("The work after a redirect failed")
        finally:
            super().close()
