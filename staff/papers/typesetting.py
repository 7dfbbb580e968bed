"""A process of its own that makes PDFs out of HTML, without a look at the network or at other files.

WeasyPrint is pure Python and holds its interpreter while it works: in a thread it would slow down every page of the
process. `staff.papers.pdf_process` starts this module by `python -m`, and each of them ends when the other is gone.
It knows nothing of Django, nor of the shop.

A document comes in as its length in four bytes and JSON, {"html": text, "files": [paths that it may use]}; the answer
is a byte, 1 for a PDF and 0 for the reason why there is none, four bytes of length, and that.
"""

import json
import logging
import os
import select
import signal
import struct
from collections.abc import Iterable
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from PIL import ImageFile
from weasyprint import HTML, LOGGER
from weasyprint.urls import URLFetcher

# WeasyPrint sets it for the whole process, where an upload that is cut short is to be refused.
ImageFile.LOAD_TRUNCATED_IMAGES = False

# Seconds without work after which the process gives back its memory.
IDLE = 300


class OwnFiles(URLFetcher):
    """Hands out the files at these paths; whatever else a document asks for is refused, not fetched."""

    def __init__(self, paths: Iterable[Path]) -> None:
        super().__init__(allowed_protocols=("file",), allow_redirects=False)
        self.paths = set(paths)

    def fetch(self, url: str, headers: Any = None) -> Any:
        parts = urlsplit(url)
        if parts.scheme != "file" or Path(url2pathname(parts.path)) not in self.paths:
            raise ValueError("A document consists of the project's own files.")
        return super().fetch(url, headers)


def typeset(html: str, files: Iterable[Path]) -> bytes:
    """The document as a PDF; `files` are those that it may use."""
    content: bytes = HTML(string=html, url_fetcher=OwnFiles(files)).write_pdf()
    return content


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


def printed_as_boxes(text: str, stylesheet: Path) -> set[str]:
    """The characters of `text` that would be boxes in a document of that style, with the fonts of this machine."""
    boxes = Boxes()
    LOGGER.addFilter(boxes)
    try:
        typeset(f'<link rel="stylesheet" href="{stylesheet.as_uri()}"><p>{escape(text)}</p>', [stylesheet])
    finally:
        LOGGER.removeFilter(boxes)
    return boxes.characters


def answer(document: bytes) -> tuple[int, bytes]:
    try:
        given = json.loads(document)
        return 1, typeset(given["html"], map(Path, given["files"]))
    except Exception as error:  # whatever it is, the next document may do better
        return 0, f"{type(error).__name__}: {error}".encode()


def work(given: IO[bytes], made: IO[bytes]) -> None:
    """One document after another, until nobody asks any more."""
    while select.select([given], [], [], IDLE)[0]:
        try:
            (length,) = struct.unpack(">I", read(given, 4))
            is_pdf, content = answer(read(given, length))
        except EOFError:
            return
        made.write(struct.pack(">BI", is_pdf, len(content)) + content)
        made.flush()


def read(file: IO[bytes], length: int) -> bytes:
    """So many bytes. Raises EOFError where there will be no more."""
    parts: list[bytes] = []
    while length:
        part = file.read(length)
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def main() -> None:
    # Who stops a server often tells all of its processes: what is under way here is finished first.
    for sent in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sent, signal.SIG_IGN)
    # What a library prints must not get in between.
    made = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(BrokenPipeError):
        # Without a buffer, so that select() sees all that has come.
        work(os.fdopen(os.dup(0), "rb", buffering=0), made)
    # No farewell to a pipe that may be closed.
    os._exit(0)


if __name__ == "__main__":
    main()
