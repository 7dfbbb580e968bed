from collections.abc import Iterable
from typing import Any

from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponse
from django.utils.text import Truncator

from shop.models import Basket, BasketLine


class LatestMessages(CookieStorage):
    """Messages for the visitor's next page, in a cookie: the newest few, so that who saw no page need not read on."""

    MOST = 5

    def _store(self, messages: list[Message], response: HttpResponse, *args: Any, **kwargs: Any) -> list[Message]:
        return super()._store(messages[-self.MOST :], response, *args, **kwargs)  # type: ignore[misc]


def books_named(counts: Iterable[tuple[int, object]], most: int = 3) -> str:
    """How many of which book, the first `most` by name: "2 x “Emma”, 1 x “Persuasion”, 4 more books"."""
    counted = [(number, book) for number, book in counts if number]
    named = [f"{number} x “{book}”" for number, book in counted[:most]]
    more = sum(number for number, _ in counted[most:])
    return ", ".join([*named, *([f"{more} more book{'' if more == 1 else 's'}"] if more else [])])


def no_room(lines: Iterable[BasketLine]) -> str:
    """What to say of lines that a basket was filled with and that found no room in it; nothing where all did."""
    # A message travels in a cookie, where there is little room either.
    left = books_named(((line.left_out, Truncator(line.product).chars(60)) for line in lines), most=10)
    if not left:
        return ""
    return (
        f"There was no room for {left}: {BasketLine.MOST} is the most of one book, and {Basket.MOST_TITLES} titles and "
        f"{Basket.MOST_BOOKS} books are the most of a basket."
    )
