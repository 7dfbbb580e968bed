"""What was found in the catalogue, kept by each process until the catalogue changes.

Books are looked at a thousand times for each time that one of them changes, and a single question tells whether one
did: triggers in the database (`shop.database.catalogue_triggers`) note every change in the transaction that
makes it. So what is shown is never older than the request.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection

from shop.browsing.listing import Subject
from shop.models import Company

T = TypeVar("T")

# Findings that are kept, each at most a page of books: some 20 kB.
MOST = 500

_VERSION = {
    "postgresql": """COALESCE(current_setting('shop.catalogue_noted', true), '') || COALESCE(
        (SELECT string_agg(mark::text, ' ' ORDER BY id) FROM shop_cataloguechange), '')""",
    "sqlite": "COALESCE((SELECT mark FROM shop_cataloguechange), '')",
}
# With the subjects, and who sells, which most pages show, where the version is another one than that known.
_NOW = """
SELECT now.version, company.name, company.address, company.vat_number, company.email,
    tag.id, tag.name, tag.slug, tag.description
FROM (SELECT {version} AS version) AS now LEFT JOIN shop_producttag AS tag ON tag.active AND now.version <> %s
    LEFT JOIN shop_company AS company ON now.version <> %s
ORDER BY tag.name
"""
_COMPANY = ("name", "address", "vat_number", "email")


class Catalogue:
    """The catalogue between two changes; `subjects` are the active ones, in the order of the alphabet."""

    def __init__(self, version: str, subjects: list[Subject], company: Company) -> None:
        self.version, self.subjects, self.company = version, subjects, company

    def find(self, find: Callable[..., T], *args: Any) -> T:
        """`find(*args)`, where it was not found before. Whoever gets it shares it with others and changes nothing."""
        return _found(self.version, find, *args)


@lru_cache(maxsize=MOST)
def _found(version: str, find: Callable[..., Any], *args: Any) -> Any:
    return find(*args)


# Before the first question; no database has this version, as one that never changed has the empty one.
NOT_KNOWN = Catalogue("not known", [], Company())
_latest = NOT_KNOWN


def catalogue_now() -> Catalogue:
    """The catalogue as the database holds it at this moment: one query."""
    global _latest
    known = _latest
    with connection.cursor() as cursor:
        cursor.execute(_NOW.format(version=_VERSION[connection.vendor]), [known.version] * 2)
        rows = cursor.fetchall()
    version = rows[0][0]
    if version != known.version:
        seller, of_subject = slice(1, 1 + len(_COMPANY)), slice(1 + len(_COMPANY), None)
        subjects = [Subject._make(row[of_subject]) for row in rows if row[of_subject][0] is not None]
        known_of = {name: text for name, text in zip(_COMPANY, rows[0][seller], strict=True) if text is not None}
        _latest = known = Catalogue(version, subjects, Company(**known_of))
    return known
