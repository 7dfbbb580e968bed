"""Checks for what a row may hold by itself. Rows that break one are named, with what to do, and keep it out."""

from django.db import migrations, models

from shop.database.constraints import AddCheck

STATUS = "Give each the status that it should have, such as UPDATE {table} SET status = {value} WHERE id = …."


def check(model, name, mend, **condition):
    return AddCheck(model, models.CheckConstraint(condition=models.Q(**condition), name=name), mend)


class Migration(migrations.Migration):
    # So that large tables are checked while the shop is open.
    atomic = False
    dependencies = [("shop", "0009_housekeeping")]

    operations = [
        check(
            "basket",
            "basket_status_known",
            STATUS.format(table="shop_basket", value="20 (submitted)"),
            status__in=[10, 20],
        ),
        check(
            "basketline",
            "basket_line_quantity_at_most_99",
            "UPDATE shop_basketline SET quantity = 99 WHERE quantity > 99.",
            quantity__lte=99,
        ),
        check(
            "order",
            "order_status_known",
            STATUS.format(table="shop_order", value="10 (new), 20 (paid) or 30 (done)"),
            status__in=[10, 20, 30],
        ),
        check(
            "orderline",
            "order_line_status_known",
            STATUS.format(table="shop_orderline", value="10 (new), 20 (processing), 30 (sent) or 40 (cancelled)"),
            status__in=[10, 20, 30, 40],
        ),
        check(
            "orderline",
            "order_line_price_not_negative",
            "Set the price that was charged, UPDATE shop_orderline SET price = … WHERE id = ….",
            price__gte=0,
        ),
        check(
            "product",
            "product_price_above_zero",
            "Give each its price in an office, or by UPDATE shop_product SET price = … WHERE id = …; one that nobody "
            "is to buy may be hidden there.",
            price__gt=0,
        ),
        check(
            "product",
            "product_format_known",
            "UPDATE shop_product SET format = '' WHERE id = …, or choose its format in an office.",
            format__in=["hardcover", "paperback", "ebook", "audiobook", ""],
        ),
        # It asked for less.
        migrations.RemoveConstraint(model_name="product", name="product_price_not_negative"),
    ]
