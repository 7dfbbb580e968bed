"""What each role may do in the back offices and the REST API."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Group, Permission

from shop.models import User

# Group -> "app.codename" of its permissions.
ROLES: dict[str, tuple[str, ...]] = {
    User.EMPLOYEES: (
        "shop.view_product", "shop.add_product", "shop.change_product",
        "shop.view_producttag", "shop.add_producttag", "shop.change_producttag",
        "shop.view_productimage", "shop.add_productimage", "shop.change_productimage", "shop.delete_productimage",
        "shop.view_author", "shop.add_author", "shop.change_author",
        "shop.view_series", "shop.add_series", "shop.change_series",
        "shop.view_productauthor", "shop.add_productauthor", "shop.change_productauthor", "shop.delete_productauthor",
        "shop.view_address", "shop.add_address", "shop.change_address", "shop.delete_address",
        "shop.view_deliverymethod", "shop.add_deliverymethod", "shop.change_deliverymethod",
        "shop.delete_deliverymethod",
        "shop.view_deliveryband", "shop.add_deliveryband", "shop.change_deliveryband", "shop.delete_deliveryband",
        "shop.view_order", "shop.change_order",
        "shop.view_orderline", "shop.add_orderline", "shop.change_orderline", "shop.delete_orderline",
    ),
    User.DISPATCHERS: (
        "shop.view_order", "shop.change_order", "shop.view_orderline", "shop.change_orderline",
        "shop.view_product", "shop.change_product",
    ),
}  # fmt: skip


def create_roles(**kwargs: Any) -> None:
    """Make the groups that are missing, with their permissions; a group that exists stays as its owner left it."""
    for name, permissions in ROLES.items():
        group, created = Group.objects.get_or_create(name=name)
        if created:
            codenames = [permission.split(".")[1] for permission in permissions]
            group.permissions.set(Permission.objects.filter(content_type__app_label="shop", codename__in=codenames))


def missing_groups() -> list[str]:
    """The groups that are not there, as after somebody renamed one: whoever is in it then has no role."""
    there = Group.objects.filter(name__in=ROLES).values_list("name", flat=True)
    return sorted(ROLES.keys() - set(there))


def other_permissions() -> Iterator[tuple[str, list[str], list[str]]]:
    """Each group that may do something else than its role: its name, what it may beside it, and what it lacks."""
    for group in Group.objects.filter(name__in=ROLES).order_by("name"):
        pairs = group.permissions.values_list("content_type__app_label", "codename")
        may, should = {f"{app}.{codename}" for app, codename in pairs}, set(ROLES[group.name])
        if may != should:
            yield group.name, sorted(may - should), sorted(should - may)
