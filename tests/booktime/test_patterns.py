"""Every regular expression of the project takes time in proportion to the text: strangers choose that text.

The expressions are read from the source, so that a new one is held to this, too.
"""

import ast
import itertools
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from re import _constants as kinds
from re import _parser as parser

import pytest

from booktime.observing import logs

pytestmark = pytest.mark.once

ROOT = Path(logs.__file__).parents[2]
# What the owner of a site sets, no stranger.
TRUSTED = {"booktime/environment.py"}
METHODS = {"search", "match", "fullmatch", "sub", "split", "findall", "finditer", "subn"}
# For four times the text a linear search takes four times as long, a quadratic one sixteen times.
MOST_GROWTH = 9
SHORT = 1_000


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for app in ("booktime", "shop", "support", "staff"):
        for path in (ROOT / app).rglob("*.py"):
            yield path, ast.parse(path.read_text())


def name_of(node: ast.AST) -> str:
    """`PATTERN` of `PATTERN` and `module.PATTERN`."""
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def expressions() -> Iterator[tuple[str, str | bytes, tuple[str, ...]]]:
    """Each expression as where it stands, what it is, and by which methods it is used."""
    trees = list(sources())
    used = defaultdict(set)
    calls = [(path, node) for path, tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for _, call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
            used[name_of(call.func.value)].add(call.func.attr)
    named = {
        id(node.value): name_of(node.targets[0])
        for _, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
    }
    for path, call in calls:
        if not (isinstance(call.func, ast.Attribute) and name_of(call.func.value) == "re"):
            continue
        if call.args and isinstance(call.args[0], ast.Constant) and call.func.attr in METHODS | {"compile"}:
            methods = (call.func.attr,) if call.func.attr in METHODS else tuple(sorted(used[named.get(id(call), "")]))
            # One that is kept in a tuple is used we know not how.
            yield f"{path.relative_to(ROOT)}:{call.lineno}", call.args[0].value, methods or ("search",)


EXPRESSIONS = [found for found in expressions() if found[0].partition(":")[0] not in TRUSTED]


def examples(tree) -> list[str]:
    """Texts that match a parsed expression, or parts of it: one for each way through its alternatives."""
    texts = [""]
    for kind, value in tree:
        texts = [text + more for text, more in itertools.islice(itertools.product(texts, pieces_of(kind, value)), 40)]
    return texts


def pieces_of(kind, value) -> list[str]:
    if kind is kinds.LITERAL:
        return [chr(value)]
    if kind is kinds.NOT_LITERAL:
        return ["a" if value != ord("a") else "b"]
    if kind is kinds.ANY:
        return ["a"]
    if kind is kinds.IN:
        return [member(value)]
    if kind is kinds.BRANCH:
        return [text for way in value[1] for text in examples(way)]
    if kind is kinds.SUBPATTERN:
        return examples(value[-1])
    if kind in {kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT}:
        least, _, inner = value
        return [text * max(least, 1) for text in examples(inner)]
    return [""]


def member(choices) -> str:
    """A character that a class takes."""
    return next((character for character in "a1 /:=@._-%\"'" if takes(choices, character)), "a")


def takes(choices, character: str) -> bool:
    code, negated, found = ord(character), False, False
    categories = {
        kinds.CATEGORY_DIGIT: str.isdigit,
        kinds.CATEGORY_SPACE: str.isspace,
        kinds.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
        kinds.CATEGORY_NOT_DIGIT: lambda c: not c.isdigit(),
        kinds.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
        kinds.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
    }
    for kind, value in choices:
        if kind is kinds.NEGATE:
            negated = True
        elif kind is kinds.LITERAL:
            found |= value == code
        elif kind is kinds.RANGE:
            found |= value[0] <= code <= value[1]
        elif kind is kinds.CATEGORY:
            found |= categories[value](character)
    return found != negated


def hostile(expression: str) -> list[str]:
    """What is repeated to keep the expression busy: each part of what it matches, alone and after a beginning."""
    flags = re.compile(expression).flags & ~re.UNICODE
    whole = list(dict.fromkeys(examples(parser.parse(expression, flags))))[:12]
    parts = {text[start:end] for text in whole for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
    shortest = sorted(parts, key=lambda part: (len(part), part))
    return [*dict.fromkeys([*whole, *shortest[:80], "a", " ", "/", "a ", "0", "://:", "a.", "\n"])]


def seconds(search: Callable[[str], object], text: str, tries: int) -> float:
    best = float("inf")
    for _ in range(tries):
        began = time.perf_counter()
        search(text)
        best = min(best, time.perf_counter() - began)
    return best


def grows_too_fast(search: Callable[[str], object], part: str) -> bool:
    """Whether four times the text takes far more than four times as long, each time it is looked at more closely."""

    def growth(length: int, tries: int) -> float:
        short, long = (part * (size // len(part)) + "\0" for size in (length, 4 * length))
        return seconds(search, long, tries) / seconds(search, short, tries)

    return growth(SHORT, 2) > MOST_GROWTH and growth(SHORT, 7) > MOST_GROWTH and growth(2 * SHORT, 5) > MOST_GROWTH


def search_by(expression: str | bytes, method: str) -> Callable[[str], object]:
    pattern = re.compile(expression)

    def search(text: str) -> object:
        given = text.encode() if isinstance(expression, bytes) else text
        if method in {"sub", "subn"}:
            return getattr(pattern, method)(given[:0], given)
        found = getattr(pattern, method)(given)
        return list(found) if method == "finditer" else found

    return search


def slow_parts(search: Callable[[str], object], expression: str | bytes) -> list[str]:
    text = expression.decode("latin-1") if isinstance(expression, bytes) else expression
    return [part for part in hostile(text) if grows_too_fast(search, part)]


def test_expressions_are_found():
    places = {place.partition(":")[0] for place, _, _ in EXPRESSIONS}
    assert {
        "booktime/observing/logs.py",
        "shop/search/folding.py",
        "shop/views/media.py",
        "support/live/socket_admission.py",
    } <= places
    kept = {pattern.pattern for pattern, _ in logs.SECRETS}
    assert kept <= {expression for _, expression, _ in EXPRESSIONS}


@pytest.mark.parametrize("expression", [r"(://[^/\s:@]*:)[^@\s]+@", r"\s+$", r"a\w*:"])
def test_one_that_is_not_linear_is_noticed(expression):
    assert slow_parts(search_by(expression, "search"), expression)


@pytest.mark.parametrize(("place", "expression", "methods"), EXPRESSIONS, ids=[found[0] for found in EXPRESSIONS])
def test_expression_takes_time_in_proportion_to_the_text(place, expression, methods):
    for method in methods:
        assert not slow_parts(search_by(expression, method), expression), method


def test_scrubbing_a_line_takes_time_in_proportion_to_it():
    parts = {part for pattern, _ in logs.SECRETS for part in hostile(pattern.pattern)}
    assert not [part for part in sorted(parts) if grows_too_fast(lambda text: logs.scrub(text, len(text)), part)]
