"""The database's own notes that the catalogue changed, however it was changed: see `shop.browsing.catalogue_cache`.

The marks that a reader sees are those of committed transactions, and no set of them comes back once it was replaced.
Whoever changes the catalogue waits for nobody because of them: marks of others that are still at work are left to the
next change. A transaction makes one mark; its changes after that it notes for itself, in a setting that goes with it.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = (
    "shop_product",
    "shop_producttag",
    "shop_product_tags",
    "shop_productimage",
    "shop_productauthor",
    "shop_author",
    "shop_series",
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
POSTGRESQL = [FUNCTION]
for table in TABLES:
    POSTGRESQL += [
        f"DROP TRIGGER IF EXISTS shop_catalogue_changed ON {table}",
        f"CREATE TRIGGER shop_catalogue_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION shop_note_catalogue()",
    ]
# Not INSERT OR REPLACE: the statement that sets a trigger off decides what happens at a conflict inside it.
MARK = (
    "DELETE FROM shop_cataloguechange; "
    "INSERT INTO shop_cataloguechange (id, mark) VALUES (1, lower(hex(randomblob(16))));"
)
SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS {table}_{event.lower()}_noted AFTER {event} ON {table} BEGIN {MARK} END"
    for table in TABLES
    for event in ("INSERT", "UPDATE", "DELETE")
]
REMOVE_POSTGRESQL = [
    *(f"DROP TRIGGER IF EXISTS shop_catalogue_changed ON {table}" for table in TABLES),
    "DROP FUNCTION IF EXISTS shop_note_catalogue",
]
REMOVE_SQLITE = [
    f"DROP TRIGGER IF EXISTS {table}_{event}_noted" for table in TABLES for event in ("insert", "update", "delete")
]


def install(connection: BaseDatabaseWrapper) -> None:
    """Put the triggers in place; once more does no harm."""
    _run(connection, POSTGRESQL if connection.vendor == "postgresql" else SQLITE)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take them away again, before the table that they write to goes."""
    _run(connection, REMOVE_POSTGRESQL if connection.vendor == "postgresql" else REMOVE_SQLITE)


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
