"""What dispatch prints: packing slips, address labels and pick lists. None of them tells prices, or who pays.

They are of paid orders; a packing slip also of one that its last parcel made done.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any
from unicodedata import east_asian_width

from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from shop.models import Company, Order, OrderLine, Parcel
from shop.models.product import BookFormat
from staff.papers.barcodes import code_128
from staff.papers.pdf import pdf_response

STYLESHEET = "css/dispatch-papers.css"
FONTS = ("vendor/fraunces-5.3.0-latin-500.woff2",)
# Orders that are on one paper.
MOST_ORDERS = 100
SHEETS, ROLL = "a4", "4x6"
LABELS_A_SHEET = 14
# Letters in a line of an address on a label, and the lines that there is room for, in each size of type.
SIZES = (("", 42, 6), ("small", 56, 9), ("tiny", 72, 12))


@dataclass(frozen=True)
class BookRow:
    """Copies of a book that are alike."""

    name: str
    authors: str
    format: str
    isbn: str
    quantity: int


def rows_of(lines: Any) -> list[BookRow]:
    """The books of these lines, in the sequence they were ordered in."""
    columns = ("name", "authors_text", "format", "isbn")
    counted = lines.order_by().values_list("product", *columns).annotate(Count("pk"), first=Min("pk"))
    formats = dict(BookFormat.choices)
    return [
        BookRow(name, authors, str(formats.get(format, "")), isbn, quantity)
        for _, name, authors, format, isbn, quantity, _ in counted.order_by("first")
    ]


class DispatchPaper:
    """What all of them need to know of an order."""

    def __init__(self, order: Order) -> None:
        self.order = order

    @cached_property
    def seller(self) -> dict[str, Any]:
        if self.order.seller:
            return dict(self.order.seller)
        company = Company.objects.current()
        return {name: getattr(company, name) for name in Company.PRINTED}

    @property
    def sender(self) -> str:
        return ", ".join((self.seller["name"], *self.seller["address"].splitlines()))

    @property
    def barcode(self) -> SafeString:
        """The order's number, as a scanner types it into a search of the offices."""
        return code_128(self.order.reference)


class PackingSlip(DispatchPaper):
    """What lies in the parcel: the books that are left to send or, once none is, those of the last parcel."""

    @cached_property
    def parcel(self) -> Parcel | None:
        return None if self.order.lines.to_send().exists() else self.order.parcels.last()

    @cached_property
    def _lines(self) -> Any:
        return self.order.lines.filter(parcel=self.parcel) if self.parcel else self.order.lines.to_send()

    @cached_property
    def rows(self) -> list[BookRow]:
        return rows_of(self._lines)

    @cached_property
    def sent_before(self) -> list[BookRow]:
        return rows_of(self.order.lines.filter(status=OrderLine.SENT).exclude(pk__in=self._lines.values("pk")))

    @property
    def copies(self) -> int:
        return sum(row.quantity for row in self.rows)


class AddressLabel(DispatchPaper):
    @property
    def lines(self) -> list[str]:
        return self.order.shipping_lines()

    @property
    def size(self) -> str:
        """In which type its lines find room, however long they are: a class of the stylesheet."""
        widths = [width(line) for line in self.lines]
        fitting = (size for size, letters, room in SIZES if sum(ceil(each / letters) for each in widths) <= room)
        return next(fitting, SIZES[-1][0])


def width(text: str) -> int:
    """In letters; those of Chinese, Japanese and Korean are as wide as two, capitals wider than others."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text) + sum(map(str.isupper, text)) // 2


@dataclass(frozen=True)
class PickRow:
    """Copies of a book to fetch from its shelf, and for which orders: [("BT17", 2)]."""

    book: BookRow
    orders: list[tuple[str, int]]


def pick_rows(orders: Iterable[Order]) -> list[PickRow]:
    """What is left to send of the orders, as it stands on the shelves: by the first author's last name, then title."""
    references = {order.pk: order.reference for order in orders}
    wanted: dict[tuple[str, str, str, str], Counter[str]] = {}
    lines = OrderLine.objects.filter(order__in=references).to_send().order_by("order", "pk")
    for order, name, authors, format, isbn in lines.values_list("order", "name", "authors_text", "format", "isbn"):
        wanted.setdefault((name, authors, format, isbn), Counter())[references[order]] += 1
    formats = dict(BookFormat.choices)
    rows = [
        PickRow(BookRow(name, authors, str(formats.get(format, "")), isbn, sum(counts.values())), list(counts.items()))
        for (name, authors, format, isbn), counts in wanted.items()
    ]
    return sorted(rows, key=shelf)


def shelf(row: PickRow) -> tuple[str, str]:
    words = row.book.authors.partition(",")[0].casefold().split()
    return " ".join([*words[-1:], *words[:-1]]), row.book.name.casefold()


def print_out(request: HttpRequest, filename: str, template: str, **context: Any) -> HttpResponse:
    return pdf_response(request, filename, template, context, stylesheet=STYLESHEET, fonts=FONTS)


def chosen_orders(request: HttpRequest) -> list[Order]:
    """The paid orders in `?orders=1,2`, as they were chosen. Raises Http404 where there is none."""
    keys = [int(key) for key in request.GET.get("orders", "").split(",") if key.isdecimal() and len(key) < 18]
    orders = Order.objects.paid().in_bulk(keys[:MOST_ORDERS])
    if not orders:
        raise Http404("None of these orders is waiting for dispatch.")
    return [orders[key] for key in dict.fromkeys(keys) if key in orders]


@require_safe
def packing_slip(request: HttpRequest, pk: int) -> HttpResponse:
    """An order's packing slip in dispatch, which lets in its own alone: `BackOffice.admits`."""
    slip = PackingSlip(get_object_or_404(Order.objects.paid_for(), pk=pk))
    return print_out(request, f"packing-slip-{pk}.pdf", "staff/packing_slip.html", paper=slip)


@require_safe
def address_labels(request: HttpRequest) -> HttpResponse:
    """Labels of the chosen orders: on sheets of A4, 2 by 7, or with `?size=4x6` one by one."""
    labels = [AddressLabel(order) for order in chosen_orders(request)]
    is_roll = request.GET.get("size") == ROLL
    sheets = [labels[start : start + LABELS_A_SHEET] for start in range(0, len(labels), LABELS_A_SHEET)]
    return print_out(request, "labels.pdf", "staff/address_labels.html", labels=labels, sheets=sheets, is_roll=is_roll)


@require_safe
def pick_list(request: HttpRequest) -> HttpResponse:
    """What to fetch from the shelves for the chosen orders."""
    orders = chosen_orders(request)
    rows = pick_rows(orders)
    copies = sum(row.book.quantity for row in rows)
    return print_out(request, "pick-list.pdf", "staff/pick_list.html", orders=orders, rows=rows, copies=copies)
