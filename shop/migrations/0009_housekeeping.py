import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0008_email_proved")]

    operations = [
        migrations.CreateModel(
            name="Housekeeping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begun", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AlterModelOptions(
            name="product", options={"base_manager_name": "objects", "ordering": ("sort_name", "pk")}
        ),
        migrations.AlterModelOptions(
            name="productauthor", options={"base_manager_name": "objects", "ordering": ("position", "pk")}
        ),
        migrations.AddIndex(
            model_name="outgoingmail",
            index=models.Index(
                models.F("date_added"),
                condition=models.Q(("to", ""), _negated=True),
                name="outgoing_mail_to_forget",
            ),
        ),
        migrations.AddField(
            model_name="basket",
            name="date_updated",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False
            ),
        ),
    ]
