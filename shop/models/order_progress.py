from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from shop.models.order import OrderLine


class Stage(models.TextChoices):
    """How far an order or a line is, in words for its shopper."""

    NEW = "new", "Placed"
    PAID = "paid", "Paid"
    PROCESSING = "processing", "Packing"
    SENT = "sent", "Sent"
    CANCELLED = "cancelled", "Cancelled"


@dataclass
class Step:
    label: str
    done: bool
    current: bool


# From which stage on each step is done, and what it is called before and after.
STEPS = (
    (Stage.NEW, "Order", "Placed"),
    (Stage.PAID, "Payment", "Paid"),
    (Stage.SENT, "Packing", "Packed"),
    (Stage.SENT, "Sending", "Sent"),
)


def steps_to(stage: Stage) -> list[Step]:
    """The steps of an order, done up to `stage`; the first that is not done is the current one."""
    stages = list(Stage)
    done = [stages.index(stage) >= stages.index(since) for since, _, _ in STEPS]
    return [
        Step(after if done[number] else before, done[number], not done[number] and all(done[:number]))
        for number, (_, before, after) in enumerate(STEPS)
    ]


@dataclass(frozen=True)
class Tally:
    """What there is to count of an order's lines."""

    books: int = 0
    closed: int = 0
    price: Decimal = Decimal("0.00")
    # How many books of them are cancelled, and what of the price is not charged for that.
    called_off: int = 0
    cancelled: Decimal = Decimal("0.00")


@dataclass
class Marked:
    """What became of lines that were to be marked, by their keys: those `refused` for each reason."""

    changed: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    refused: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class OrderedBook:
    """The lines of one order that are of the same book at the same price; those that are alike as one."""

    lines: "list[OrderLine]" = field(default_factory=list)

    @property
    def line(self) -> "OrderLine":
        return self.lines[0]

    @property
    def quantity(self) -> int:
        return sum(line.alike for line in self.lines)

    @property
    def total_price(self) -> Decimal:
        return sum((line.total_price for line in self.lines), Decimal("0.00"))

    @property
    def waits_until(self) -> date | None:
        """The day before which what is left to send of it is not sent (`Product.waits_until`)."""
        is_open = any(line.status not in line.CLOSED for line in self.lines)
        return self.line.product.waits_until if is_open else None

    def parcels(self) -> list[str]:
        """What is to go out in which parcel, as the carriers call it: ["Royal Mail AB123"]."""
        packed = (line.tracking for line in self.lines if line.parcel_id is None)
        return list(dict.fromkeys(filter(None, packed)))

    def progress(self) -> list[tuple[Stage, int]]:
        """How many of it are how far, furthest last: [(Stage.PROCESSING, 1), (Stage.SENT, 2)]."""
        counts: Counter[int] = Counter()
        for line in self.lines:
            counts[line.status] += line.alike
        # A status that nobody knows says no more than that it was ordered.
        return [(self.line.STAGES.get(status, Stage.NEW), count) for status, count in sorted(counts.items())]
