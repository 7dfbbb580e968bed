"""E-mail addresses: one spelling for each mailbox, by which accounts are told apart, and what an address may be."""

from contextlib import suppress
from typing import Any

import idna
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

LONGEST_DOMAIN = 253


def canonical(address: str) -> str:
    """An address as it is kept and compared: in small letters, its domain as it is looked up ("xn--bcher-kva.example").

    What stands before the @ is left alone where it is not plain ASCII: small letters may make another mailbox of it.
    """
    local, at, domain = address.strip().rpartition("@")
    if local.isascii():
        local = local.lower()
    if at and not domain.isascii() and len(domain) <= LONGEST_DOMAIN:
        with suppress(UnicodeError):  # no domain, as the validator will say
            domain = idna.encode(domain, uts46=True).decode()
    return f"{local}{at}{domain.lower()}"


class AddressValidator(EmailValidator):
    """As Django's, but that mail must be able to reach it: few servers take other letters before the @."""

    def __call__(self, value: str | None) -> None:
        local = (value or "").rpartition("@")[0]
        if not local.isascii():
            raise ValidationError(
                "Before the @, letters without accents (a to z), digits and signs alone can be mailed to.",
                code="invalid",
                params={"value": value},
            )
        super().__call__(value)


validate_address = AddressValidator()


class AddressField(forms.EmailField):
    """An e-mail address, cleaned to its one spelling."""

    default_validators = [validate_address]

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return canonical(value) if isinstance(value, str) else value
