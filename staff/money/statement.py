"""A bank statement as people paste it: lines of date, amount and text, matched to the orders that they pay for."""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from django.conf import settings

from shop.models import Order, Payment
from shop.values.money import ZERO, currency_symbol, money, rounded

MOST_LINES = 1000
# Not the postcodes of Belfast: BT9 5AB.
REFERENCE = re.compile(r"\bBT[\s-]?(\d{1,18})(?!\d|\s\d[A-Z]{2}\b)", re.IGNORECASE)
# "1,234.50", "1.234,50", "1 234,50", "£12", "12.50 CR", and what goes out: "-3.00", "3,00-", "(3.00)", "3.00 DR".
NUMBER = r"(\d{1,3}(?:[.,'’ ]\d{3})+|\d+)(?:[.,](\d{1,2}))?"
OUT = ("-", "DR", "D", "S")


@dataclass(frozen=True)
class Entry:
    """A line of money that came in. `key` is the same whenever the same line is pasted again."""

    date: str
    amount: Decimal
    text: str
    key: str


@dataclass(frozen=True)
class Match:
    """What booking an entry would do. Where it can be booked, `order` is the one that it pays for."""

    entry: Entry
    order: Order | None
    says: str
    is_good: bool


def entries(pasted: str) -> Iterator[Entry]:
    """The lines by which money came in; a heading, what went out and empty lines are passed over.

    Raises ValueError, whose text says which line is wrong and how it is mended.
    """
    lines = pasted.lstrip("\ufeff").strip().splitlines()
    if len(lines) > MOST_LINES:
        raise ValueError(f"These are {len(lines)} lines. Paste at most {MOST_LINES} at a time.")
    try:
        rows = list(csv.reader(lines, delimiter=delimiter_of(lines), strict=True))
    except csv.Error as error:
        raise ValueError(f"The lines are no CSV: {error}. Check the quotation marks.") from None
    seen: Counter[str] = Counter()
    for number, cells in enumerate(rows, 1):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < 3:
            raise ValueError(f"Line {number} has {len(cells)} columns. It needs three: date, amount and text.")
        date, text = cells[0].strip(), " ".join(" ".join(cells[2:]).split())
        try:
            amount = amount_of(cells[1])
        except ValueError:
            if number == 1 and not re.search(r"\d", cells[1]):
                continue  # a heading
            raise ValueError(
                f"Line {number}: “{cells[1].strip()[:40]}” is no amount. The second column has to be one."
            ) from None
        if amount > 0:
            line = f"{date}|{amount}|{text}"
            seen[line] += 1
            digest = hashlib.sha256(f"{line}|{seen[line]}".encode()).hexdigest()
            yield Entry(date[:40], amount, text[:200], f"transfer-{digest[:40]}")


@cache
def amount_in(currency: str) -> re.Pattern[str]:
    """An amount of this currency; another's is none."""
    unit = f"(?:{currency}|{re.escape(currency_symbol())})?"
    return re.compile(rf"([+-]?)\s*{unit}\s*([+-]?){NUMBER}\s*{unit}\s*(-|DR|D|S|CR|C|H|)", re.IGNORECASE)


def amount_of(cell: str) -> Decimal:
    """The amount in a cell, below nothing where it went out. Raises ValueError for what is none."""
    text = " ".join(cell.replace("\u2212", "-").split())
    is_out = text.startswith("(") and text.endswith(")")
    found = amount_in(settings.CURRENCY).fullmatch(text[1:-1] if is_out else text)
    if found is None or len(found[3]) > len("99,999,999"):
        raise ValueError(cell)
    amount = Decimal(re.sub(r"\D", "", found[3]) + "." + (found[4] or "00"))
    is_out |= "-" in found[1] + found[2] or found[5].upper() in OUT
    return -rounded(amount) if is_out else rounded(amount)


def delimiter_of(lines: list[str]) -> str:
    """What parts the columns: with that the second cell of most lines is an amount."""

    def amounts(delimiter: str) -> int:
        found = 0
        for cells in csv.reader(lines, delimiter=delimiter):
            try:
                found += len(cells) > 2 and amount_of(cells[1]) is not None
            except ValueError:
                continue
        return found

    return max("\t;,", key=amounts)


def matches(pasted: str) -> list[Match]:
    """What booking each entry of a statement would do. Raises ValueError as `entries` does."""
    found = list(entries(pasted))
    booked = set(Payment.objects.filter(reference__in=[e.key for e in found]).values_list("reference", flat=True))
    numbers = {entry.key: [int(number) for number in REFERENCE.findall(entry.text)] for entry in found}
    wanted = {number for each in numbers.values() for number in each}
    orders = {order.pk: order for order in Order.objects.filter(pk__in=wanted).for_page().with_account()}
    left: dict[int, Decimal] = {}
    result = []
    for entry in found:
        mine = list(dict.fromkeys(number for number in numbers[entry.key] if number in orders))
        if entry.key in booked:
            result.append(Match(entry, None, "Booked before.", False))
        elif len(mine) != 1:
            why = "It names several orders: record it at one of them." if mine else "No order of ours is named in it."
            result.append(Match(entry, None, why, False))
        else:
            order = orders[mine[0]]
            due = left.setdefault(order.pk, order.account().due)
            left[order.pk] = max(due - entry.amount, ZERO)
            result.append(Match(entry, order, what_it_does(entry.amount, due, order), True))
    return result


def what_it_does(amount: Decimal, due: Decimal, order: Order) -> str:
    if order.is_cancelled:
        return f"Order {order.pk} was cancelled: it goes on the list of what is to be sent back."
    if not due:
        return f"Order {order.pk} is paid: it goes on the list of what is to be sent back."
    if amount < due:
        return f"A part of order {order.pk}: {money(due - amount)} are still to come."
    more = f" {money(amount - due)} too much goes on the list of what is to be sent back." if amount > due else ""
    return f"Pays order {order.pk}.{more}"
