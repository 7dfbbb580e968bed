import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

KINDS = [
    ("placed", "Placed"),
    ("begun", "Payment begun"),
    ("paid", "Paid"),
    ("not_paid", "Payment not made"),
    ("refund", "Refund begun"),
    ("refunded", "Refunded"),
    ("not_refunded", "Refund refused"),
    ("sent", "Sent"),
    ("cancelled", "Cancelled"),
]


class Migration(migrations.Migration):
    dependencies = [("shop", "0017_delivery_methods")]

    operations = [
        migrations.CreateModel(
            name="Parcel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("carrier", models.CharField(blank=True, max_length=60)),
                ("tracking_number", models.CharField(blank=True, max_length=60)),
                ("date_sent", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parcels", to="shop.order"
                    ),
                ),
            ],
            options={"ordering": ("pk",)},
        ),
        migrations.AddField(
            "orderline",
            "parcel",
            models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="lines",
                to="shop.parcel",
            ),
        ),
        migrations.AddField(
            "orderline", "packed_at", models.DateTimeField(blank=True, editable=False, null=True)
        ),
        migrations.AlterField("orderevent", "kind", models.CharField(choices=KINDS, max_length=12)),
    ]
