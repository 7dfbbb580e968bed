"""Addresses made from names."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.text import slugify

from shop.search.folding import fold

SLUG_LENGTH = 80


def slug_stem(model: type[models.Model], name: str) -> str:
    """What the slugs of all that are called `name` begin with."""
    return slugify(fold(name))[:SLUG_LENGTH].strip("-") or model._meta.model_name or "item"


def free_slugs(model: Any, names: Iterable[str], instance_pk: Any = None) -> list[str]:
    """A slug for each of `names`, all different and none that another row or page has: "emma", "emma-2"."""
    stems = [slug_stem(model, name) for name in names]
    others = model.objects.exclude(pk=instance_pk)
    taken = set(others.filter(slug__in=stems).values_list("slug", flat=True))
    taken |= model.RESERVED
    numbered: dict[str, int] = {}
    slugs = []
    for stem in stems:
        slug = stem
        if slug in taken:
            if stem not in numbered:
                numbered[stem] = 1
                taken.update(others.filter(slug__startswith=f"{stem}-").values_list("slug", flat=True))
            while slug in taken:
                numbered[stem] += 1
                slug = f"{stem}-{numbered[stem]}"
        taken.add(slug)
        slugs.append(slug)
    return slugs
