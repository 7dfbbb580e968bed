"""Tags, authors and series by their names, and slugs for many new rows at once."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from shop.models.catalogue import slug_stem


def free_slugs(model: Any, names: Iterable[str]) -> list[str]:
    """A slug for each of `names`, all different and none in the table of `model`."""
    stems = [slug_stem(model, name) for name in names]
    taken = set(model.objects.filter(slug__in=stems).values_list("slug", flat=True))
    numbered: dict[str, int] = {}
    slugs = []
    for stem in stems:
        slug = stem
        if slug in taken:
            if stem not in numbered:
                numbered[stem] = 1
                taken.update(model.objects.filter(slug__startswith=f"{stem}-").values_list("slug", flat=True))
            while slug in taken:
                numbered[stem] += 1
                slug = f"{stem}-{numbered[stem]}"
        taken.add(slug)
        slugs.append(slug)
    return slugs


def named(model: Any, names: Iterable[str]) -> tuple[dict[str, Any], int]:
    """The rows of `model` with these names, case aside, by their names in folded case; how many had to be made."""
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(name.casefold(), name)
    if not wanted:
        return {}, 0
    found: dict[str, Any] = {}
    # Another spelling of a name has its slug, which an index finds.
    known = Q(name__in=wanted.values()) | Q(slug__in={slug_stem(model, name) for name in wanted.values()})
    for each in model.objects.filter(known).order_by("pk"):
        key = each.name.casefold()
        if key in wanted and (key not in found or each.name == wanted[key]):
            found[key] = each
    missing = [name for key, name in wanted.items() if key not in found]
    slugs = free_slugs(model, missing)
    made = model.objects.bulk_create(model(name=name, slug=slug) for name, slug in zip(missing, slugs, strict=True))
    found.update((each.name.casefold(), each) for each in made)
    return found, len(made)
