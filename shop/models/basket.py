from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction

from shop.models.catalogue import Product
from shop.models.user import Address, User

if TYPE_CHECKING:
    from shop.models.order import Order


class BasketQuerySet(models.QuerySet["Basket"]):
    def open(self) -> "BasketQuerySet":
        return self.filter(status=Basket.Status.OPEN)


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

        return place_order(self, billing_address, shipping_address)

    def add(self, product: Product, quantity: int = 1) -> "BasketLine":
        """Put in `quantity` more of a product, at most 99 of it in all."""
        with transaction.atomic():
            Basket.objects.select_for_update().get(pk=self.pk)
            line, created = self.lines.get_or_create(product=product, defaults={"quantity": quantity})
            if not created:
                line.set_quantity(min(line.quantity + quantity, BasketLine.MOST))
        return line


class BasketLine(models.Model):
    MOST = 99

    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    quantity = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST)])
    # What the shopper saw when it was put in, so that a change can be pointed out.
    price_seen = models.DecimalField(max_digits=8, decimal_places=2, editable=False)

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

    def set_quantity(self, quantity: int) -> None:
        self.quantity = quantity
        self.save(update_fields=["quantity"])
