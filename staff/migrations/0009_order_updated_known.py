from django.db import migrations, models

from shop.database.constraints import ReplaceCheck


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("staff", "0008_order_updated")]

    operations = [
        ReplaceCheck(
            "webhookdelivery",
            models.CheckConstraint(
                condition=models.Q(kind__in=["order.paid", "order.cancelled", "order.updated"]),
                name="webhook_delivery_kind_known",
            ),
            "DELETE FROM staff_webhookdelivery WHERE id = …: nobody can be told of an event of no kind.",
        ),
    ]
