"""What every response says to the browser that gets it, whoever made it: a page, a file, a redirect or an error."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse

POLICY = "Content-Security-Policy"


class SecurityHeaders:
    """Middleware that adds what a response does not say by itself.

    * `settings.CONTENT_SECURITY_POLICY`, and `settings.PERMISSIONS_POLICY`: nothing here uses a camera or the like.
    * Nobody keeps a copy. What may be kept (the catalogue, files, the app) says so where it is made.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # The same for every page, so it is put together once.
        directives = {**settings.CONTENT_SECURITY_POLICY}
        directives["img-src"] = [*directives["img-src"], *pictures_elsewhere()]
        self.directives = directives
        self.policy = in_a_line(directives)
        self.permissions = ", ".join(f"{feature}=()" for feature in settings.PERMISSIONS_POLICY)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Django's own pages for developers style themselves.
        if not (settings.DEBUG and response.status_code in {404, 500}):
            response.headers.setdefault(POLICY, self.policy_of(response))
        response.headers.setdefault("Permissions-Policy", self.permissions)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def policy_of(self, response: HttpResponse) -> str:
        """Where its forms may lead to another site, as paying does, the response says where (`leads_to`, origins)."""
        if not (origin := getattr(response, "leads_to", "")):
            return self.policy
        return in_a_line({**self.directives, "form-action": [*self.directives["form-action"], origin]})


def in_a_line(directives: dict[str, list[str]]) -> str:
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


def pictures_elsewhere() -> list[str]:
    """The bucket that browsers fetch the shop's pictures from, where it has one: https://books.s3.amazonaws.com"""
    address = urlsplit(default_storage.url("picture.jpg"))
    return [f"{address.scheme}://{address.netloc}"] if address.netloc else []
