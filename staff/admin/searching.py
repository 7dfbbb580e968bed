"""Finding orders, addresses and people as they are remembered: by a number, an e-mail address, words of a name.

Each way has an index of its own; a union of what they find keeps PostgreSQL from reading the whole table.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Lookup, Q

from shop.models import Order, User
from shop.search.folding import LONGEST_WORD, MOST_WORDS
from shop.values.email_addresses import canonical

WORDS = re.compile(r"[^\W_]+")


@CharField.register_lookup
class HoldsWords(Lookup[bool]):
    """`name__words=["jane", "ey"]`: holds a word that begins with each of these, in capitals or not."""

    lookup_name = "words"
    prepare_rhs = False
    rhs: Sequence[str]

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        lhs, params = self.process_lhs(compiler, connection)
        query = " && ".join("to_tsquery('simple', %s || ':*')" for _ in self.rhs)
        return f"to_tsvector('simple', {lhs}) @@ ({query})", [*params, *self.rhs]

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        lhs, params = self.process_lhs(compiler, connection)
        words = f"' ' || replace(replace({lhs}, '-', ' '), '''', ' ')"
        found = " AND ".join(f"{words} LIKE '%% ' || %s || '%%'" for _ in self.rhs)
        return f"({found})", [value for word in self.rhs for value in (*params, word)]


def ids(term: str) -> list[int]:
    """An order's number, or an invoice's, out of a search: "17", "#17", "BT17"."""
    number = term.strip().upper().removeprefix("BT").removeprefix("#")
    return [int(number)] if number.isdecimal() and len(number) < 18 else []


def words_of(term: str) -> list[str]:
    """The words that are looked for; a name holds fewer, and a database refuses thousands."""
    return [word[:LONGEST_WORD] for word in WORDS.findall(term)[:MOST_WORDS]]


def by_email(term: str) -> Any:
    """The people whose e-mail address begins like this."""
    return User.objects.order_by().filter(email__startswith=canonical(term))


def named(model: type[Any], term: str, *fields: str) -> list[Any]:
    """For each of the fields, a query of those that hold the words in it."""
    words = words_of(term)
    everyone = model.objects.order_by()
    return [everyone.filter(**{f"{field}__words": words}) for field in fields] if words else []


def found_in(queryset: Any, found: Iterable[Any]) -> Any:
    """Those of a queryset that any of the queries finds."""
    keys = [query.values("pk") for query in found]
    return queryset.filter(pk__in=keys[0].union(*keys[1:]) if len(keys) > 1 else keys[0]) if keys else queryset.none()


def find_orders(queryset: Any, term: str, *names: str, email: bool) -> Any:
    """Orders by number, by words of one of their names and, where `email` says so, by their customer's address."""
    if ids(term):
        return queryset.filter(pk__in=ids(term))
    by_customer = [Order.objects.order_by().filter(user__in=by_email(term).values("pk"))] if email else []
    return found_in(queryset, [*named(Order, term, *names), *by_customer])


def find_people(queryset: Any, term: str) -> Any:
    """People by e-mail address, or by words of which each is in their first or last name."""
    people = User.objects.order_by()
    for word in words_of(term):
        people = people.filter(Q(first_name__words=[word]) | Q(last_name__words=[word]))
    return found_in(queryset, [by_email(term), *([people] if words_of(term) else [])])
