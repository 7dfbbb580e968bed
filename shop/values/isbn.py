"""International Standard Book Numbers (ISO 2108): checked, and always kept as 13 digits."""

from django.core.exceptions import ValidationError


def normalise_isbn(text: str) -> str:
    """The ISBN-13 of an ISBN-10 or ISBN-13 written with or without hyphens and spaces: "9780439023481".

    Raises ValueError, with a sentence for a person, where it is not an ISBN.
    """
    digits = "".join(character for character in text if character not in " -‐‑–").upper()
    if (
        len(digits) == 10
        and digits[:9].isascii()
        and digits[:9].isdigit()
        and (digits[9].isdigit() or digits[9] == "X")
    ):
        if sum((10 - place) * (10 if digit == "X" else int(digit)) for place, digit in enumerate(digits)) % 11:
            raise ValueError(f"{text} is not an ISBN: its check digit is wrong.")
        return f"978{digits[:9]}{check_digit('978' + digits[:9])}"
    if len(digits) == 13 and digits.isascii() and digits.isdigit() and digits[:3] in ("978", "979"):
        if digits[12] != check_digit(digits[:12]):
            raise ValueError(f"{text} is not an ISBN: its check digit is wrong.")
        return digits
    raise ValueError(f"{text} is not an ISBN: write its 10 or 13 digits, with or without hyphens.")


def check_digit(first_twelve: str) -> str:
    """The thirteenth digit (ISO 2108, annex A: weights 1 and 3, modulo 10)."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(first_twelve))
    return str(-total % 10)


def find_isbn(text: str) -> str | None:
    """The ISBN-13 that `text` as a whole is, or None."""
    try:
        return normalise_isbn(text)
    except ValueError:
        return None


def validate_isbn(value: str) -> None:
    try:
        normalise_isbn(value)
    except ValueError as error:
        raise ValidationError(str(error), code="isbn") from error
