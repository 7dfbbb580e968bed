from typing import Any, ClassVar

from django.db import models

RETURNS = (
    "You may send books back, whatever the reason. Pack them well, put the number of your order into the parcel, and "
    "send it within 14 days after you asked. What you paid for them goes back to you the way that it came, once we "
    "have looked at them."
)


class CompanyManager(models.Manager["Company"]):
    def current(self) -> "Company":
        """The one that there is; nothing but a name where nobody wrote more."""
        return self.filter(pk=Company.ONLY).first() or Company(pk=Company.ONLY)


class Company(models.Model):
    """Who sells: one row, which the owners edit. What was printed before keeps what it said: see `Order.seller`."""

    ONLY = 1
    # What an order keeps of it.
    PRINTED: ClassVar[tuple[str, ...]] = ("name", "address", "vat_number", "bank_details", "email")

    name = models.CharField(max_length=200, default="BookTime")
    address = models.TextField(max_length=500, blank=True, help_text="As on a letter, a line each.")
    vat_number = models.CharField("VAT number", max_length=30, blank=True)
    bank_details = models.TextField(
        max_length=500, blank=True, help_text="Where transfers go to, a line each: bank, account, sort code, IBAN, BIC."
    )
    email = models.EmailField("e-mail address", blank=True)
    returns = models.TextField(
        "returns and withdrawal",
        max_length=5000,
        blank=True,
        default=RETURNS,
        db_default="",
        help_text="What shoppers read before they ask to send something back: who pays for the way, where to, by when.",
    )

    objects = CompanyManager()

    class Meta:
        verbose_name_plural = "company"

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = self.ONLY
        # Whoever makes another writes over the one.
        kwargs.pop("force_insert", None)
        super().save(*args, **kwargs)

    def in_a_line(self) -> str:
        """Who it is, as the foot of a page says it: "BookTime Ltd, 1 High Street, VAT number GB 1, us@shop.example"."""
        vat = f"VAT number {self.vat_number}" if self.vat_number else ""
        return ", ".join(filter(None, (self.name, *self.address.splitlines(), vat, self.email)))

    def printed(self) -> dict[str, str] | None:
        """What a paper says of it; None as long as nobody wrote where it is."""
        return {name: getattr(self, name) for name in self.PRINTED} if self.address else None
