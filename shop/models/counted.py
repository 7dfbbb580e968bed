"""How many copies of a book there are to sell, as the book itself knows it; why, its ledger says (`StockMove`)."""

from datetime import date
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from shop.models.late_saves import VerbsDecide


class Counted(VerbsDecide):
    """A book whose copies may be counted. `stock`, and `in_stock` with it, is written by the ledger alone."""

    # They change with each sale.
    BY_VERBS = ("stock", "in_stock")
    # So few copies left are worth saying.
    FEW = 5

    in_stock = models.BooleanField(default=True)
    # How many copies are left to sell: see set_stock(). None where nobody counts.
    stock = models.PositiveIntegerField("copies left", null=True, blank=True, editable=False)
    available_from = models.DateField(
        null=True, blank=True, help_text="It can be ordered before this day, and is sent from then on."
    )

    # The ledger.
    stock_moves: Any

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Django's own. A count that was set as a field is noted; whether a counted book is in stock, nobody sets."""
        known = {} if self._state.adding else self._read
        fields = kwargs.get("update_fields")
        stock = vars(self).get("stock")
        recounted = stock != known.get("stock") and (fields is None or "stock" in fields)
        if recounted:
            self.stock = known.get("stock")
        counted = {"stock"}
        if known.get("stock") is not None:
            counted.add("in_stock")
            if "in_stock" in known:
                self.in_stock = known["in_stock"]
        if fields is not None:
            kwargs["update_fields"] = set(fields) - counted
        with transaction.atomic():
            super().save(*args, **kwargs)
            if recounted:
                self.set_stock(stock)

    def set_stock(self, stock: int | None, *, by: Any = None, text: str = "") -> None:
        """There are `stock` copies left to sell, or None: nobody counts them any more; `text` says why.

        Raises ValidationError below 0.
        """
        self.stock_moves.recount(self, stock, by=by, text=text)
        self.refresh_from_db(fields=["stock", "in_stock"])

    def is_short_of(self, copies: int) -> bool:
        """Whether fewer are left than somebody wants; of a book that nobody counts there are enough."""
        return self.stock is not None and self.stock < copies

    def what_is_left(self, wanted: int) -> str:
        """What to say to who wants more copies than are left."""
        if not self.stock:
            return f"“{self}” is sold out: no copy is left. Take it out to go on."
        copies = f"1 copy of “{self}” is" if self.stock == 1 else f"{self.stock} copies of “{self}” are"
        return f"Only {copies} left, and you want {wanted}. Take fewer to go on."

    @property
    def few_left(self) -> int:
        """How many copies are left, where they are so few that it is worth saying; else 0."""
        return self.stock if self.stock is not None and self.stock <= self.FEW else 0

    @property
    def waits_until(self) -> date | None:
        """The day before which it is not sent; None once that has come, and where there is none."""
        waits = self.available_from is not None and self.available_from > timezone.localdate()
        return self.available_from if waits else None
