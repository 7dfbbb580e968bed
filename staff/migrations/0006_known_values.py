from django.db import migrations, models

from shop.database.constraints import AddCheck


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("staff", "0005_webhook_delivery_pending"), ("shop", "0010_known_values")]

    operations = [
        AddCheck(
            "webhookdelivery",
            models.CheckConstraint(
                condition=models.Q(kind__in=["order.paid", "order.cancelled"]), name="webhook_delivery_kind_known"
            ),
            "DELETE FROM staff_webhookdelivery WHERE id = …: nobody can be told of an event of no kind.",
        ),
    ]
