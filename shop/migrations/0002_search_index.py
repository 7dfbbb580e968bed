from django.db import migrations

from shop import search


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]

    operations = [
        migrations.RunPython(lambda apps, schema_editor: search.install(schema_editor), migrations.RunPython.noop),
    ]
