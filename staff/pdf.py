"""HTML to PDF, without a look at the network or at other files."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from django.contrib.staticfiles import finders
from django.utils.html import format_html
from PIL import ImageFile
from weasyprint import HTML, LOGGER
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


class Boxes(logging.Filter):
    """Takes out of the log, and notes, for which characters a box was printed, as no font has them."""

    def __init__(self) -> None:
        super().__init__()
        self.characters: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        is_box = ".notdef" in record.msg and isinstance(record.args, tuple)
        if is_box:
            self.characters.add(str(record.args[0]))  # type: ignore[index]
        return not is_box


def printed_as_boxes(text: str, stylesheet: str) -> set[str]:
    """The characters of `text` that would be boxes in a document of that style, with the fonts of this machine."""
    boxes = Boxes()
    LOGGER.addFilter(boxes)
    try:
        link = format_html('<link rel="stylesheet" href="{}"><p>{}</p>', asset(stylesheet).as_uri(), text)
        render_pdf(link, (stylesheet,))
    finally:
        LOGGER.removeFilter(boxes)
    return boxes.characters


def render_pdf(html: str, assets: Iterable[str]) -> bytes:
    """The document as a PDF; `assets` are the static files that it may use."""
    content: bytes = HTML(string=html, url_fetcher=PackagedAssets(assets)).write_pdf()
    return content
