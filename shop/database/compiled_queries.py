"""Queries that are put together once and run many times.

Django builds a queryset and its SQL anew for each request, and a model instance for each row. On the pages that most
people look at most of the time that took longer than all else. So their querysets are turned into SQL at their first
use, with a `Placeholder` where a value is to come, and their rows are plain tuples.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, models


class Placeholder(models.Expression):
    """The place, in the queryset of a `CompiledQuery`, of the value that `rows()` is given under this name."""

    output_field = models.TextField()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class CompiledQuery:
    """The SQL of the querysets that `build` gives, one for each `shape`: whatever arguments it takes.

    Each must end in `values_list()`. A shape is what makes another statement (an order, a number of words), not what
    is looked for: only so many shapes are remembered.
    """

    def __init__(self, build: "Callable[..., models.QuerySet[Any, Any]]") -> None:
        self.build = build
        self._compiled = lru_cache(maxsize=500)(self._compile)

    def _compile(self, vendor: str, shape: tuple[Any, ...]) -> tuple[Any, str, tuple[Any, ...], dict[int, Any]]:
        compiler = self.build(*shape).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([column[0] for column in compiler.select])
        return compiler, sql, params, converters

    def rows(self, *shape: Any, **values: Any) -> Iterator[tuple[Any, ...]]:
        """What the database holds now."""
        compiler, sql, params, converters = self._compiled(connection.vendor, shape)
        rows = _run(sql, params, values)
        return compiler.apply_converters(rows, converters) if converters else iter(rows)

    def count(self, *shape: Any, **values: Any) -> int:
        """How many rows there are, for a shape whose order does not matter."""
        _, sql, params, _ = self._compiled(connection.vendor, shape)
        return _run(f"SELECT COUNT(*) FROM ({sql}) found", params, values)[0][0]  # noqa: S608  # of our own making


def _run(sql: str, params: tuple[Any, ...], values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [values[param.name] if isinstance(param, Placeholder) else param for param in params])
        return cursor.fetchall()
