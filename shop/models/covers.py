from typing import Any

from django.core.files.storage import default_storage
from django.db import models
from django.db.models.functions import JSONObject

from shop.models.catalogue import ProductImage


def cover_of(product: str) -> models.Subquery:
    """{"name", "width", "height"} of the first thumbnail of the product that the field `product` points to, or None."""
    thumbnail = JSONObject(name="thumbnail", width="thumbnail_width", height="thumbnail_height")
    first = ProductImage.objects.filter(product=models.OuterRef(product)).order_by("position", "pk")
    return models.Subquery(first.values(data=thumbnail)[:1])


class Covered:
    """A line that shows its book's cover; its queryset's `for_page()` finds the picture in the same query."""

    def cover_url(self) -> str:
        cover: dict[str, Any] | None = getattr(self, "cover", None)
        return default_storage.url(cover["name"]) if cover else ""
