"""VAT that is in a price: prices include it, and a paper shows how much it is."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from shop.values.money import ZERO, rounded, shared

HUNDRED = Decimal(100)


def vat_in(gross: Decimal, percent: Decimal) -> Decimal:
    """What of `gross` is VAT at a rate, to the penny, half a penny up."""
    return rounded(gross * percent / (HUNDRED + percent))


@dataclass(frozen=True)
class VatRow:
    """What was charged at one rate; `percent` is None where no rate is known."""

    percent: Decimal | None
    gross: Decimal

    @property
    def vat(self) -> Decimal:
        return vat_in(self.gross, self.percent or Decimal(0))

    @property
    def net(self) -> Decimal:
        return self.gross - self.vat


def vat_table(charged: Iterable[tuple[Decimal | None, Decimal]], delivery: Decimal = ZERO) -> list[VatRow]:
    """A row for each rate, the lowest first, of what was charged as (percent, gross) each.

    Delivery is charged at the rates of what is delivered, shared out by their gross.
    """
    sums: dict[Decimal | None, Decimal] = defaultdict(lambda: ZERO)
    for percent, gross in charged:
        sums[percent] += gross
    rates = sorted(sums, key=lambda percent: (percent is not None, percent or 0))
    parts = shared(delivery, [sums[rate] for rate in rates])
    return [VatRow(rate, sums[rate] + part) for rate, part in zip(rates, parts, strict=True)]
