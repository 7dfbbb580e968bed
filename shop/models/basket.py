from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from shop.database.compiled_queries import CompiledQuery, Placeholder
from shop.database.constraints import one_of
from shop.models.basket_line import MOST_BOOKS, MOST_TITLES, BasketLine
from shop.models.product import Product
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
        baskets = self.select_for_update()
        try:
            return baskets.get_or_create(user=user, status=Basket.OPEN)[0]
        except IntegrityError:  # one stood in the way of ours, and was ordered before we had it
            return baskets.get_or_create(user=user, status=Basket.OPEN)[0]


class Basket(models.Model):
    Status: TypeAlias = BasketStatus
    OPEN, SUBMITTED = Status
    EXACTNESS = timedelta(days=1)

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="baskets")
    status = models.IntegerField(choices=Status.choices, default=Status.OPEN)
    date_added = models.DateTimeField(auto_now_add=True)
    # When a visitor last changed it, as exactly as EXACTNESS: an abandoned one is swept away.
    date_updated = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    MOST_TITLES, MOST_BOOKS = MOST_TITLES, MOST_BOOKS

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
        """Order what is in this basket: see `Order.objects.place`."""
        order: Order = apps.get_model("shop.Order").objects.place(self, billing_address, shipping_address)
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


_contents = CompiledQuery(
    lambda: BasketLine.objects.filter(basket=Placeholder("basket")).order_by().values_list("product", "quantity")
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
