"""The company as its people understand it, in plain Python: what each thing that happens should make of it."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.company.agreement import CANCELLED, CLOSED, DONE, LINE_NEW, NEW, PAID, PROCESSING, SENT

ZERO = Decimal(0)
MAY_BECOME = {LINE_NEW: (PROCESSING, SENT, CANCELLED), PROCESSING: (SENT, CANCELLED), SENT: (), CANCELLED: ()}
# The ways of delivery there are: price, free from which sum of books on, and where to.
METHODS: dict[str, tuple[Decimal, Decimal | None, tuple[str, ...]]] = {
    "Post": (Decimal("3.00"), Decimal("60.00"), ()),
    "Courier": (Decimal("7.50"), None, ("uk", "ie")),
}


@dataclass
class Book:
    pk: int
    price: Decimal
    stock: int | None
    in_stock: bool = True
    available_from: date | None = None

    def count(self, stock: int | None) -> None:
        self.stock = stock
        if stock is not None:
            self.in_stock = stock > 0

    def can_sell(self, copies: int) -> bool:
        return self.in_stock and (self.stock is None or self.stock >= copies)


@dataclass
class Line:
    pk: int
    book: Book
    price: Decimal
    status: int = LINE_NEW
    # Whether a copy was taken for it that may come back.
    took: bool = False
    refunded: Decimal = ZERO
    returned_in: int | None = None
    is_back: bool = False
    sent_at: datetime | None = None

    def put_back(self) -> None:
        """Its copy is there to sell again; that of a book that nobody counts now is not looked for."""
        if self.took:
            self.restock()

    def restock(self) -> None:
        """A copy that came back is there, also where nobody counted when it was sold."""
        self.took = False
        if self.book.stock is not None:
            self.book.count(self.book.stock + 1)


@dataclass
class Purchase:
    """An order; `less` is what went back since less was bought, or too much came, `other` what went back beside."""

    pk: int
    day: date
    delivery: Decimal
    lines: list[Line]
    status: int = NEW
    called_off: bool = False
    transfers: list[Decimal] = field(default_factory=list)
    came: Decimal = ZERO
    less: Decimal = ZERO
    provider: Decimal = ZERO
    other: Decimal = ZERO
    returns: dict[int, str] = field(default_factory=dict)

    @property
    def kept_lines(self) -> list[Line]:
        return [line for line in self.lines if line.status != CANCELLED]

    @property
    def worth(self) -> Decimal:
        kept = self.kept_lines
        return sum((line.price for line in kept), self.delivery) if kept else ZERO

    @property
    def balance(self) -> Decimal:
        return self.came - self.less - self.provider - self.worth

    @property
    def due(self) -> Decimal:
        return max(-self.balance, ZERO)

    @property
    def left(self) -> Decimal:
        """What of the money is still here."""
        return self.came - self.less - self.provider - self.other

    def settle(self) -> None:
        """With all there it is paid, with all closed it is done; what is too much goes back."""
        if self.status == NEW and self.came and self.balance >= 0 and self.kept_lines:
            self.status = PAID
        if self.status == PAID and all(line.status in CLOSED for line in self.lines):
            self.status = DONE
        self.less += max(min(self.balance, self.left), ZERO)

    def mark(self, line: Line, status: int, now: datetime) -> bool:
        """Whether it may become that, and does."""
        if line.status == status:
            return True
        if status not in MAY_BECOME[line.status]:
            return False
        line.status = status
        if status == CANCELLED:
            line.put_back()
        if status == SENT:
            line.sent_at = now
        return True

    def can_be_called_off(self) -> bool:
        return (
            self.status != DONE
            and {line.status for line in self.lines} <= {LINE_NEW, CANCELLED}
            and bool(self.kept_lines)
        )

    def returnable(self, line: Line, now: datetime) -> bool:
        within = line.sent_at is not None and line.sent_at >= now - timedelta(days=30)
        return line.status == SENT and line.returned_in is None and within

    def worth_of_return(self, number: int) -> Decimal:
        """What goes back for its books; with the last ones, what their delivery cost."""
        books = [line for line in self.lines if line.returned_in == number]
        return self.most_for(books)

    def most_for(self, books: list[Line]) -> Decimal:
        """What may go back for these books; with the last ones, what their delivery cost."""
        kept = [line for line in self.kept_lines if not line.is_back and line.refunded < line.price]
        others = [line for line in kept if line not in books]
        return sum((line.price - line.refunded for line in books), ZERO if others else self.delivery)


def delivery_of(books: Decimal, country: str, wanted: str | None) -> Decimal | None:
    """What it costs to deliver books for that sum there; None where that is not done."""
    prices = {
        name: ZERO if free_from is not None and books >= free_from else price
        for name, (price, free_from, countries) in METHODS.items()
        if not countries or country in countries
    }
    return prices.get(wanted) if wanted else min(prices.values(), default=None)
