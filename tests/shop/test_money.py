from decimal import Decimal

import pytest

from shop.values.money import currency_symbol, from_pence, in_pence, money, rounded, shared

D = Decimal


@pytest.mark.parametrize(
    ("currency", "text", "symbol"),
    [
        ("GBP", "£1,234.50", "£"),
        ("USD", "$1,234.50", "$"),
        ("EUR", "€1,234.50", "€"),
        ("SEK", "1\N{NO-BREAK SPACE}234,50\N{NO-BREAK SPACE}kr", "kr"),
    ],
)
def test_amounts_are_written_as_in_the_currencys_country(settings, currency, text, symbol):
    settings.CURRENCY = currency
    assert money(D("1234.5")) == text
    assert currency_symbol() == symbol


def test_amounts_below_a_penny_and_below_nothing_are_written():
    assert money(D(0)) == "£0.00"
    assert money(D("-0.05")) == "-£0.05"


def test_half_a_penny_is_rounded_up():
    assert [rounded(D(text)) for text in ("0.005", "0.015", "2.675", "0.0049")] == [
        D("0.01"),
        D("0.02"),
        D("2.68"),
        D("0.00"),
    ]


def test_pence_are_whole():
    assert in_pence(D("12.34")) == 1234
    assert from_pence(1234) == D("12.34")
    with pytest.raises(ValueError, match=r"12\.345 is no whole number of pence"):
        in_pence(D("12.345"))


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        ("10.00", ["1", "1", "1"], ["3.34", "3.33", "3.33"]),
        ("0.01", ["5.00", "5.00"], ["0.01", "0.00"]),
        ("0.02", ["1.00", "98.00", "1.00"], ["0.00", "0.02", "0.00"]),
        ("4.99", ["8.99", "12.50"], ["2.09", "2.90"]),
        ("3.00", ["0.00", "0.00"], ["3.00", "0.00"]),
        ("0.00", ["1.00"], ["0.00"]),
        ("1.00", [], []),
    ],
)
def test_a_sum_is_shared_out_to_the_penny(amount, weights, parts):
    assert shared(D(amount), [D(weight) for weight in weights]) == [D(part) for part in parts]
