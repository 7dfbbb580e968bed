"""What the back offices search by: the words of a name, and the beginnings of them."""

from django.db import migrations

NAMES = {
    "shop_order": ("billing_name", "shipping_name"),
    "shop_address": ("name",),
    "shop_user": ("first_name", "last_name"),
}
# Since these an order is found by any word of a name; before it was by the first alone.
PREFIXES = [("shop_order", "billing_name"), ("shop_order", "shipping_name"), ("shop_address", "name")]


def create(apps, schema_editor):
    # The demo's SQLite searches its few orders without.
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, columns in NAMES.items():
        words = ", ".join(f"to_tsvector('simple', {column})" for column in columns)
        schema_editor.execute(f"CREATE INDEX {table}_name_words ON {table} USING gin ({words}) WITH (fastupdate = off)")
    for table, column in PREFIXES:
        schema_editor.execute(f"DROP INDEX {table}_{column}_prefix")


def drop(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, column in PREFIXES:
        schema_editor.execute(
            f"CREATE INDEX {table}_{column}_prefix ON {table} (upper({column}::text) text_pattern_ops)"
        )
    for table in NAMES:
        schema_editor.execute(f"DROP INDEX {table}_name_words")


class Migration(migrations.Migration):
    dependencies = [("staff", "0003_search_indexes")]

    operations = [migrations.RunPython(create, drop)]
