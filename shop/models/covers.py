from functools import lru_cache
from typing import Any

from django.core.files.storage import default_storage

# What a line's page reads of its product: descriptions and search texts are long.
SHOWN = tuple(
    f"product__{name}"
    for name in ("name", "slug", "price", "active", "in_stock", "authors_text", "stock", "available_from")
)


@lru_cache(maxsize=20_000)
def picture_address(name: str) -> str:
    """Where a stored picture is fetched from. Pictures of products are public: their addresses stay."""
    return default_storage.url(name)


class Covered:
    """A line that shows its book's cover; its queryset's `for_page()` finds the picture in the same query."""

    def cover_url(self) -> str:
        cover: dict[str, Any] | None = getattr(self, "cover", None)
        return picture_address(cover["name"]) if cover else ""
