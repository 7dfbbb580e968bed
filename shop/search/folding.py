"""How a text becomes the words that it is found by, and a shopper's query those that it asks for."""

import re
import unicodedata

from shop.values.isbn import find_isbn

APOSTROPHES = re.compile(r"['’ʼ‘`]")
WORDS = re.compile(r"[^\W_]+")
MOST_WORDS = 12
# PostgreSQL refuses a query with a word above 2,046 bytes; no word that is looked for comes near.
LONGEST_WORD = 100


def fold(text: str) -> str:
    """The words of a text without accents, case and punctuation: "Gabriel García" -> "gabriel garcia"."""
    plain = APOSTROPHES.sub("", text)
    if plain.isascii():  # most text by far, and it has nothing to take off
        return " ".join(WORDS.findall(plain.lower()))
    plain = unicodedata.normalize("NFKD", plain).casefold()
    # Letters with a stroke or a ligature do not decompose.
    plain = plain.translate({0xF8: "o", 0x142: "l", 0x111: "d", 0xE6: "ae", 0x153: "oe", 0xF0: "d", 0xFE: "th"})
    return " ".join(WORDS.findall("".join(c for c in plain if not unicodedata.combining(c))))


def query_words(text: str) -> list[str]:
    """The folded words that a shopper's query asks for; an ISBN counts as one word, hyphens or not."""
    isbn = find_isbn(text)
    if isbn:
        return [isbn]
    words: list[str] = []
    for chunk in text.split():
        isbn = find_isbn(chunk)
        words += [isbn] if isbn else fold(chunk).split()
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in words))[:MOST_WORDS]
