from typing import Any

from django import forms

from shop.models import Address


class AddressForm(forms.ModelForm[Address]):
    """A postal address. Whose it is, the caller says: `AddressForm(data, instance=Address(user=user))`."""

    class Meta:
        model = Address
        fields = Address.POSTAL_FIELDS
        help_texts = {"name": "Who the parcel is for."}

    AUTOCOMPLETE = {
        "name": "name",
        "address1": "address-line1",
        "address2": "address-line2",
        "zip_code": "postal-code",
        "city": "address-level2",
        "country": "country",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, token in self.AUTOCOMPLETE.items():
            self.fields[name].widget.attrs["autocomplete"] = token
