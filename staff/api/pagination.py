from typing import Any

from django.core.paginator import Page, Paginator
from rest_framework.pagination import PageNumberPagination


class DeepPaginator(Paginator):
    """Pages whose last is as quick as the first.

    Only ids are walked to reach a page, and from whichever end is nearer; the rows are read for that page alone.
    """

    def page(self, number: int | str) -> Page:
        number = self.validate_number(number)
        bottom = (number - 1) * self.per_page
        top = min(bottom + self.per_page, self.count)
        rows: Any = self.object_list
        ids = rows.values("pk")
        from_the_end = bottom > self.count // 2
        ids = ids.reverse()[self.count - top : self.count - bottom] if from_the_end else ids[bottom:top]
        return Page(rows.filter(pk__in=ids), number, self)


class DispatchPagination(PageNumberPagination):
    page_size = 100
    django_paginator_class = DeepPaginator
    page_query_description = "1 and onwards, or `last`; follow `next`."
    invalid_page_message = "There is no such page."

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        [page] = super().get_schema_operation_parameters(view)
        return [page | {"schema": {"anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["", "last"]}]}}]

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {"count": {"type": "integer"}, "next": link, "previous": link, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}
