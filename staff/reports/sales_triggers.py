"""The database's own notes of which orders changed: see `staff.models.sales`.

A line's progress is no such change, but for its being cancelled (40); nor is an order's, but for its being paid, which
new ones (10) are not.
"""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

POSTGRESQL = """
CREATE OR REPLACE FUNCTION staff_note_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.date_added, OLD.status = 10) IS NOT DISTINCT FROM (NEW.date_added, NEW.status = 10)
        THEN RETURN NULL; END IF;
    END IF;
    IF TG_OP <> 'INSERT' THEN INSERT INTO staff_saleschange (moment) VALUES (OLD.date_added); END IF;
    IF TG_OP <> 'DELETE' THEN INSERT INTO staff_saleschange (moment) VALUES (NEW.date_added); END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION staff_note_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.price, OLD.product_id, OLD.order_id, OLD.status = 40)
           IS NOT DISTINCT FROM (NEW.price, NEW.product_id, NEW.order_id, NEW.status = 40)
        THEN RETURN NULL; END IF;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO staff_saleschange (moment) SELECT date_added FROM shop_order WHERE id = OLD.order_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO staff_saleschange (moment) SELECT date_added FROM shop_order WHERE id = NEW.order_id;
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS staff_order_changed ON shop_order;
CREATE TRIGGER staff_order_changed AFTER INSERT OR DELETE OR UPDATE OF date_added, status ON shop_order
    FOR EACH ROW EXECUTE FUNCTION staff_note_order();
DROP TRIGGER IF EXISTS staff_line_changed ON shop_orderline;
CREATE TRIGGER staff_line_changed
    AFTER INSERT OR DELETE OR UPDATE OF price, status, product_id, order_id ON shop_orderline
    FOR EACH ROW EXECUTE FUNCTION staff_note_line();
"""

OF_ORDER = "INSERT INTO staff_saleschange (moment) VALUES ({row}.date_added);"
OF_LINE = "INSERT INTO staff_saleschange (moment) SELECT date_added FROM shop_order WHERE id = {row}.order_id;"
ORDER_CHANGED = "WHEN (OLD.date_added, OLD.status = 10) IS NOT (NEW.date_added, NEW.status = 10)"
LINE_CHANGED = (
    "WHEN (OLD.price, OLD.product_id, OLD.order_id, OLD.status = 40)"
    " IS NOT (NEW.price, NEW.product_id, NEW.order_id, NEW.status = 40)"
)
SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS staff_{table}_{event} AFTER {event.upper()} ON shop_{table} {when} BEGIN "
    + " ".join(note.format(row=row) for row in rows)
    + " END"
    for table, note, changed in (
        ("order", OF_ORDER, ORDER_CHANGED),
        ("orderline", OF_LINE, LINE_CHANGED),
    )
    for event, rows, when in (
        ("insert", ("NEW",), ""),
        ("delete", ("OLD",), ""),
        ("update", ("OLD", "NEW"), changed),
    )
]
REMOVE_POSTGRESQL = [
    "DROP TRIGGER IF EXISTS staff_order_changed ON shop_order",
    "DROP TRIGGER IF EXISTS staff_line_changed ON shop_orderline",
    "DROP FUNCTION IF EXISTS staff_note_order, staff_note_line",
]
REMOVE_SQLITE = [
    f"DROP TRIGGER IF EXISTS staff_{table}_{event}"
    for table in ("order", "orderline")
    for event in ("insert", "update", "delete")
]


def install(connection: BaseDatabaseWrapper) -> None:
    """Put the triggers in place; once more does no harm."""
    with connection.cursor() as cursor:
        for statement in [POSTGRESQL] if connection.vendor == "postgresql" else SQLITE:
            cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take them away again, as the tables that they write to go."""
    with connection.cursor() as cursor:
        for statement in REMOVE_POSTGRESQL if connection.vendor == "postgresql" else REMOVE_SQLITE:
            cursor.execute(statement)


def lift_triggers(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Django alters a SQLite table by making it anew, which triggers that name it forbid: this runs before."""
    if connections[using].vendor == "sqlite":
        remove(connections[using])


def restore_triggers(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Put back what `lift_triggers` took away, after every migration."""
    connection = connections[using]
    tables = connection.introspection.table_names()
    if connection.vendor == "sqlite" and {"shop_order", "shop_orderline", "staff_saleschange"} <= set(tables):
        install(connection)
