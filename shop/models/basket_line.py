from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction

from shop.database.constraints import Check
from shop.database.json_columns import Cover
from shop.models.covers import SHOWN, Covered
from shop.models.product import Product
from shop.values.money import ZERO

# How many different books, and how many in all, a basket and so an order holds.
MOST_TITLES, MOST_BOOKS = 100, 500


class Sums:
    """What is to be said of the lines of a basket together."""

    def book_count(self: "Iterable[BasketLine]") -> int:
        return sum(line.quantity for line in self)

    def total_price(self: "Iterable[BasketLine]") -> Decimal:
        """What it costs to order them now."""
        return sum((line.total_price for line in self), ZERO)

    def weight(self: "Iterable[BasketLine]") -> int | None:
        """What the books weigh together, in grams; None where that of one of them is not known."""
        weights = [(line.product.weight, line.quantity) for line in self]
        known = [weight * quantity for weight, quantity in weights if weight is not None]
        return sum(known) if len(known) == len(weights) else None

    def changed(self: "Iterable[BasketLine]") -> "list[BasketLine]":
        return [line for line in self if line.is_available and line.price_changed]

    def unavailable(self: "Iterable[BasketLine]") -> "list[BasketLine]":
        return [line for line in self if not line.is_available]

    def short(self: "Iterable[BasketLine]") -> "list[BasketLine]":
        """Those of which fewer copies are left than are wanted, though some."""
        return [line for line in self if line.is_short]

    def too_much(self: "Iterable[BasketLine]") -> str:
        """What to say of more than an order holds, as only a basket from before the limit does; or nothing."""
        quantities = [line.quantity for line in self]
        titles, books = len(quantities), sum(quantities)
        if titles <= MOST_TITLES and books <= MOST_BOOKS:
            return ""
        return (
            f"An order holds at most {MOST_TITLES} titles and {MOST_BOOKS} books. "
            f"These are {titles} titles and {books} books: take some out to go on."
        )


class BasketLineQuerySet(Sums, models.QuerySet["BasketLine"]):
    def for_page(self) -> "BasketLineQuerySet":
        """With all that a page shows of each, in one query. The sums then need no other."""
        own = ("basket", "quantity", "price_seen")
        return self.select_related("product").only(*own, *SHOWN, "product__weight").annotate(cover=Cover("product"))

    def check_orderable(self) -> None:
        """Raises ValidationError with what keeps these lines from being ordered."""
        if not self:
            raise ValidationError("Your basket is empty.", code="empty")
        if too_much := self.too_much():
            raise ValidationError(too_much, code="too_much")
        unavailable = self.unavailable()
        sold_out = [line for line in unavailable if line.product.active and line.product.stock == 0]
        if short := [*sold_out, *self.short()]:
            raise ValidationError([line.product.what_is_left(line.quantity) for line in short], code="short")
        if gone := unavailable:
            names = ", ".join(f"“{line.product}”" for line in gone)
            them = "it" if len(gone) == 1 else "them"
            raise ValidationError(
                f"{names} cannot be bought any more. Take {them} out of your basket to go on.", code="unavailable"
            )


class BasketLines(Sums, list["BasketLine"]):
    """Lines that were read already."""


class BasketLine(Covered, models.Model):
    MOST = 99

    basket = models.ForeignKey("shop.Basket", on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    quantity = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST)])
    # What the shopper saw when it was put in, so that a change can be pointed out; None where nobody noted it.
    price_seen = models.DecimalField(max_digits=8, decimal_places=2, null=True, editable=False)

    # How many found no room where a basket was filled with them.
    left_out = 0

    objects = BasketLineQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["basket", "product"], name="one_line_a_product"),
            Check(name="basket_line_quantity_at_least_1", condition=models.Q(quantity__gte=1)),
            # BasketLine.MOST
            Check(name="basket_line_quantity_at_most_99", condition=models.Q(quantity__lte=99)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.price_seen is None:
            self.price_seen = self.product.price
        super().save(*args, **kwargs)

    @property
    def total_price(self) -> Decimal:
        return self.quantity * self.product.price

    @property
    def price_changed(self) -> bool:
        return self.price_seen not in (None, self.product.price)

    @property
    def is_available(self) -> bool:
        """Whether it can be ordered now."""
        return self.product.active and self.product.in_stock

    @property
    def is_short(self) -> bool:
        """Whether fewer copies are left than are wanted, though some."""
        return self.is_available and self.product.is_short_of(self.quantity)

    @transaction.atomic
    def set_quantity(self, quantity: int) -> None:
        """Raises ValidationError outside 1 to 99, for more than a basket holds, and where it is not open any more.

        Nothing changes then.
        """
        if not 1 <= quantity <= self.MOST:
            raise ValidationError(f"Choose a quantity from 1 to {self.MOST}.", code="quantity")
        self.basket.lock_open()
        self.basket.touch()
        contents = self.basket.contents()
        if quantity - contents.get(self.product_id, quantity) > contents.room_for(self.product_id):
            raise contents.no_room(self.product_id)
        BasketLine.objects.filter(pk=self.pk).update(quantity=quantity)
        self.quantity = quantity

    def move_to(self, place: int) -> None:
        """Stand where the line with the key `place` stood: before younger ones, and so under a key that was given once.

        Where there are none, or that key is not free, this line stays.
        """
        lines = BasketLine.objects.filter(pk=self.pk).exclude(models.Exists(BasketLine.objects.filter(pk=place)))
        if place > 0 and BasketLine.objects.filter(basket=self.basket_id, pk__gt=place).exclude(pk=self.pk).exists():
            lines.update(id=place)

    @transaction.atomic
    def remove(self) -> None:
        """Take it out. Raises ValidationError where the basket is not open any more."""
        self.basket.lock_open()
        self.basket.touch()
        self.delete()
