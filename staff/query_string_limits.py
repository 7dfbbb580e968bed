"""What stands in an address of the back offices, cut to what somebody may have meant: the database refuses a search for
thousands of words, and Django puts together what it is given.
"""

from django.http import QueryDict

from shop.search.folding import LONGEST_WORD, MOST_WORDS

SEARCHES = ("q", "term")
MOST_VALUES = 50
LONGEST_VALUE = 2_000


def shortened(query: QueryDict) -> QueryDict:
    """The query with at most so many values of a name, so long values, and so many words of a search."""
    kept = QueryDict(mutable=True)
    for name, values in query.lists():
        cut = searched if name in SEARCHES else shorter
        kept.setlist(name, [cut(value) for value in values[:MOST_VALUES]])
    kept._mutable = False
    return kept


def shorter(value: str) -> str:
    return value[:LONGEST_VALUE]


def searched(text: str) -> str:
    """The words of a search that are looked for; an ordinary one stays as it was written."""
    words = text.split()
    if len(words) <= MOST_WORDS and all(len(word) <= LONGEST_WORD for word in words):
        return text
    return " ".join(word[:LONGEST_WORD] for word in words[:MOST_WORDS])
