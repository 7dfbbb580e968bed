"""The database's own notes that the catalogue changed, however it was changed: see `shop.browsing.catalogue_cache`.

The marks that a reader sees are those of committed transactions, and no set of them comes back once it was replaced.
Whoever changes the catalogue waits for nobody because of them: marks of others that are still at work are left to the
next change. A transaction makes one mark; its changes after that it notes for itself, in a setting that goes with it.
How many copies are left is no such change, as each sale makes it: what shows a count reads it anew.
"""

from collections.abc import Iterable
from itertools import chain

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = (
    "shop_product",
    "shop_producttag",
    "shop_product_tags",
    "shop_productimage",
    "shop_productauthor",
    "shop_author",
    "shop_series",
    # Who sells stands at the foot of every page.
    "shop_company",
)

FUNCTION = """
CREATE OR REPLACE FUNCTION shop_note_catalogue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF split_part(current_setting('shop.catalogue_noted', true), ' ', 1)
        IS DISTINCT FROM pg_current_xact_id()::text
    THEN
        DELETE FROM shop_cataloguechange
            WHERE id IN (SELECT id FROM shop_cataloguechange FOR UPDATE SKIP LOCKED);
        INSERT INTO shop_cataloguechange (mark) VALUES (gen_random_uuid());
    END IF;
    PERFORM set_config(
        'shop.catalogue_noted', pg_current_xact_id() || ' ' || nextval('shop_cataloguechange_id_seq'), true
    );
    RETURN NULL;
END $$
"""
# Not INSERT OR REPLACE: the statement that sets a trigger off decides what happens at a conflict inside it.
MARK = (
    "DELETE FROM shop_cataloguechange; "
    "INSERT INTO shop_cataloguechange (id, mark) VALUES (1, lower(hex(randomblob(16))));"
)
# What changes unnoted, by table.
UNNOTED = {"shop_product": {"stock"}}


def statements(connection: BaseDatabaseWrapper, tables: Iterable[str] = TABLES, going: Iterable[str] = ()) -> list[str]:
    """The SQL that puts the triggers on those of the tables that there are; a new column of a book needs it anew.

    Columns that are `going` are left out: PostgreSQL drops a trigger with a column that it names.
    """
    there = tables_in(connection)
    events = {table: ["INSERT", _update_of(connection, table, going), "DELETE"] for table in tables if table in there}
    if connection.vendor == "postgresql":
        return [FUNCTION, *chain.from_iterable(_on_postgresql(table, events[table]) for table in events)]
    return [*chain.from_iterable(_on_sqlite(table, events[table]) for table in events)]


def _update_of(connection: BaseDatabaseWrapper, table: str, going: Iterable[str]) -> str:
    if table not in UNNOTED:
        return "UPDATE"
    with connection.cursor() as cursor:
        there = connection.introspection.get_table_description(cursor, table)
    columns = [column.name for column in there if column.name not in going]
    noted = [connection.ops.quote_name(name) for name in columns if name not in UNNOTED[table]]
    # Where there is no count, every change is noted.
    return "UPDATE" if len(noted) == len(columns) else f"UPDATE OF {', '.join(noted)}"


def _on_postgresql(table: str, events: list[str]) -> list[str]:
    return [
        f"DROP TRIGGER IF EXISTS shop_catalogue_changed ON {table}",
        f"CREATE TRIGGER shop_catalogue_changed AFTER {' OR '.join(events)} OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION shop_note_catalogue()",
    ]


def _on_sqlite(table: str, events: list[str]) -> list[str]:
    made = []
    for event in events:
        name = f"{table}_{event.split()[0].lower()}_noted"
        made += [
            f"DROP TRIGGER IF EXISTS {name}",
            f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {MARK} END",
        ]
    return made


def install(connection: BaseDatabaseWrapper, tables: Iterable[str] = TABLES, going: Iterable[str] = ()) -> None:
    """Put the triggers in place (`statements`); once more does no harm."""
    _run(connection, statements(connection, tables, going))


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take them away again, before the table that they write to goes."""
    there = [table for table in TABLES if table in tables_in(connection)]
    if connection.vendor == "postgresql":
        dropped = [f"DROP TRIGGER IF EXISTS shop_catalogue_changed ON {table}" for table in there]
        _run(connection, [*dropped, "DROP FUNCTION IF EXISTS shop_note_catalogue"])
    else:
        events = ("insert", "update", "delete")
        _run(connection, [f"DROP TRIGGER IF EXISTS {table}_{event}_noted" for table in there for event in events])


def tables_in(connection: BaseDatabaseWrapper) -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
