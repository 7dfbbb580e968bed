"""How an order's books leave. Whatever is sent is in a parcel, however it was said that it is sent."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from shop.models.order_event import OrderEvent
from shop.models.order_line import OrderLine
from shop.models.order_progress import OrderedBook
from shop.models.order_totals import OrderTotals, by_book
from shop.models.parcel import Parcel
from shop.signals import parcels_sent
from shop.values.isbn import normalise_isbn

if TYPE_CHECKING:
    from shop.models.order import Order

# What goes out without a number within so long is one parcel.
TOGETHER = timedelta(hours=1)
# So many lines are named where they cannot be sent.
MOST_NAMED = 10


def gather_sent(orders: "models.QuerySet[Order]") -> None:
    """Put what is sent of these orders and in no parcel into one, and announce those that are new; needs their locks.

    Into that of the same carrier and number; without a number, into that of the same carrier which left just now; else
    into a new one. All lines together, however many they are.
    """
    loose = OrderLine.objects.order_by().filter(order__in=orders, status=OrderLine.SENT, parcel=None)
    wanted = set(loose.values_list("order", *Parcel.LABEL).distinct())
    if not wanted:
        return
    there = Parcel.objects.order_by().filter(order__in={order for order, _, _ in wanted})
    there = there.exclude(tracking_number="", date_sent__lt=timezone.now() - TOGETHER)
    new = Parcel.objects.bulk_create(
        Parcel(order_id=order, carrier=carrier, tracking_number=number)
        for order, carrier, number in sorted(wanted - set(there.values_list("order", *Parcel.LABEL)))
    )
    same = {name: models.OuterRef(name) for name in ("order", *Parcel.LABEL)}
    newest = Parcel.objects.filter(**same).order_by("-pk").values("pk")[:1]
    loose.update(parcel=models.Subquery(newest))
    announce(new)


def announce(parcels: Iterable[Parcel]) -> None:
    """Tell that these left: in their orders' stories, and to whoever mails it."""
    sent = list(parcels)
    OrderEvent.objects.bulk_create(
        OrderEvent(order_id=parcel.order_id, kind=OrderEvent.Kind.SENT, text=parcel.label) for parcel in sent
    )
    by_order: dict[int, list[Parcel]] = defaultdict(list)
    for parcel in sent:
        by_order[parcel.order_id].append(parcel)
    model: Any = apps.get_model("shop.Order")
    for order in model.objects.filter(pk__in=by_order).select_related("user"):
        parcels_sent.send(model, order=order, parcels=by_order[order.pk])


class OrderParcels(OrderTotals):
    lines: Any

    class Meta:
        abstract = True

    def lock(self) -> None:
        raise NotImplementedError

    @transaction.atomic
    def send_parcel(self, carrier: str, tracking_number: str, lines: Collection[int] | None = None) -> Parcel:
        """Send these of its lines, by their keys, in a parcel of their own; None sends all that are left to send.

        Raises ValidationError, and changes nothing, where one of them is not to be sent, and where none is.
        """
        self.lock()
        to_send = set(self.lines.to_send().values_list("pk", flat=True))
        chosen = to_send if lines is None else set(lines)
        if not chosen:
            raise ValidationError("There is nothing left to send.", code="nothing")
        if wrong := chosen - to_send:
            raise ValidationError(self._why_not_sent(wrong), code="final")
        label = {"carrier": carrier, "tracking_number": tracking_number}
        parcel = Parcel.objects.create(order=cast("Order", self), **label)
        now = parcel.date_sent
        self.lines.filter(pk__in=chosen).update(status=OrderLine.SENT, parcel=parcel, date_updated=now, **label)
        announce([parcel])
        return parcel

    @transaction.atomic
    def send_packed(self, carrier: str, tracking_number: str) -> Parcel:
        """Send what lies in the box. Raises ValidationError where nothing does."""
        self.lock()
        if packed := list(self.lines.to_send().packed().values_list("pk", flat=True)):
            return self.send_parcel(carrier, tracking_number, packed)
        raise ValidationError("The box is empty: scan what is in it first.", code="empty")

    def pack_isbn(self, text: str) -> OrderLine:
        """Put a copy of the book with this ISBN into the box: the line that it is.

        Raises ValidationError where it is no ISBN, or none of what is left to pack.
        """
        try:
            isbn = normalise_isbn(text)
        except ValueError as error:
            raise ValidationError(str(error), code="isbn") from error
        return self.pack_copy(isbn=isbn)

    @transaction.atomic
    def pack_copy(self, **book: Any) -> OrderLine:
        """Put a copy of a book, by its `isbn` or `product`, into the box; from then on nobody cancels the order.

        Raises ValidationError where all copies of it lie there, or the order has none.
        """
        self.lock()
        copies = self.lines.to_send().filter(**book)
        line: OrderLine | None = copies.filter(packed_at=None).order_by("pk").first()
        if line is None:
            raise ValidationError(self._why_not_packed(copies, book), code="not_packed")
        now = timezone.now()
        line.packed_at = now
        self.lines.filter(pk=line.pk).update(packed_at=now)
        self.lines.filter(pk=line.pk, status=OrderLine.NEW).update(status=OrderLine.PROCESSING, date_updated=now)
        return line

    def _why_not_packed(self, copies: Any, book: dict[str, Any]) -> str:
        known = self.lines.filter(**book).order_by("status").values_list("name", "status").first()
        if known is None:
            return f"{book.get('isbn', 'This book')} is not in this order."
        name, status = known
        if count := copies.count():
            there = "the one copy is" if count == 1 else f"all {count} copies are"
            return f"Too many of {name}: {there} in the box already."
        is_over = status in OrderLine.CLOSED
        why = OrderLine.Status(status).label.lower() + " already" if is_over else "not to be sent yet"
        return f"{name} is {why}: leave it out."

    @transaction.atomic
    def unpack_copy(self, **book: Any) -> OrderLine:
        """Take a copy out of the box again. Raises ValidationError where none lies there."""
        self.lock()
        line: OrderLine | None = self.lines.to_send().packed().filter(**book).order_by("pk").last()
        if line is None:
            raise ValidationError("No copy of this book lies in the box.", code="not_packed")
        self.lines.filter(pk=line.pk).update(packed_at=None)
        return line

    def _why_not_sent(self, keys: set[int]) -> list[str]:
        known = dict(self.lines.filter(pk__in=keys).values_list("pk", "status"))
        sentences = []
        for pk in sorted(keys)[:MOST_NAMED]:
            if pk not in known:
                sentences.append(f"Line {pk} is none of order {self.pk}.")
            elif known[pk] in OrderLine.CLOSED:
                label = OrderLine.Status(known[pk]).label.lower()
                sentences.append(f"Line {pk} is {label} already, which is final.")
            else:
                sentences.append(f"Line {pk} is not to be sent yet.")
        return sentences

    def contents(self) -> "list[tuple[Parcel, list[OrderedBook]]]":
        """Its parcels, the first that left first, each with the books that are in it."""
        packed = [line for line in self.groups() if line.parcel is not None]
        packed.sort(key=lambda line: (line.parcel_id, line.pk))
        return [(parcel, by_book(lines)) for parcel, lines in groupby(packed, key=lambda line: line.parcel) if parcel]
