"""The United Kingdom's VAT (HMRC, notice 701/10), the company that sells, and what is known of the money of orders from before.

Books on paper and e-books bear 0 %, audiobooks 20 %. An order that was marked as paid was paid what it costs.
"""

from django.conf import settings
from django.db import migrations
from django.db.models import DecimalField, Exists, F, OuterRef, Q, Sum

from shop.database import catalogue_triggers

RATES = {"": 0, "audiobook": 20}
PAID_FOR, CANCELLED = (20, 30), 40
# So many at once, so that nobody waits long for an order that is looked at.
AT_ONCE = 5000


def spans(rows):
    newest = rows.order_by("-pk").values_list("pk", flat=True).first() or 0
    return [{"pk__gte": start, "pk__lt": start + AT_ONCE} for start in range(0, newest + 1, AT_ONCE)]


def rates(apps, schema_editor):
    rates = apps.get_model("shop", "VatRate").objects.using(schema_editor.connection.alias)
    for format, percent in RATES.items():
        rates.get_or_create(country="uk", format=format, defaults={"percent": percent})


def company(apps, schema_editor):
    apps.get_model("shop", "Company").objects.using(schema_editor.connection.alias).get_or_create(pk=1)
    catalogue_triggers.install(schema_editor.connection, ["shop_company"])


def vat_of_lines(apps, schema_editor):
    database = schema_editor.connection.alias
    lines = apps.get_model("shop", "OrderLine").objects.using(database)
    of_uk = apps.get_model("shop", "Order").objects.using(database).filter(shipping_country="uk")
    for span in spans(lines):
        to_uk = lines.filter(Exists(of_uk.filter(pk=OuterRef("order"))), vat_percent=None, **span)
        to_uk.filter(format="audiobook").update(vat_percent=RATES["audiobook"])
        to_uk.exclude(format="audiobook").update(vat_percent=RATES[""])


def payments(apps, schema_editor):
    database = schema_editor.connection.alias
    orders = apps.get_model("shop", "Order").objects.using(database)
    payment = apps.get_model("shop", "Payment")
    known = payment.objects.using(database).filter(order=OuterRef("pk"))
    charged = Sum("lines__price", filter=~Q(lines__status=CANCELLED), output_field=DecimalField(decimal_places=2))
    for span in spans(orders):
        paid = orders.filter(~Exists(known), status__in=PAID_FOR, **span).annotate(charged=charged)
        payment.objects.using(database).bulk_create(
            payment(
                order=order,
                method="transfer",
                amount=order.charged,
                currency=settings.CURRENCY,
                status="paid",
                date_paid=order.date_updated,
            )
            for order in paid.filter(charged__gt=0).order_by("pk")
        )


class Migration(migrations.Migration):
    # May be run again after it failed half-way.
    atomic = False
    dependencies = [("shop", "0013_payments")]

    operations = [
        migrations.RunPython(rates, migrations.RunPython.noop),
        migrations.RunPython(company, migrations.RunPython.noop),
        migrations.RunPython(vat_of_lines, migrations.RunPython.noop),
        migrations.RunPython(payments, migrations.RunPython.noop),
    ]
