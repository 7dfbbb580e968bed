from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet, Window
from django.db.models.aggregates import Count

FURTHEST = 10**9  # beyond that databases do not count


class OneQueryPaginator(Paginator):
    """Reads a page and how many rows there are in all with one query, where the page exists."""

    object_list: QuerySet[Any]

    def get_page(self, number: Any) -> Page:
        try:
            wanted = min(max(int(number or 1), 1), FURTHEST)
        except ValueError:
            wanted = 1
        first = (wanted - 1) * self.per_page
        counted: Sequence[Any] = self.object_list.annotate(counted_in_all=Window(Count("pk")))[
            first : first + self.per_page
        ]
        if not counted:
            return super().get_page(wanted)
        self.count = counted[0].counted_in_all
        return Page(counted, wanted, self)
