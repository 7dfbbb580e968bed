from decimal import Decimal

import pytest

from shop.models import VatRate
from shop.values.vat import vat_in, vat_table
from tests.factories import OrderFactory, OrderLineFactory, ProductFactory

D = Decimal


def test_vat_is_what_is_in_the_price():
    assert vat_in(D("12.00"), D(20)) == D("2.00")
    assert vat_in(D("9.99"), D(20)) == D("1.67")  # 1.665
    assert vat_in(D("9.99"), D(0)) == D("0.00")


def test_delivery_is_shared_out_among_the_rates_by_their_gross():
    rows = vat_table([(D(0), D("10.00")), (D(20), D("20.00"))], D("4.00"))
    assert [(row.percent, row.gross, row.vat, row.net) for row in rows] == [
        (D(0), D("11.33"), D("0.00"), D("11.33")),
        (D(20), D("22.67"), D("3.78"), D("18.89")),
    ]
    assert sum(row.net + row.vat for row in rows) == D("34.00")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "format", "percent"),
    [("uk", "paperback", 0), ("uk", "", 0), ("uk", "ebook", 0), ("uk", "audiobook", 20), ("us", "audiobook", None)],
)
def test_rate_counts_by_shipping_country_and_format_and_stays(country, format, percent):
    # Tests that commit empty every table, those that a migration filled, too.
    for rate_format, rate in {"": 0, "audiobook": 20}.items():
        VatRate.objects.get_or_create(country="uk", format=rate_format, defaults={"percent": rate})
    order = OrderFactory(shipping_country=country, billing_country="us" if country == "uk" else "uk")
    line = OrderLineFactory(order=order, product=ProductFactory(format=format))
    VatRate.objects.update(percent=7)
    line.refresh_from_db()
    assert line.vat_percent == (None if percent is None else D(percent))
