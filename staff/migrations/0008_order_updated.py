from django.db import migrations, models

KINDS = [("order.paid", "Order Paid"), ("order.cancelled", "Order Cancelled"), ("order.updated", "Order Updated")]
ONCE = models.UniqueConstraint(
    condition=models.Q(("kind", "order.updated"), _negated=True),
    fields=("webhook", "kind", "order"),
    name="one_delivery_of_what_happens_once",
)


class Migration(migrations.Migration):
    dependencies = [("staff", "0007_sales_of_paid_orders")]

    operations = [
        migrations.AlterField("webhookdelivery", "kind", models.CharField(choices=KINDS, max_length=20)),
        migrations.AddConstraint("webhookdelivery", ONCE),
        migrations.RemoveConstraint("webhookdelivery", "one_delivery_a_webhook_and_event"),
    ]
