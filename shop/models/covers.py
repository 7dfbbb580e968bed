from typing import Any

from shop.models.catalogue import picture_address

# What a line's page reads of its product: descriptions and search texts are long.
SHOWN = tuple(f"product__{name}" for name in ("name", "slug", "price", "active", "in_stock", "authors_text"))


class Covered:
    """A line that shows its book's cover; its queryset's `for_page()` finds the picture in the same query."""

    def cover_url(self) -> str:
        cover: dict[str, Any] | None = getattr(self, "cover", None)
        return picture_address(cover["name"]) if cover else ""
