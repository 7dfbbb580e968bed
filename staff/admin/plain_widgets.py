"""The fields of a long table of forms, written without Django's templates, which take most of such a page's time."""

from typing import Any

from django.forms.renderers import BaseRenderer, get_default_renderer
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDGETS = "django/forms/widgets/"


class PlainWidgets(BaseRenderer):
    """Renders inputs and selects as Django's templates do; leaves whatever else there is to those."""

    def get_template(self, template_name: str) -> Any:
        return get_default_renderer().get_template(template_name)

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        if template_name in INPUTS:
            return input_of(context["widget"])
        if template_name == f"{WIDGETS}select.html":
            return select_of(context["widget"])
        if template_name == "django/forms/errors/list/ul.html" and not context["errors"]:
            return ""
        return get_default_renderer().render(template_name, context, request)


INPUTS = {f"{WIDGETS}{kind}.html" for kind in ("text", "hidden", "number", "checkbox")}


def input_of(widget: dict[str, Any]) -> SafeString:
    value = {} if widget["value"] is None else {"value": str(widget["value"])}
    attributes = {"type": widget["type"], "name": widget["name"], **value, **widget["attrs"]}
    return format_html("<input{}>", flatatt(attributes))


def select_of(widget: dict[str, Any]) -> SafeString:
    options = format_html_join(
        "\n",
        "<option{}>{}</option>",
        (
            (flatatt({"value": str(option["value"]), **option["attrs"]}), option["label"])
            for _, group, _ in widget["optgroups"]
            for option in group
        ),
    )
    return format_html("<select{}>{}</select>", flatatt({"name": widget["name"], **widget["attrs"]}), options)


PLAIN_WIDGETS = PlainWidgets()
