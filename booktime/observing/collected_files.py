"""Which static files there are to collect, and whether they were."""

import filecmp
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage


def static_files() -> Iterator[tuple[str, str]]:
    """What is to be collected: its name, and where it stands; of one name the first counts, so it comes last."""
    ignored = apps.get_app_config("staticfiles").ignore_patterns  # type: ignore[attr-defined]
    for finder in reversed(list(get_finders())):
        for path, storage in finder.list(ignored):
            yield path, storage.path(path)


def is_collected(path: str, source: str) -> bool:
    collected: Any = staticfiles_storage
    hashed = collected.hashed_files.get(collected.hash_key(path))
    found = hashed and collected.exists(hashed) and collected.exists(path)
    return bool(found) and filecmp.cmp(source, collected.path(path), shallow=False)
