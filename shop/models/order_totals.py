from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import models

from shop.models.order_line import OrderLine
from shop.models.order_progress import OrderedBook, Tally
from shop.values.money import ZERO


def summed_up(counts: Mapping[str, int]) -> str:
    """Books and how many of each, in a line: "2 x Siddhartha, 1 x Emma"."""
    return ", ".join(f"{count} x {name}" for name, count in counts.items())


def by_book(lines: Iterable[OrderLine]) -> list[OrderedBook]:
    """Lines of an order by book and price, in their sequence."""
    books: dict[tuple[int, Decimal], OrderedBook] = {}
    for line in lines:
        books.setdefault((line.product_id, line.price), OrderedBook()).lines.append(line)
    return list(books.values())


class OrderTotals(models.Model):
    """What is in an order, and what it costs: all that its lines say together."""

    # What for_page() and with_tally() read.
    _groups: "list[OrderLine]"
    _added_up: "list[OrderLine]"
    delivery_price: Any

    class Meta:
        abstract = True

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self.forget_lines()
        super().refresh_from_db(*args, **kwargs)

    def forget_lines(self) -> None:
        """Read them anew when they are asked for next."""
        for read in ("_groups", "_added_up", "_paid"):
            self.__dict__.pop(read, None)

    def groups(self) -> "list[OrderLine]":
        """Its lines in the sequence they were ordered in, those that are alike as one (`OrderLine.alike`).

        As they are now, or were when `for_page()` read them.
        """
        order: Any = self
        return self._groups if "_groups" in self.__dict__ else list(order.lines.for_page())

    def tally(self) -> Tally:
        """What there is to count of its lines; as it is now, or was when `with_tally()` or `for_page()` read them."""
        if "_added_up" in self.__dict__:
            return self._added_up[0].tally if self._added_up else Tally()
        groups = self.groups()
        called_off = [line for line in groups if line.status == OrderLine.CANCELLED]
        return Tally(
            books=sum(line.alike for line in groups),
            closed=sum(line.alike for line in groups if line.status in OrderLine.CLOSED),
            price=sum((line.total_price for line in groups), ZERO),
            called_off=sum(line.alike for line in called_off),
            cancelled=sum((line.total_price for line in called_off), ZERO),
        )

    @property
    def summary(self) -> str:
        """What was ordered, in a line: "2 x Siddhartha, 1 x Emma"."""
        counts: Counter[str] = Counter()
        for line in self.groups():
            counts[line.name] += line.alike
        return summed_up(counts)

    @property
    def total_price(self) -> Decimal:
        """What was ordered costs: all lines."""
        return self.tally().price

    @property
    def cancelled_total(self) -> Decimal:
        """What of that is not charged: the cancelled lines."""
        return self.tally().cancelled

    @property
    def grand_total(self) -> Decimal:
        """What is to pay, or was: the lines that are not cancelled, and delivery, where anything is left to deliver."""
        tally = self.tally()
        left = tally.price - tally.cancelled
        return left + self.delivery_price if tally.called_off < tally.books else left

    @property
    def mobile_thumb_url(self) -> str | None:
        """The address of the first product's thumbnail, or None where it has no picture."""
        return next((line.cover_url() or None for line in self.groups()), None)

    def books_left(self) -> int:
        """How many of its books are not cancelled."""
        return sum(line.alike for line in self.groups() if line.status != OrderLine.CANCELLED)

    def books(self) -> list[OrderedBook]:
        """Its lines by book, in the sequence they were ordered in."""
        return by_book(self.groups())
