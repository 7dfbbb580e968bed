"""Tags, authors and series by their names, made where there are none."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from shop.database.slugs import free_slugs, slug_stem


def named(model: Any, names: Iterable[str]) -> tuple[dict[str, Any], int]:
    """The rows of `model` with these names, case aside, by their names in folded case; how many had to be made."""
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(name.casefold(), name)
    if not wanted:
        return {}, 0
    found: dict[str, Any] = {}
    # Another spelling of a name has its slug, which an index finds.
    slugs_known = {slug_stem(model, name) for name in wanted.values()}
    slugs_known |= {f"{slug}-2" for slug in slugs_known & model.RESERVED}
    known = Q(name__in=wanted.values()) | Q(slug__in=slugs_known)
    for each in model.objects.filter(known).order_by("pk"):
        key = each.name.casefold()
        if key in wanted and (key not in found or each.name == wanted[key]):
            found[key] = each
    missing = [name for key, name in wanted.items() if key not in found]
    slugs = free_slugs(model, missing)
    made = model.objects.bulk_create(model(name=name, slug=slug) for name, slug in zip(missing, slugs, strict=True))
    found.update((each.name.casefold(), each) for each in made)
    return found, len(made)
