"""What the back offices search by: the beginning of a name, in capitals or not."""

from django.db import migrations

COLUMNS = [("shop_order", "billing_name"), ("shop_order", "shipping_name"), ("shop_address", "name")]


def create(apps, schema_editor):
    # The demo's SQLite searches its few orders without.
    if schema_editor.connection.vendor == "postgresql":
        for table, column in COLUMNS:
            schema_editor.execute(
                f"CREATE INDEX {table}_{column}_prefix ON {table} (upper({column}::text) text_pattern_ops)"
            )


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, column in COLUMNS:
            schema_editor.execute(f"DROP INDEX {table}_{column}_prefix")


class Migration(migrations.Migration):
    dependencies = [("staff", "0002_sales_summary"), ("shop", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]
