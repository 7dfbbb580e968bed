"""Countries: their codes and their names.

A code is ISO 3166's of two letters, in small ones; the United Kingdom is `uk`. Each is known here, so that whatever an
order of before says can be read; where the shop delivers to is for `shop.models.DeliveryMethod` to say.
"""

from collections.abc import Iterable
from functools import lru_cache

from babel import Locale
from django.conf import settings
from django.utils.translation import get_language, to_locale

HOME = "uk"
# Those that addresses may be in whatever is delivered where.
ALWAYS = ("uk", "us")
# What CLDR has codes of two letters for beside countries: unions, parts of countries, placeholders.
NO_COUNTRIES = "ac cp cq dg ea eu ez ic qo ta un xa xb xk zz"


def canonical(code: str) -> str:
    """The one spelling of a country's code: "GB" is "uk". Of what is no code, its small letters."""
    code = code.strip().lower()
    return HOME if code == "gb" else code


def names() -> dict[str, str]:
    """Every country by its code, sorted by its name, in the language of who reads."""
    return _names(to_locale(get_language() or settings.LANGUAGE_CODE))


@lru_cache
def _names(locale: str) -> dict[str, str]:
    territories = Locale.parse(locale).territories
    found = {canonical(code): name for code, name in territories.items() if len(code) == 2 and code.isalpha()}
    return dict(sorted(((c, n) for c, n in found.items() if c not in NO_COUNTRIES.split()), key=lambda pair: pair[1]))


def name_of(code: str) -> str:
    """The country's name, or the code where there is no such country."""
    return names().get(code, code)


def is_known(code: str) -> bool:
    return code in names()


def choices(codes: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """(code, name) of these countries, or of all, by name; those of no country by their code."""
    if codes is None:
        return list(names().items())
    return sorted(((code, name_of(code)) for code in set(codes)), key=lambda pair: pair[1])
