"""Real races: threads with database connections of their own, and the same races without what guards them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, models
from django.db.models.query import QuerySet

from staff.reports.sales_triggers import lift_triggers, restore_triggers


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls give back, or the exceptions they raise: each in a thread of its own, all at one moment."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            start.wait(timeout=120)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@contextmanager
def no_locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody waits for anybody: rows are read without a lock."""
    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "select_for_update", lambda self, *args, **kwargs: self.all())
        yield


@contextmanager
def without_unique(model: type[models.Model], name: str) -> Iterator[None]:
    """The column of the one-to-one field `name` may repeat itself for a while."""
    unique = model._meta.get_field(name)
    repeating = models.ForeignKey(unique.related_model, models.SET_NULL, null=True, db_column=unique.column)
    repeating.set_attributes_from_name(name)
    repeating.model = model
    alter(model, unique, repeating)
    try:
        yield
    finally:
        alter(model, repeating, unique)


def alter(model: type[models.Model], old: models.Field, new: models.Field) -> None:
    """As a migration does it, between its two signals."""
    lift_triggers()
    with connection.schema_editor() as editor:
        editor.alter_field(model, old, new)
    restore_triggers()
