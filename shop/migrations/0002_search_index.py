from django.db import migrations

from shop.search import full_text


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]

    operations = [
        migrations.RunPython(lambda apps, schema_editor: full_text.install(schema_editor), migrations.RunPython.noop),
    ]
