from django.db import migrations, models

from shop.database import catalogue_triggers
from shop.database.constraints import AddCheck


class Migration(migrations.Migration):
    # So that a large table is checked while the shop is open; may be run again after it failed half-way.
    atomic = False
    dependencies = [("shop", "0015_stock")]

    operations = [
        AddCheck(
            "product",
            models.CheckConstraint(
                condition=models.Q(
                    ("stock", None),
                    models.Q(("in_stock", False), ("stock", 0)),
                    models.Q(("in_stock", True), ("stock__gt", 0)),
                    _connector="OR",
                ),
                name="product_in_stock_as_counted",
            ),
            "UPDATE shop_product SET in_stock = stock > 0 WHERE stock IS NOT NULL.",
        ),
        # A sale changes how many copies are left, and nothing else that is kept of the catalogue.
        migrations.RunPython(
            lambda apps, schema_editor: catalogue_triggers.install(schema_editor.connection, ["shop_product"]),
            lambda apps, schema_editor: catalogue_triggers.install(
                schema_editor.connection, ["shop_product"], going=["stock", "available_from"]
            ),
        ),
    ]
