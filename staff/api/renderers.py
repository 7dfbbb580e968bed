from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer


class StaffBrowser(BrowsableAPIRenderer):
    """The API as pages, for a look around."""

    template = "staff/api.html"
    filter_template = ""

    def get_filter_form(self, data: Any, view: Any, request: Any) -> None:
        """Left out: its button is styled in place, which the content security policy forbids."""

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Without the style sheet that stands in the page where the syntax highlighter is installed."""
        return {**super().get_context(*args, **kwargs), "code_style": ""}

    def get_breadcrumbs(self, request: Any) -> list[tuple[str, str]]:
        """Without the paths between that lead nowhere."""
        return [(name, url) for name, url in super().get_breadcrumbs(request) if name != "Nowhere"]
