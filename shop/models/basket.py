from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction

from shop.models.catalogue import Product
from shop.models.covers import SHOWN, Covered
from shop.models.json_columns import Cover
from shop.models.user import Address, User
from shop.prepared import Prepared, Slot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shop.models.order import Order


class BasketQuerySet(models.QuerySet["Basket"]):
    def open(self) -> "BasketQuerySet":
        return self.filter(status=Basket.OPEN)

    def current(self, user: User) -> "Basket":
        """The user's open basket, made where there is none, and locked until the transaction ends."""
        return self.select_for_update().get_or_create(user=user, status=Basket.OPEN)[0]


class Basket(models.Model):
    class Status(models.IntegerChoices):
        OPEN = 10
        SUBMITTED = 20

    OPEN, SUBMITTED = Status

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="baskets")
    status = models.IntegerField(choices=Status.choices, default=Status.OPEN)
    date_added = models.DateTimeField(auto_now_add=True)

    objects = BasketQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=models.Q(status=10), name="one_open_basket_a_user")
        ]

    def __str__(self) -> str:
        return f"Basket {self.pk}"

    def is_empty(self) -> bool:
        return not self.lines.exists()

    def count(self) -> int:
        """How many books are in it, quantities added up."""
        return self.lines.aggregate(total=models.Sum("quantity"))["total"] or 0

    def create_order(self, billing_address: Address, shipping_address: Address) -> "Order":
        """Order what is in this basket: see `shop.checkout.place_order`."""
        from shop.checkout import place_order

        order = place_order(self, billing_address, shipping_address)
        self.status = self.SUBMITTED
        return order

    def lock_open(self) -> None:
        """Wait for the others who change this basket; needs a transaction.

        Raises ValidationError where it was ordered, or merged into another, meanwhile.
        """
        if not Basket.objects.open().select_for_update().filter(pk=self.pk).first():
            raise ValidationError("Your basket was ordered meanwhile. Look at your orders.", code="not_open")

    @transaction.atomic
    def add(self, product: Product, quantity: int = 1) -> int:
        """Put in `quantity` more of a product, at most 99 of it in all; how many of them were put in.

        Raises ValidationError for a book that cannot be bought, and where the basket is not open any more.
        """
        self.lock_open()
        return self.put(product, quantity)

    def put(self, product: Product, quantity: int) -> int:
        """`add` for a caller who has locked this basket already."""
        if not (product.active and product.in_stock):
            raise ValidationError(f"Sorry, “{product}” cannot be bought at the moment.", code="unavailable")
        return self._put(product, quantity, product.price)

    def _put(self, product: Product, quantity: int, price_seen: Decimal | None) -> int:
        # The basket is locked: nobody else adds a line between this look and what follows.
        lines = self.lines.filter(product=product)
        before = next((quantity for (quantity,) in _quantity.rows(basket=self.pk, product=product.pk)), 0)
        after = min(before + quantity, BasketLine.MOST)
        if before:
            lines.update(quantity=after, price_seen=price_seen)
        else:
            self.lines.create(product=product, quantity=after, price_seen=price_seen)
        return max(after - before, 0)

    @transaction.atomic
    def take_over(self, visitors: "Basket") -> list["BasketLine"]:
        """Move the lines of a visitor's basket into this one and delete it; both are locked by the caller.

        Quantities of the same book add up, to at most 99. Gives back the visitor's lines, each with the `quantity`
        that found room.
        """
        lines = list(visitors.lines.select_related("product"))
        for line in lines:
            line.quantity = self._put(line.product, line.quantity, line.price_seen)
        visitors.delete()
        return lines


_quantity = Prepared(
    lambda: BasketLine.objects.filter(basket=Slot("basket"), product=Slot("product")).order_by().values_list("quantity")
)


class Sums:
    """What is to be said of the lines of a basket together."""

    def book_count(self: "Iterable[BasketLine]") -> int:
        return sum(line.quantity for line in self)

    def total_price(self: "Iterable[BasketLine]") -> Decimal:
        """What it costs to order them now."""
        return sum((line.total_price for line in self), Decimal("0.00"))

    def changed(self: "Iterable[BasketLine]") -> "list[BasketLine]":
        return [line for line in self if line.is_available and line.price_changed]

    def unavailable(self: "Iterable[BasketLine]") -> "list[BasketLine]":
        return [line for line in self if not line.is_available]


class BasketLineQuerySet(Sums, models.QuerySet["BasketLine"]):
    def for_page(self) -> "BasketLineQuerySet":
        """With all that a page shows of each, in one query. The sums then need no other."""
        own = ("basket", "quantity", "price_seen")
        return self.select_related("product").only(*own, *SHOWN).annotate(cover=Cover("product"))


class BasketLines(Sums, list["BasketLine"]):
    """Lines that were read already."""


class BasketLine(Covered, models.Model):
    MOST = 99

    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    quantity = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST)])
    # What the shopper saw when it was put in, so that a change can be pointed out; None where nobody noted it.
    price_seen = models.DecimalField(max_digits=8, decimal_places=2, null=True, editable=False)

    objects = BasketLineQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["basket", "product"], name="one_line_a_product"),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="basket_line_quantity_at_least_1"),
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

    @transaction.atomic
    def set_quantity(self, quantity: int) -> None:
        """Raises ValidationError outside 1 to 99, and where the basket is not open any more; nothing changes then."""
        if not 1 <= quantity <= self.MOST:
            raise ValidationError(f"Choose a quantity from 1 to {self.MOST}.", code="quantity")
        self.basket.lock_open()
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
        self.delete()
