"""The ledger of copies: why there are as many left to sell as there are, line for line."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Coalesce

from shop.database.constraints import one_of
from shop.models.product import Product

if TYPE_CHECKING:
    from shop.models.order_line import OrderLine, OrderLineQuerySet


class StockKind(models.TextChoices):
    COUNTED = "counted", "Counted"
    SOLD = "sold", "Sold"
    CANCELLED = "cancelled", "Cancelled"
    RETURNED = "returned", "Returned"


BACK = (StockKind.CANCELLED, StockKind.RETURNED)


class StockMoveQuerySet(models.QuerySet["StockMove"]):
    def left(self) -> int:
        """How many copies are left by these moves."""
        return self.aggregate(left=Coalesce(models.Sum("delta"), 0))["left"]

    @transaction.atomic
    def recount(self, product: Product, stock: int | None, *, by: Any = None, text: str = "") -> None:
        """Note that somebody counted `stock` copies of a book that are left to sell; None: nobody counts it any more.

        Raises ValidationError below 0.
        """
        if stock is not None and stock < 0:
            raise ValidationError("A count is a whole number from 0 on.", code="negative")
        books = Product.objects.filter(pk=product.pk)
        now = books.select_for_update().values_list("stock", flat=True).get()
        if now != stock:
            delta = (stock or 0) - (now or 0)
            self.create(product=product, kind=StockKind.COUNTED, delta=delta, by=by, text=text[:300])
            Product.objects.keep_counts({product.pk: now}, {product.pk: stock})

    def note_counts(self, products: Iterable[Product]) -> None:
        """Note the counts of books that are new."""
        StockMove.objects.bulk_create(
            [StockMove(product=book, kind=StockKind.COUNTED, delta=book.stock) for book in products if book.stock]
        )

    def take(self, lines: "Iterable[OrderLine]") -> None:
        """Take the copies of these new lines: all of them, or none. Needs a transaction.

        Raises ValidationError with the name of each book of which fewer are left, and how many. What is not counted is
        there.
        """
        taken = [line for line in lines if line.status != line.CANCELLED]
        wanted = Counter(line.product_id for line in taken)
        counted = self.locked(wanted)
        if short := [book for book in counted.values() if book.is_short_of(wanted[book.pk])]:
            raise ValidationError([book.what_is_left(wanted[book.pk]) for book in short], code="short")
        self._move([line for line in taken if line.product_id in counted], StockKind.SOLD, counted)

    def give_back(self, lines: "OrderLineQuerySet", kind: str = StockKind.CANCELLED, by: Any = None) -> None:
        """Give back the copies of these lines, once, however often it is asked. Needs their order's lock.

        What is cancelled comes back only where it was counted when it was taken: else it still stands among those that
        were counted since. A book that is not counted now stays so.
        """
        moves = self.filter(line=models.OuterRef("pk"))
        given = lines.exclude(models.Exists(moves.filter(kind__in=BACK)))
        if kind == StockKind.CANCELLED:
            given = given.filter(models.Exists(moves.filter(kind=StockKind.SOLD)))
        found = list(given.only("pk", "product"))
        self._move(found, kind, self.locked({line.product_id for line in found}), by)

    def locked(self, products: Iterable[int]) -> dict[int, Product]:
        """Those of the books that are counted, for nobody else to sell until the transaction ends.

        Always in one sequence, so that two who want some of the same never wait for each other for good. For the same
        reason whoever needs them locks orders before, and what numbers credit notes after them.
        """
        books = Product.objects.filter(pk__in=list(products), stock__isnull=False).order_by("pk")
        return (
            {book.pk: book for book in books.only("name", "stock").select_for_update(no_key=True)} if products else {}
        )

    def _move(self, lines: "list[OrderLine]", kind: str, counted: Mapping[int, Product], by: Any = None) -> None:
        """Write down that a copy of each line moved. One of a book that is not counted counts for nothing."""
        delta = -1 if kind == StockKind.SOLD else 1
        StockMove.objects.bulk_create(
            [
                StockMove(
                    product_id=line.product_id,
                    line=line,
                    kind=kind,
                    delta=delta if line.product_id in counted else 0,
                    by=by,
                )
                for line in lines
            ]
        )
        moved = Counter(line.product_id for line in lines if line.product_id in counted)
        before = {pk: counted[pk].stock or 0 for pk in moved}
        Product.objects.keep_counts(before, {pk: stock + delta * moved[pk] for pk, stock in before.items()})


class StockMove(models.Model):
    """Copies that came or went: written once, never changed. Their sum is the count of their book."""

    Kind: TypeAlias = StockKind

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="stock_moves")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    delta = models.IntegerField()
    line = models.ForeignKey("shop.OrderLine", on_delete=models.SET_NULL, null=True, related_name="stock_moves")
    # Who counted or took back, and why; nobody, where a shopper's doing made it.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.CharField(max_length=300, blank=True)
    moved_at = models.DateTimeField(auto_now_add=True)

    objects = StockMoveQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            one_of("kind", StockKind, "stock_move_kind_known"),
            models.UniqueConstraint(fields=["line"], condition=models.Q(kind=StockKind.SOLD), name="copy_sold_once"),
            models.UniqueConstraint(fields=["line"], condition=models.Q(kind__in=BACK), name="copy_given_back_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.delta:+} of product {self.product_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("A move is not changed afterwards: write another one.")
        super().save(*args, **kwargs)
