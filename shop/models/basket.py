from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from shop.database.compiled_queries import Prepared, Slot
from shop.database.constraints import Check, one_of
from shop.database.json_columns import Cover
from shop.models.catalogue import Product
from shop.models.covers import SHOWN, Covered
from shop.models.user import Address, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shop.models.order import Order


class BasketStatus(models.IntegerChoices):
    OPEN = 10
    SUBMITTED = 20


class BasketQuerySet(models.QuerySet["Basket"]):
    def open(self) -> "BasketQuerySet":
        return self.filter(status=Basket.OPEN)

    def abandoned(self, before: datetime) -> "BasketQuerySet":
        """Visitors' open baskets that nobody changed since `before`."""
        return self.open().filter(user=None, date_updated__lt=before)

    def current(self, user: User) -> "Basket":
        """The user's open basket, made where there is none, and locked until the transaction ends."""
        return self.select_for_update().get_or_create(user=user, status=Basket.OPEN)[0]


class Basket(models.Model):
    Status: TypeAlias = BasketStatus
    OPEN, SUBMITTED = Status
    EXACTNESS = timedelta(days=1)

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="baskets")
    status = models.IntegerField(choices=Status.choices, default=Status.OPEN)
    date_added = models.DateTimeField(auto_now_add=True)
    # When a visitor last changed it, as exactly as EXACTNESS: an abandoned one is swept away.
    date_updated = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    # How many different books, and how many in all, a basket and so an order holds.
    MOST_TITLES = 100
    MOST_BOOKS = 500

    objects = BasketQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=models.Q(status=10), name="one_open_basket_a_user"),
            one_of("status", BasketStatus, "basket_status_known"),
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

    def touch(self) -> None:
        """Note that a visitor still uses it."""
        now = timezone.now()
        if self.user_id is None and now - self.date_updated > self.EXACTNESS:
            Basket.objects.filter(pk=self.pk).update(date_updated=now)

    @transaction.atomic
    def add(self, product: Product, quantity: int = 1) -> int:
        """Put in `quantity` more of a product, at most 99 of it in all; how many of them were put in.

        Raises ValidationError for a book that cannot be bought, for more books or titles than a basket holds, and where
        the basket is not open any more; nothing is added then.
        """
        self.lock_open()
        return self.put(product, quantity)

    def put(self, product: Product, quantity: int) -> int:
        """`add` for a caller who has locked this basket already."""
        if not (product.active and product.in_stock):
            raise ValidationError(f"Sorry, “{product}” cannot be bought at the moment.", code="unavailable")
        contents = self.contents()
        wanted = min(quantity, BasketLine.MOST - contents.get(product.pk, 0))
        if wanted > contents.room_for(product.pk):
            raise contents.no_room(product.pk)
        return self._put(product, wanted, product.price, contents)

    def contents(self) -> "Contents":
        """What is in it; no other than its caller changes that while the basket is locked."""
        return Contents(_contents.rows(basket=self.pk))

    def _put(self, product: Product, quantity: int, price_seen: Decimal | None, contents: "Contents") -> int:
        """Put in what finds room of `quantity`; how many that were."""
        self.touch()
        before = contents.get(product.pk, 0)
        added = max(0, min(quantity, contents.room_for(product.pk)))
        if before:
            self.lines.filter(product=product).update(quantity=before + added, price_seen=price_seen)
        elif added:
            self.lines.create(product=product, quantity=added, price_seen=price_seen)
        contents[product.pk] = before + added
        return added

    def fill(self, lines: "Iterable[BasketLine]") -> "list[BasketLine]":
        """Put in what finds room of these lines, for a caller who has locked this basket.

        Gives them back, each with the `quantity` that found room, and how many were `left_out`.
        """
        contents, filled = self.contents(), list(lines)
        for line in filled:
            wanted = line.quantity
            line.quantity = self._put(line.product, wanted, line.price_seen, contents)
            line.left_out = wanted - line.quantity
        return filled

    @transaction.atomic
    def take_over(self, visitors: "Basket") -> list["BasketLine"]:
        """Move the lines of a visitor's basket into this one and delete it; both are locked by the caller.

        Quantities of the same book add up, as far as there is room: see `fill`.
        """
        lines = self.fill(visitors.lines.select_related("product"))
        visitors.delete()
        return lines


_contents = Prepared(
    lambda: BasketLine.objects.filter(basket=Slot("basket")).order_by().values_list("product", "quantity")
)


class Contents(dict[int, int]):
    """The quantities in a basket by the keys of their products, and what may still be put to them."""

    def room_for(self, product: int) -> int:
        """How many more of a product find room; none in a basket from before there was a limit."""
        if not self.get(product) and len(self) >= Basket.MOST_TITLES:
            return 0
        room = min(BasketLine.MOST - self.get(product, 0), Basket.MOST_BOOKS - sum(self.values()))
        return max(0, room)

    def no_room(self, product: int) -> ValidationError:
        """Why no more of a product may be put in."""
        room = self.room_for(product)
        if room:
            text = f"A basket holds at most {Basket.MOST_BOOKS} books, and yours has room for {room} more."
        elif sum(self.values()) >= Basket.MOST_BOOKS:
            text = f"Your basket is full: {Basket.MOST_BOOKS} books are the most. Order them first, or take some out."
        else:
            text = f"Your basket is full: {Basket.MOST_TITLES} titles are the most. Order them first, or take one out."
        return ValidationError(text, code="full")


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

    def too_much(self: "Iterable[BasketLine]") -> str:
        """What to say of more than an order holds, as only a basket from before the limit does; or nothing."""
        quantities = [line.quantity for line in self]
        titles, books = len(quantities), sum(quantities)
        if titles <= Basket.MOST_TITLES and books <= Basket.MOST_BOOKS:
            return ""
        return (
            f"An order holds at most {Basket.MOST_TITLES} titles and {Basket.MOST_BOOKS} books. "
            f"These are {titles} titles and {books} books: take some out to go on."
        )


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
