"""What an order's lines say of their books stays as it was when it was ordered: see the next migration."""

from decimal import Decimal

from django.db import migrations, models

FORMATS = [("hardcover", "Hardcover"), ("paperback", "Paperback"), ("ebook", "E-book"), ("audiobook", "Audiobook")]


class Migration(migrations.Migration):
    dependencies = [("shop", "0010_known_values")]

    operations = [
        migrations.AddField(
            "order", "delivery_name", models.CharField(blank=True, default="", db_default="", editable=False, max_length=100)
        ),
        migrations.AddField(
            "order",
            "delivery_price",
            models.DecimalField(
                db_default=Decimal("0.00"), decimal_places=2, default=Decimal("0.00"), editable=False, max_digits=8
            ),
        ),
        migrations.AddField(
            "orderline", "name", models.CharField(blank=True, default="", db_default="", editable=False, max_length=300)
        ),
        migrations.AddField(
            "orderline", "isbn", models.CharField("ISBN", blank=True, default="", db_default="", editable=False, max_length=17)
        ),
        migrations.AddField(
            "orderline",
            "format",
            models.CharField(blank=True, choices=FORMATS, default="", db_default="", editable=False, max_length=10),
        ),
        migrations.AddField(
            "orderline",
            "authors_text",
            models.CharField("authors", blank=True, default="", db_default="", editable=False, max_length=500),
        ),
    ]
