"""Amounts of the shop's one currency: how they are written, rounded and shared out.

An amount is a `Decimal` with two decimals, as every currency has that `CURRENCY` may name.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from math import floor

from babel import Locale
from babel.core import UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol, is_currency
from django.conf import settings

PENNY = Decimal("0.01")
ZERO = Decimal("0.00")
DECIMALS = 2


def is_known(currency: str) -> bool:
    """Whether amounts can be in it: an ISO 4217 code of a currency with two decimals."""
    return currency.isupper() and is_currency(currency) and get_currency_precision(currency) == DECIMALS


@cache
def locale_of(currency: str) -> Locale:
    """Whose way to write numbers a currency has: that of the country which its ISO 4217 code begins with."""
    try:
        return Locale.parse(f"und_{currency[:2]}")
    except UnknownLocaleError:  # the euro and others that no single country has
        return Locale.parse("en_IE")


def money(amount: Decimal) -> str:
    """An amount as people read it: "£1,234.50", or "1 234,50 kr" where `CURRENCY` is SEK."""
    return written(amount, settings.CURRENCY)


@lru_cache(maxsize=10_000)
def written(amount: Decimal, currency: str) -> str:
    return str(format_currency(amount, currency, locale=locale_of(currency)))


def currency_symbol() -> str:
    """What stands for the currency at the head of a column: "£"."""
    return str(get_currency_symbol(settings.CURRENCY, locale=locale_of(settings.CURRENCY)))


def rounded(amount: Decimal) -> Decimal:
    """To the penny, half a penny up (away from nothing)."""
    return amount.quantize(PENNY, ROUND_HALF_UP)


def in_pence(amount: Decimal) -> int:
    """How many pence that is, as providers write amounts. Raises ValueError for a part of a penny."""
    pence = amount.scaleb(DECIMALS)
    if pence != int(pence):
        raise ValueError(f"{amount} is no whole number of pence.")
    return int(pence)


def from_pence(pence: int) -> Decimal:
    return Decimal(pence).scaleb(-DECIMALS)


def shared(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """`amount` in parts of whole pence, in proportion to `weights` (none below 0), that add up to it.

    What is left after rounding down goes, a penny each, to those that lost most by it (the largest remainder method);
    of those that lost the same, to the first. Where nothing weighs anything the first takes all.
    """
    whole = sum(weights)
    if not whole:
        return [amount, *[ZERO] * (len(weights) - 1)] if weights else []
    pence = in_pence(amount)
    exact = [pence * weight / whole for weight in weights]
    parts = [floor(part) for part in exact]
    by_loss = sorted(range(len(parts)), key=lambda number: parts[number] - exact[number])
    for number in by_loss[: pence - sum(parts)]:
        parts[number] += 1
    return [from_pence(part) for part in parts]
