"""Subjects as HTML, written here because every page of a list shows fifty of them.

Unlike cards they are not kept rendered: where they lead depends on what is looked for.
"""

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe

from shop.browsing.listing import Subject
from shop.models import ProductTag
from shop.models.taxonomy import address_around

register = template.Library()


@register.simple_tag
def tag_links(tags: Iterable[Subject], current: Subject | None = None, search: str = "") -> SafeString:
    """List items that link to `tags`, each with the query string `search`; `current` is marked as the one shown."""
    links = []
    before, after = address_around(ProductTag.detail_view)
    for tag in tags:
        mark = ' aria-current="page"' if tag is current else ""
        links.append(f'<li><a href="{before}{tag.slug}{after}{escape(search or "")}"{mark}>{escape(tag.name)}</a></li>')
    return mark_safe("\n".join(links))
