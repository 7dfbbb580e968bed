"""Rows as no verb of ours writes them, and databases without what keeps such rows out."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models


def by_sql(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def unchecked(*constrained: type[models.Model]) -> Iterator[None]:
    """The checks of these models do not hold in here; on PostgreSQL until the test's transaction ends."""
    if connection.vendor == "sqlite":
        by_sql("PRAGMA ignore_check_constraints = ON")
        try:
            yield
        finally:
            by_sql("PRAGMA ignore_check_constraints = OFF")
        return
    by_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for model in constrained:
        for constraint in model._meta.constraints:
            if isinstance(constraint, models.CheckConstraint):
                by_sql(f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT IF EXISTS {constraint.name}")
    yield


def set_column(row: models.Model, **values) -> None:
    """Write into the row by SQL what no check would let in."""
    with unchecked(type(row)):
        columns = ", ".join(f"{column} = %s" for column in values)
        statement = f"UPDATE {row._meta.db_table} SET {columns} WHERE id = %s"  # noqa: S608
        by_sql(statement, *values.values(), row.pk)
