"""What the documents and drawings name is there."""

import re

import pytest

from tests.servers import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
# Files and folders of the project in code marks: `shop/models/basket.py`, `booktime/serving/`.
PATH = re.compile(r"`((?:benchmarks|bin|booktime|deploy|docs|shop|staff|static|support|templates|tests)/[\w/.@-]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
# What CONTRIBUTING.md makes up to show how a page is added.
MADE_UP = {"tests/shop/test_gift_cards.py", "templates/shop/gift_cards.html"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_is_there(document):
    text = document.read_text()
    named = {ROOT / path for path in set(PATH.findall(text)) - MADE_UP}
    linked = {document.parent / path for path in LINK.findall(text)}
    assert [str(path) for path in named | linked if not path.exists()] == []


def test_the_drawing_shows_every_room():
    drawing = (ROOT / "docs/img/rooms.svg").read_text()
    rooms = {
        path.parent for app in ("booktime", "shop", "support", "staff") for path in ROOT.glob(f"{app}/*/__init__.py")
    }
    framework = {"formats", "management", "migrations", "templatetags"}
    missing = [str(room) for room in rooms if room.name not in framework and f"{room.name}/" not in drawing]
    assert missing == []
