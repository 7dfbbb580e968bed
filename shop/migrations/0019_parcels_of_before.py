"""What was sent before was in parcels, too; nobody is mailed of these."""

from django.db import migrations, models, transaction
from django.db.models import Max, OuterRef, Subquery

from shop.database.constraints import ReplaceCheck

SENT = 30
# The orders of so many numbers at once, so that nobody waits long for a line that is put into its parcel.
AT_ONCE = 5000
KINDS = ["placed", "begun", "paid", "not_paid", "refund", "refunded", "not_refunded", "sent", "cancelled"]


def parcels(apps, schema_editor):
    database = schema_editor.connection.alias
    lines = apps.get_model("shop", "OrderLine").objects.using(database)
    parcel = apps.get_model("shop", "Parcel")
    newest = lines.order_by("-order").values_list("order", flat=True).first() or 0
    for start in range(0, newest + 1, AT_ONCE):
        # Of one that fails half-way nothing is left.
        with transaction.atomic(database):
            loose = lines.order_by().filter(order__gte=start, order__lt=start + AT_ONCE, status=SENT, parcel=None)
            gather(loose, parcel.objects.using(database))


def gather(loose, parcels):
    found = loose.values_list("order", "carrier", "tracking_number").annotate(Max("date_updated"))
    parcels.bulk_create(
        (
            parcels.model(order_id=order, carrier=carrier, tracking_number=number, date_sent=sent)
            for order, carrier, number, sent in found.order_by("order", "carrier", "tracking_number")
        ),
        batch_size=1000,
    )
    same = {name: OuterRef(name) for name in ("order", "carrier", "tracking_number")}
    loose.update(parcel=Subquery(parcels.filter(**same).order_by("-pk").values("pk")[:1]))


def forget(apps, schema_editor):
    """The release before knows no such sentence of a story."""
    apps.get_model("shop", "OrderEvent").objects.using(schema_editor.connection.alias).filter(kind="sent").delete()


class Migration(migrations.Migration):
    # May be run again after it failed half-way.
    atomic = False
    dependencies = [("shop", "0018_parcels")]

    operations = [
        ReplaceCheck(
            "orderevent",
            models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="order_event_kind_known"),
            "DELETE FROM shop_orderevent WHERE id = …: a story tells of what has a kind.",
        ),
        migrations.RunPython(parcels, forget),
    ]
