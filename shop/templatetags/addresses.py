"""Django's own `{% url %}` and `{% static %}`, which remember the addresses that are the same on every page.

The frame of a page names a dozen of them; to work them out again each time took a fifth of what the frame costs.
"""

from django import template
from django.conf import settings
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as parse_url
from django.templatetags.static import StaticNode
from django.urls import get_script_prefix, get_urlconf

register = template.Library()


class FixedURLNode(URLNode):
    """A `{% url %}` of literals alone: it has one address for a set of URLs below one prefix."""

    def __init__(self, node: URLNode) -> None:
        super().__init__(node.view_name, node.args, node.kwargs, node.asvar)
        self.addresses: dict[tuple[str, str | None], str] = {}

    def render(self, context: Context) -> str:
        key = get_script_prefix(), get_urlconf()
        if key not in self.addresses:
            address = super().render(context)
            self.addresses[key] = context[self.asvar] if self.asvar else address
        if not self.asvar:
            return self.addresses[key]
        context[self.asvar] = self.addresses[key]
        return ""


@register.tag
def url(parser: Parser, token: Token) -> URLNode:
    node = parse_url(parser, token)
    literals = [node.view_name, *node.args, *node.kwargs.values()]
    is_fixed = not any(literal.is_var or literal.filters for literal in literals)
    # Where a namespace leads depends on where the request is.
    return FixedURLNode(node) if is_fixed and ":" not in node.view_name.token else node


class FixedStaticNode(StaticNode):
    """A `{% static %}` of a literal: a process has one set of static files."""

    def __init__(self, node: StaticNode) -> None:
        super().__init__(node.varname, node.path)
        self.addresses: dict[tuple[str, str], str] = {}

    def url(self, context: Context) -> str:
        key = settings.STATIC_URL, settings.STORAGES["staticfiles"]["BACKEND"]
        if key not in self.addresses:
            self.addresses[key] = super().url(context)
        return self.addresses[key]


@register.tag
def static(parser: Parser, token: Token) -> StaticNode:
    node = StaticNode.handle_token(parser, token)
    return node if node.path.is_var or node.path.filters else FixedStaticNode(node)
