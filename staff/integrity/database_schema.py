"""Whether the database has all that the code makes in it: columns, indexes, constraints, triggers.

What should be there is read from what makes it (the models, and the SQL of triggers and search), so that nothing is
listed twice. A backup restored without them, or a statement by hand, leaves pages that show old prices, reports that
miss sales, and rows that nobody can explain.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connection
from django.db.models import CheckConstraint, Index

from shop.database import catalogue_triggers
from shop.models import CatalogueChange
from shop.search import full_text
from staff.models.sales import SalesSummary
from staff.reports import sales_triggers

FUNCTION = re.compile(r"CREATE OR REPLACE FUNCTION (\w+)\(\).*?AS \$\$(.*?)\$\$", re.DOTALL)


@dataclass(frozen=True)
class Missing:
    """What the database lacks, or has otherwise; `put_back` makes it, where that needs no backup."""

    what: str
    put_back: Callable[[], Any] | None = None


def missing() -> list[Missing]:
    """Everything that the database lacks, in the order in which it is to be put back; nothing is changed."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    models = [
        each for each in apps.get_models(include_auto_created=True) if each._meta.managed and not each._meta.proxy
    ]
    of_catalogue = catalogue_triggers.statements(connection)
    return [
        *(Missing(f"the table {model._meta.db_table}") for model in models if model._meta.db_table not in tables),
        *chain.from_iterable(missing_of(model) for model in models if model._meta.db_table in tables),
        *missing_of_search(tables),
        *missing_name_words(),
        *missing_triggers("catalogue", (of_catalogue, of_catalogue), catalogue_changes),
        *missing_triggers("sales", ([sales_triggers.POSTGRESQL], sales_triggers.SQLITE), sales_change),
    ]


def put_back(found: list[Missing]) -> set[Missing]:
    """Make what is missing, and nothing of it twice; what could not be made, as what rows there are forbids it."""
    failed: set[Callable[[], Any] | None] = {None}
    on_sqlite = connection.vendor == "sqlite"
    if on_sqlite:
        sales_triggers.lift_triggers()
    for mend in dict.fromkeys(each.put_back for each in found if each.put_back):
        try:
            mend()
        except DatabaseError:
            failed.add(mend)
    if on_sqlite:
        # What stands on a table goes when it is made anew.
        catalogue_triggers.install(connection)
        full_text.ensure_sqlite_index()
        sales_triggers.restore_triggers()
    return {each for each in found if each.put_back in failed}


def missing_of(model: Any) -> Iterator[Missing]:
    """What its table lacks of what the model says."""
    options, table = model._meta, model._meta.db_table
    with connection.cursor() as cursor:
        columns = {column.name for column in connection.introspection.get_table_description(cursor, table)}
        there: dict[str, Any] = dict(connection.introspection.get_constraints(cursor, table))
    fields = [field for field in options.local_concrete_fields if field.column]
    for field in fields:
        if field.column not in columns:
            yield Missing(f"the column {field.column} of {table}")
        for kind in needed(field):
            if not any(each["columns"] == [field.column] and each[kind] for each in there.values()):
                put_back = None if kind == "primary_key" else Remade(model, field, kind)
                yield Missing(f"{WORDS[kind]} of {table}.{field.column}", put_back)
    for together in options.unique_together:
        wanted = {options.get_field(name).column for name in together}
        if not any(each["unique"] and set(each["columns"] or ()) == wanted for each in there.values()):
            yield Missing(f"the unique constraint of {table} over {', '.join(sorted(wanted))}", Remade(model, None, ""))
    invalid = not_valid()
    for rule in [*options.constraints, *options.indexes]:
        if rule.name not in there or rule.name in invalid:
            kind = (
                "index" if isinstance(rule, Index) else "check" if isinstance(rule, CheckConstraint) else "constraint"
            )
            yield Missing(f"the {kind} {rule.name} of {table}", Added(model, rule, rule.name in there))


WORDS = {
    "primary_key": "the primary key",
    "unique": "the unique constraint",
    "index": "the index",
    "foreign_key": "the foreign key",
}


def needed(field: Any) -> Iterator[str]:
    if field.primary_key:
        yield "primary_key"
    elif field.unique:
        yield "unique"
    elif field.db_index:
        yield "index"
    if field.remote_field and field.db_constraint:
        yield "foreign_key"


def not_valid() -> set[str]:
    """Indexes and constraints that PostgreSQL has begun to make and never finished."""
    if connection.vendor != "postgresql":
        return set()
    return names(
        "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE NOT indisvalid"
        " UNION SELECT conname FROM pg_constraint WHERE NOT convalidated"
    )


def names(statement: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {row[0] for row in cursor.fetchall()}


@dataclass(frozen=True, eq=False)
class Added:
    """Makes an index or a constraint of a model."""

    model: Any
    rule: Any
    half_made: bool

    def __call__(self) -> None:
        with connection.schema_editor(atomic=connection.vendor == "sqlite") as editor:
            what = "index" if isinstance(self.rule, Index) else "constraint"
            if self.half_made:
                getattr(editor, f"remove_{what}")(self.model, self.rule)
            getattr(editor, f"add_{what}")(self.model, self.rule)


@dataclass(frozen=True, eq=False)
class Remade:
    """Makes what a field brings with it: on SQLite with its whole table."""

    model: Any
    field: Any
    kind: str

    def __call__(self) -> None:
        with connection.schema_editor() as editor:
            make: Any = editor
            if connection.vendor == "sqlite":
                make._remake_table(self.model)
            elif self.kind == "foreign_key":
                make.execute(make._create_fk_sql(self.model, self.field, "_fk_%(to_table)s_%(to_column)s"))
            elif self.kind == "index":
                make.execute(make._create_index_sql(self.model, fields=[self.field]))
            else:
                fields = [self.field] if self.field else []
                together = [self.model._meta.get_field(name) for name in chain(*self.model._meta.unique_together)]
                make.execute(make._create_unique_sql(self.model, fields or together))


def missing_of_search(tables: set[str]) -> Iterator[Missing]:
    if connection.vendor != "postgresql":
        if "shop_product_search" not in tables:
            yield Missing("the table shop_product_search", full_text.ensure_sqlite_index)
        yield from missing_triggers("search", ([], list(full_text.SQLITE_INDEX)), full_text.ensure_sqlite_index)
        return
    [(column, index)] = re.findall(
        r"ADD COLUMN (\w+) .*CREATE INDEX (\w+) ON", full_text.POSTGRESQL_INDEX, flags=re.DOTALL
    )
    there = names("SELECT indexname FROM pg_indexes WHERE tablename = 'shop_product'") - not_valid()
    if index not in there:
        yield Missing(f"the index {index} of shop_product", PutBackSearch(column))


@dataclass(frozen=True)
class PutBackSearch:
    """Makes PostgreSQL's column and index anew: together, as one statement makes them."""

    column: str

    def __call__(self) -> None:
        with connection.schema_editor() as editor:
            # Its index goes with it.
            editor.execute(f"ALTER TABLE shop_product DROP COLUMN IF EXISTS {self.column}")
            full_text.install(editor)


def missing_name_words() -> Iterator[Missing]:
    """The indexes by which the back offices find people; the demo's SQLite has none."""
    if connection.vendor != "postgresql":
        return
    made_by = import_module("staff.migrations.0004_search_words")
    there = names("SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()") - not_valid()
    for table, columns in made_by.NAMES.items():
        if f"{table}_name_words" not in there:
            yield Missing(f"the index {table}_name_words", NameWords(table, tuple(columns)))


@dataclass(frozen=True)
class NameWords:
    table: str
    columns: tuple[str, ...]

    def __call__(self) -> None:
        words = ", ".join(f"to_tsvector('simple', {column})" for column in self.columns)
        name = f"{self.table}_name_words"
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS {name}")
            cursor.execute(f"CREATE INDEX {name} ON {self.table} USING gin ({words}) WITH (fastupdate = off)")


def missing_triggers(of: str, made_by: tuple[list[str], list[str]], mend: Callable[[], Any]) -> Iterator[Missing]:
    """The triggers that these statements make, on PostgreSQL and on SQLite, and the database has not or otherwise."""
    if connection.vendor == "postgresql":
        yield from missing_of_postgresql(of, "\n;".join(made_by[0]), mend)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        there = {name: same_words(sql) for name, sql in cursor.fetchall()}
    for statement in made_by[1]:
        if found := re.match(r"CREATE TRIGGER (?:IF NOT EXISTS )?(\w+) .*? ON (\w+)", statement):
            name, table = found.groups()
            if there.get(name) != same_words(statement):
                yield Missing(f"the trigger {name} of {table}, for {of}", mend)


def same_words(statement: str) -> str:
    return " ".join(statement.replace("IF NOT EXISTS ", "").split())


def missing_of_postgresql(of: str, script: str, mend: Callable[[], Any]) -> Iterator[Missing]:
    with connection.cursor() as cursor:
        # D is one that somebody switched off.
        cursor.execute(
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        )
        triggers = set(cursor.fetchall())
        cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace")
        functions = dict(cursor.fetchall())
    for name, table in re.findall(r"CREATE TRIGGER (\w+)\s.*?\sON (\w+)", script, flags=re.DOTALL):
        if (name, table) not in triggers:
            yield Missing(f"the trigger {name} of {table}, for {of}", mend)
    for name, body in FUNCTION.findall(script):
        if functions.get(name) != body:
            yield Missing(f"the function {name}, for {of}", mend)


def catalogue_changes() -> None:
    """Put its triggers back; whatever changed without them counts as changed now."""
    catalogue_triggers.remove(connection)
    catalogue_triggers.install(connection)
    CatalogueChange.objects.all().delete()
    CatalogueChange.objects.create(mark=uuid.uuid4(), **({"pk": 1} if connection.vendor == "sqlite" else {}))


def sales_change() -> None:
    """Put its triggers back; the next report counts everything anew, as after a change of the time zone."""
    sales_triggers.remove(connection)
    sales_triggers.install(connection)
    SalesSummary.objects.update(time_zone="")
