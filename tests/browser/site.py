"""The site as browser tests see it: between two of them its database is emptied, and content types get new ids."""

from typing import Any

from booktime.asgi import application

# The first import readies Django.
from django.contrib.contenttypes.models import ContentType  # isort: skip
from django.core.signals import request_started  # isort: skip

__all__ = ["application"]


def forget_content_types(**_: Any) -> None:
    ContentType.objects.clear_cache()


request_started.connect(forget_content_types)
