import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

logger = logging.getLogger(__name__)

View = Callable[..., HttpResponse]


def next_url(request: HttpRequest, default: str = "") -> str:
    """Where `?next=` (or the form's `next`) leads, if that is on this site; else `default`, a URL or its name."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    # Anything else would be taken for a view's name.
    if safe and url.startswith(("/", "http")) and "\0" not in url:
        return url
    return resolve_url(default) if default else ""


def sent_from(page: str, *names: str) -> Callable[[View], View]:
    """For a view that takes POST alone: whoever comes by GET is led to the page, by its URL name, that has the form.

    That is where a shopper lands who had to log in before the form was taken. `names` are the page's arguments.
    """

    def decorate(view: View) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if request.method == "POST":
                return view(request, **kwargs)
            return redirect(page, **{name: kwargs[name] for name in names})

        return answer

    return decorate


class RedirectThenDo(HttpResponseRedirect):
    """A redirect that leaves before its work is done, so that its time tells nothing of the work.

    `work` runs when the answer was sent; where it fails, that is logged. A WSGI server closes a response after it sent
    it; `booktime.serving.wsgi_bridge`, which would send a whole page later than that, goes by `leaves_before_closing`.
    """

    leaves_before_closing = True

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
