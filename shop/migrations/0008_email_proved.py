from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone

from shop.values.email_addresses import canonical


def staff_are_proved(apps, schema_editor):
    """Whoever works here already was let in by people who know them."""
    User = apps.get_model("shop", "User")
    has_rights = Q(is_staff=True) | Q(is_superuser=True) | ~Q(groups=None) | ~Q(user_permissions=None)
    staff = list(User.objects.filter(has_rights).values_list("pk", flat=True))
    User.objects.filter(pk__in=staff).update(email_proved_at=timezone.now())


def one_spelling(apps, schema_editor):
    """Addresses with a domain in other letters get the spelling that they are now looked up by, where it is free."""
    User = apps.get_model("shop", "User")
    for pk, email in User.objects.values_list("pk", "email").iterator():
        spelt = canonical(email)
        if not email.isascii() and spelt != email and not User.objects.filter(email=spelt).exists():
            User.objects.filter(pk=pk).update(email=spelt)


class Migration(migrations.Migration):
    dependencies = [
        ("shop", "0007_catalogue_change"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="email_proved_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="e-mail address confirmed"),
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="priority",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        # Only of new accounts: of those there are, nobody said it.
        migrations.AlterField(
            model_name="user",
            name="email_proved_at",
            field=models.DateTimeField(
                blank=True,
                default=timezone.now,
                editable=False,
                null=True,
                verbose_name="e-mail address confirmed",
            ),
        ),
        migrations.RunPython(staff_are_proved, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(one_spelling, migrations.RunPython.noop, elidable=True),
    ]
