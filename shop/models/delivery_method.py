"""How books are delivered, where to, and what it costs: the rule of pages, orders, mails and the basket."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from shop.database.constraints import Check
from shop.values import countries
from shop.values.money import ZERO


class DeliveryMethodQuerySet(models.QuerySet["DeliveryMethod"]):
    def active(self) -> "DeliveryMethodQuerySet":
        return self.filter(active=True)

    def rates(self) -> "Rates":
        """All that delivery costs now, in two queries, or one where there is no active method. Read it once a page."""
        return Rates(self.active().prefetch_related("bands"))

    def serving(self, country: str) -> list["DeliveryMethod"]:
        """The active methods that deliver to a country."""
        return [method for method in self.active() if method.serves(country)]

    def countries(self) -> set[str]:
        """The codes of the countries that addresses may be in: those that an active method names, and `ALWAYS`."""
        named = self.active().order_by().values_list("countries", flat=True)
        return {*countries.ALWAYS, *(countries.canonical(code) for codes in named for code in codes)}


def check_countries(codes: Any) -> None:
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise ValidationError('Give a list of codes, such as ["uk", "ie"].', code="no_list")
    if unknown := [code for code in codes if not countries.is_known(countries.canonical(code))]:
        raise ValidationError(f"There is no country {', '.join(unknown)}.", code="no_country")


class DeliveryMethod(models.Model):
    """A way to deliver, and its price. An order keeps both: to change or delete it changes no order."""

    name = models.CharField(max_length=100, help_text="As shoppers read it: Royal Mail Tracked 48.")
    price = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(ZERO)])
    free_from = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(ZERO)],
        help_text="The sum of books from which it costs nothing. Leave it empty where it always costs its price.",
    )
    countries = models.JSONField(
        default=list, blank=True, validators=[check_countries], help_text="Where it delivers to; none is everywhere."
    )
    days_from = models.PositiveSmallIntegerField(
        "earliest", null=True, blank=True, help_text="Working days on the way at least."
    )
    days_to = models.PositiveSmallIntegerField("latest", null=True, blank=True, help_text="And at most.")
    active = models.BooleanField(default=True, help_text="Whether it is offered.")

    objects = DeliveryMethodQuerySet.as_manager()

    class Meta:
        ordering = ("price", "pk")
        constraints = [
            Check(name="delivery_price_not_negative", condition=models.Q(price__gte=0)),
            Check(
                name="delivery_free_from_not_negative", condition=models.Q(free_from=None) | models.Q(free_from__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        check_countries(self.countries or [])
        self.countries = [countries.canonical(code) for code in self.countries or []]
        super().save(*args, **kwargs)

    def clean(self) -> None:
        if self.days_from is not None and self.days_to is not None and self.days_from > self.days_to:
            raise ValidationError({"days_to": "The latest day is before the earliest."})

    def serves(self, country: str) -> bool:
        return not self.countries or country in map(countries.canonical, self.countries)

    @property
    def days(self) -> str:
        """How long it takes: "2 to 3 working days", "1 working day"; nothing where nobody says."""
        first, last = self.days_from, self.days_to
        if last is None:
            return "" if first is None else f"from {_working_days(first)}"
        if first is None:
            return f"up to {_working_days(last)}"
        return _working_days(last) if first == last else f"{first} to {_working_days(last)}"

    def price_for(self, books: Decimal, weight: int | None = None) -> Decimal | None:
        """What it costs to deliver books for that sum; None where they are too heavy for it.

        `weight` in grams; None where that of a book is not known. The method's bands count where it has any and the
        weight is known, else its price.
        """
        price: Decimal | None = self.price
        if weight is not None and (bands := list(self.bands.all())):
            price = next((band.price for band in bands if band.up_to >= weight), None)
        return ZERO if price is not None and self.is_free(books) else price

    def is_free(self, books: Decimal) -> bool:
        """Whether so much is bought that it costs nothing."""
        return self.free_from is not None and books >= self.free_from


def _working_days(number: int) -> str:
    return f"{number} working day{'' if number == 1 else 's'}"


class DeliveryBand(models.Model):
    """What a method costs for a parcel of at most so many grams."""

    method = models.ForeignKey(DeliveryMethod, on_delete=models.CASCADE, related_name="bands")
    up_to = models.PositiveIntegerField("up to (grams)", validators=[MinValueValidator(1)])
    price = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(ZERO)])

    class Meta:
        ordering = ("up_to",)
        verbose_name = "weight band"
        constraints = [
            models.UniqueConstraint(fields=["method", "up_to"], name="delivery_band_once"),
            Check(name="delivery_band_price_not_negative", condition=models.Q(price__gte=0)),
        ]

    def __str__(self) -> str:
        return f"up to {self.up_to} g"


@dataclass(frozen=True)
class Offer:
    """A way in which books may be delivered, and what it costs for them; without a method delivery is free."""

    method: DeliveryMethod | None
    price: Decimal

    @property
    def key(self) -> int:
        return self.method.pk if self.method else 0

    @property
    def name(self) -> str:
        return self.method.name if self.method else ""

    @property
    def days(self) -> str:
        return self.method.days if self.method else ""


FREE = Offer(None, ZERO)


class Rates:
    """The active methods, and what may be asked of them together. It is true where there is any."""

    def __init__(self, methods: Iterable[DeliveryMethod]) -> None:
        self.methods = list(methods)

    def __bool__(self) -> bool:
        return bool(self.methods)

    def offers(self, country: str, books: Decimal, weight: int | None = None) -> list[Offer]:
        """What serves a country, the cheapest first: see `DeliveryMethod.price_for`.

        Where books are too heavy for every method that serves it, these are offered at the price of their last bands:
        what can be bought can be sent, if in several parcels.
        """
        serving = [method for method in self.methods if method.serves(country)]
        priced = [(method, method.price_for(books, weight)) for method in serving]
        offers = [Offer(method, price) for method, price in priced if price is not None]
        if serving and not offers:
            last = [(method, list(method.bands.all())[-1].price) for method in serving]
            offers = [Offer(method, ZERO if method.is_free(books) else price) for method, price in last]
        return sorted(offers, key=lambda offer: (offer.price, offer.key))

    def choose(self, wanted: DeliveryMethod | None, country: str, books: Decimal, weight: int | None = None) -> Offer:
        """What `wanted` costs, or the cheapest offer where nobody chose; `FREE` where there is no active method.

        Raises ValidationError, with the code "delivery", where that method, or none at all, delivers to the country.
        """
        if not self.methods and wanted is None:
            return FREE
        offers = self.offers(country, books, weight)
        if not offers:
            raise ValidationError(
                f"We do not deliver to {countries.name_of(country)} at the moment. Choose an address in another "
                "country to go on.",
                code="delivery",
            )
        found = [offer for offer in offers if wanted is None or offer.key == wanted.pk]
        if not found:
            raise ValidationError(
                f"“{wanted}” does not deliver these books to {countries.name_of(country)}. Choose another way of "
                "delivery, then place your order.",
                code="delivery",
            )
        return found[0]

    def missing_for_free(self, country: str, books: Decimal, weight: int | None = None) -> Decimal | None:
        """For how much more books would be delivered there for nothing; None where no sum of them would."""
        sums = [offer.method.free_from for offer in self.offers(country, books, weight) if offer.method]
        missing = [free_from - books for free_from in sums if free_from is not None]
        return max(ZERO, min(missing)) if missing else None
