"""HTML to PDF, without a look at the network or at other files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from django.contrib.staticfiles import finders
from PIL import ImageFile
from weasyprint import HTML
from weasyprint.urls import URLFetcher

# WeasyPrint sets it for the whole process, where an upload that is cut short is to be refused.
ImageFile.LOAD_TRUNCATED_IMAGES = False


def asset(name: str) -> Path:
    """Where a static file of the project stands. Raises FileNotFoundError."""
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return Path(found)


class PackagedAssets(URLFetcher):
    """Hands out the named static files; whatever else a document asks for is refused, not fetched."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(allowed_protocols=("file",), allow_redirects=False)
        self.paths = {asset(name) for name in names}

    def fetch(self, url: str, headers: Any = None) -> Any:
        parts = urlsplit(url)
        if parts.scheme != "file" or Path(url2pathname(parts.path)) not in self.paths:
            raise ValueError("A document consists of the project's own files.")
        return super().fetch(url, headers)


def render_pdf(html: str, assets: Iterable[str]) -> bytes:
    """The document as a PDF; `assets` are the static files that it may use."""
    content: bytes = HTML(string=html, url_fetcher=PackagedAssets(assets)).write_pdf()
    return content
