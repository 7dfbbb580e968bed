"""What a row may hold by itself, said to the database: the models' checks, and how a migration adds one.

A field's choices and validators tell people; they do not hold for a bulk update or a statement by hand.
"""

from typing import Any

from django.core.management.base import CommandError
from django.db import models, transaction
from django.db.migrations.operations import AddConstraint
from django.db.migrations.state import ProjectState

# How many of the rows that are wrong are named.
MOST_NAMED = 20


class Check(models.CheckConstraint):
    """A check that forms leave to the fields: they say it in better words, and ask no query for each row of a form."""

    def __init__(self, name: str, condition: models.Q) -> None:
        super().__init__(name=name, condition=condition)

    def deconstruct(self) -> Any:
        _, args, kwargs = super().deconstruct()
        return "django.db.models.CheckConstraint", args, kwargs

    def validate(self, *args: Any, **kwargs: Any) -> None:
        pass


def one_of(field: str, choices: Any, name: str, blank: bool = False) -> Check:
    """The field holds one of its choices, or nothing where that is allowed."""
    return Check(name=name, condition=models.Q(**{f"{field}__in": [*choices.values, *([""] if blank else [])]}))


class AddCheck(AddConstraint):
    """AddConstraint for a table in use; `mend` tells what to do with rows that the check forbids.

    PostgreSQL checks the rows there are beside those who read and write, if the migration is not atomic. Such a one
    may be run again after it failed half-way.
    """

    atomic = False

    constraint: models.CheckConstraint

    def __init__(self, model_name: str, constraint: models.CheckConstraint, mend: str) -> None:
        super().__init__(model_name, constraint)
        self.mend = mend

    def deconstruct(self) -> Any:
        name, args, kwargs = super().deconstruct()
        return name, args, {**kwargs, "mend": self.mend}

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Raises CommandError with the rows and the mend where a row breaks the check; nothing is changed then."""
        self._put(self.constraint, to_state.apps.get_model(app_label, self.model_name), schema_editor)

    def _put(self, constraint: models.CheckConstraint, model: Any, schema_editor: Any) -> None:
        connection = schema_editor.connection
        refuse_rows(model.objects.using(connection.alias), constraint, self.mend)
        if connection.vendor != "postgresql":
            with transaction.atomic(connection.alias):
                schema_editor.add_constraint(model, constraint)
            return
        table = schema_editor.quote_name(model._meta.db_table)
        quoted = schema_editor.quote_name(constraint.name)
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {quoted}")
        schema_editor.execute(f"{constraint.create_sql(model, schema_editor)} NOT VALID", params=None)
        schema_editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted}")


class ReplaceCheck(AddCheck):
    """AddCheck in the place of the one that has its name, which comes back when the migration is undone."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.remove_constraint(app_label, self.model_name_lower, self.constraint.name)
        super().state_forwards(app_label, state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model: Any = to_state.apps.get_model(app_label, self.model_name)
        [before] = [each for each in model._meta.constraints if each.name == self.constraint.name]
        self._put(before, model, schema_editor)


def refuse_rows(rows: Any, constraint: models.CheckConstraint, mend: str) -> None:
    wrong = rows.exclude(constraint.condition).order_by("pk").values_list("pk", flat=True)
    named = ", ".join(map(str, wrong[:MOST_NAMED]))
    if named:
        label, table = rows.model._meta.verbose_name, rows.model._meta.db_table
        raise CommandError(
            f"{wrong.count()} rows of {table} break the rule {constraint.name}, which this release brings: "
            f"{label} {named}. {mend} Then run python manage.py migrate again; until then the rule does not hold."
        )
