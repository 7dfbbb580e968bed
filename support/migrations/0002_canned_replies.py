from django.db import migrations

REPLIES = [
    ("Greeting", "Hello $name, this is $agent from BookTime. How can I help with order $order?"),
    ("Being packed", "Dear $name, order $order ($books) is being packed. You can follow each book on the order's page."),
    ("On its way", "Dear $name, your books are on their way to $city. They usually arrive within three working days."),
    ("Address", "I can change the delivery address until the parcel leaves. Where shall order $order go?"),
    ("Goodbye", "You are welcome, $name. Enjoy your books!"),
]


def add(apps, schema_editor):
    CannedReply = apps.get_model("support", "CannedReply")
    for position, (title, text) in enumerate(REPLIES):
        CannedReply.objects.create(title=title, text=text, position=position)


class Migration(migrations.Migration):
    dependencies = [("support", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
