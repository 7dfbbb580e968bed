from django.db import models

from shop.database.country_field import CountryField
from shop.models.user import Address


class OrderAddresses(models.Model):
    """Where an order is billed to and sent to: the text of that moment, whatever becomes of the shopper's addresses."""

    billing_name = models.CharField(max_length=60)
    billing_address1 = models.CharField(max_length=60)
    billing_address2 = models.CharField(max_length=60, blank=True)
    billing_zip_code = models.CharField(max_length=12, blank=True)
    billing_city = models.CharField(max_length=120)
    billing_country = CountryField()
    shipping_name = models.CharField(max_length=60)
    shipping_address1 = models.CharField(max_length=60)
    shipping_address2 = models.CharField(max_length=60, blank=True)
    shipping_zip_code = models.CharField(max_length=12, blank=True)
    shipping_city = models.CharField(max_length=120)
    shipping_country = CountryField()

    class Meta:
        abstract = True

    @staticmethod
    def texts_of(**addresses: Address) -> dict[str, str]:
        """The fields of an order that are copied from its `billing` and `shipping` address."""
        texts = {
            f"{kind}_{field}": getattr(address, field)
            for kind, address in addresses.items()
            for field in Address.POSTAL_FIELDS
        }
        return texts | {f"{kind}_city": address.town_and_state() for kind, address in addresses.items()}

    def billing_lines(self) -> list[str]:
        """Whom it is billed to, as it stands on an invoice."""
        return self._postal_lines("billing")

    def shipping_lines(self) -> list[str]:
        """Whom it is sent to, as it stands on the parcel."""
        return self._postal_lines("shipping")

    def _postal_lines(self, kind: str) -> list[str]:
        text = {field: getattr(self, f"{kind}_{field}") for field in Address.POSTAL_FIELDS}
        return [text["name"], *Address(**text).lines()]
