"""Lines from before say of their books what those are now."""

from django.db import migrations, models
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from shop.database.constraints import AddCheck

# So many at once, so that nobody waits long for a line that is being described.
AT_ONCE = 5000


def describe(apps, schema_editor):
    lines = apps.get_model("shop", "OrderLine").objects.using(schema_editor.connection.alias)
    book = apps.get_model("shop", "Product").objects.filter(pk=OuterRef("product"))
    values = {name: Subquery(book.values(name)[:1]) for name in ("name", "format", "authors_text")}
    isbn = Coalesce(Subquery(book.values("isbn")[:1]), Value(""))
    newest = lines.order_by("-pk").values_list("pk", flat=True).first() or 0
    for start in range(0, newest + 1, AT_ONCE):
        lines.filter(pk__gte=start, pk__lt=start + AT_ONCE, name="").update(**values, isbn=isbn)


class Migration(migrations.Migration):
    # So that large tables are filled and checked while the shop is open.
    atomic = False
    dependencies = [("shop", "0011_line_as_ordered")]

    operations = [
        migrations.RunPython(describe, migrations.RunPython.noop),
        AddCheck(
            "orderline",
            models.CheckConstraint(
                condition=models.Q(format__in=["hardcover", "paperback", "ebook", "audiobook", ""]),
                name="order_line_format_known",
            ),
            "UPDATE shop_orderline SET format = '' WHERE id = ….",
        ),
        AddCheck(
            "order",
            models.CheckConstraint(
                condition=models.Q(delivery_price__gte=0), name="order_delivery_price_not_negative"
            ),
            "Set what delivery cost, UPDATE shop_order SET delivery_price = … WHERE id = ….",
        ),
    ]
