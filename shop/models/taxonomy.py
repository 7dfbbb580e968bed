"""What books are grouped by: subjects (tags), authors, series. Each has a name, and a page of its own."""

from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.urls import get_script_prefix, reverse

from shop.database.slugs import free_slugs


@cache
def _address_around(view: str, script_prefix: str) -> tuple[str, str]:
    before, _, after = reverse(view, args=["SLUG"]).rpartition("SLUG")
    return before, after


def address_around(view: str) -> tuple[str, str]:
    """What stands before and after the slug in the addresses of a view.

    A page links to a hundred books and subjects, and reverse() takes longer than all else that is shown of one.
    """
    return _address_around(view, get_script_prefix())


class Named(models.Model):
    """Something with a name and an address of its own; the address is made from the name and then stays.

    A `products` relation, where there is one, is told when the name changes: its products are found by it.
    """

    detail_view: ClassVar[str]
    # Slugs whose address is another page's.
    RESERVED: ClassVar[frozenset[str]] = frozenset()

    name = models.CharField(max_length=300)
    slug = models.SlugField(max_length=100, unique=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.slug in self.RESERVED:
            sentence = f"“{self.slug}” is the address of another page: choose another one, such as {self.slug}-books."
            raise ValidationError({"slug": sentence})

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.slug:
            [self.slug] = free_slugs(type(self), [self.name], self.pk)
        super().save(*args, **kwargs)

    @classmethod
    def products_of(cls, pks: Iterable[int]) -> Any:
        """The products that tags, authors or series with these keys belong to."""
        relation: Any = cls._meta.get_field("products")
        products = relation.related_model.objects
        return products.filter(pk__in=products.order_by().filter(**{f"{relation.field.name}__in": pks}).values("pk"))

    def get_absolute_url(self) -> str:
        before, after = address_around(self.detail_view)
        return f"{before}{self.slug}{after}"


class NamedQuerySet(models.QuerySet[Any]):
    def update(self, **values: Any) -> int:
        """Django's own; products are found by the new name."""
        if "name" not in values:
            return super().update(**values)
        with transaction.atomic():
            renamed = list(self.order_by().values_list("pk", flat=True))
            updated = super().update(**values)
            self.model.products_of(renamed).refresh_derived()
        return updated


class ProductTagQuerySet(NamedQuerySet):
    def active(self) -> "ProductTagQuerySet":
        return self.filter(active=True)


class ProductTagManager(models.Manager["ProductTag"]):
    def get_by_natural_key(self, slug: str) -> "ProductTag":
        return self.get(slug=slug)


class ProductTag(Named):
    detail_view = "product_list"
    # The list of every book.
    RESERVED = frozenset(("all",))

    name = models.CharField(max_length=60)
    description = models.TextField(blank=True)
    active = models.BooleanField(default=True)

    objects = ProductTagManager.from_queryset(ProductTagQuerySet)()

    class Meta:
        ordering = ("name",)

    def natural_key(self) -> tuple[str]:
        return (self.slug,)


class Author(Named):
    detail_view = "author_detail"

    name = models.CharField(max_length=120)

    objects = NamedQuerySet.as_manager()

    class Meta:
        ordering = ("name",)


class Series(Named):
    detail_view = "series_detail"

    name = models.CharField(max_length=200)

    objects = NamedQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "series"
