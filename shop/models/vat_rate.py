from collections.abc import Callable
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from shop.database.constraints import Check, one_of
from shop.models.product import BookFormat


class VatRateManager(models.Manager["VatRate"]):
    def finder(self) -> Callable[[str, str], Decimal | None]:
        """What finds the rate, in percent, for a country and a format; None where the country has none. One query."""
        rates = {(country, format): percent for country, format, percent in self.values_list(*VatRate.WHAT, "percent")}

        def find(country: str, format: str) -> Decimal | None:
            return rates.get((country, format), rates.get((country, "")))

        return find


class VatRate(models.Model):
    """What of a price is VAT where it is sent to a country; an empty format is every format that has no rate itself."""

    WHAT = ("country", "format")

    country = models.CharField(max_length=2, help_text="As in addresses: uk, us or another code in small letters.")
    format = models.CharField(
        max_length=10, choices=BookFormat.choices, blank=True, help_text="Leave it empty for every format."
    )
    percent = models.DecimalField(
        max_digits=5, decimal_places=2, validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))]
    )

    objects = VatRateManager()

    class Meta:
        ordering = ("country", "format")
        verbose_name = "VAT rate"
        constraints = [
            one_of("format", BookFormat, "vat_rate_format_known", blank=True),
            models.UniqueConstraint(fields=["country", "format"], name="vat_rate_once"),
            Check(name="vat_rate_in_percent", condition=models.Q(percent__gte=0, percent__lte=100)),
        ]

    def __str__(self) -> str:
        return f"{self.percent.normalize():f} % in {self.country}, {self.get_format_display() or 'every format'}"
