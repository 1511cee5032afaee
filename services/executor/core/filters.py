"""The conditions within JSONPath's ``[?(…)]``: ``@.price > 10 && @.kind == 'book'``.

Comparisons ``== != < <= > >=``, ``in`` and ``nin`` with a list, existence (``@.x``), ``!``, ``&&``,
``||`` and parentheses. Values of different types are unequal and have no order.

A filter is as long as its author likes and is asked of many items: its terms cost, and so does
what a comparison has to look through.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from services.executor.core.model import Json

Spend = Callable[[int], None]
Test = Callable[[Json, Spend], bool]
Operand = Callable[[Json], "Json | _Missing"]

Compared = Union[Json, "_Missing"]
Compare = Callable[[Compared, Compared, Spend], bool]

_MAX_DEPTH = 40
_TOKEN = re.compile(
    r"""\s*(?:(?P<word>&&|\|\||==|!=|<=|>=|<|>|!|\(|\)|\[|\]|,|(?:nin|in)\b)
    |(?P<path>@(?:\.[A-Za-z_][\w-]*|\[\d+\]|\['[^']*'\]|\["[^"]*"\])*)
    |(?P<number>-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<name>true|false|null))\s*""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")
_HOLDERS = frozenset((dict, list))
_NAMES: dict[str, Json] = {"true": True, "false": False, "null": None}


class _Missing:
    """No value: not even null."""


_MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter.

    Attributes:
        holds: Whether an item passes; spends what its lists and objects cost beyond ``cost``.
        cost: What asking it of an item costs: its terms, and the steps of their paths.
    """

    holds: Test
    cost: int


def parse_filter(text: str) -> Filter:
    """``text`` as a filter.

    Raises:
        ValueError: It is none.
    """
    parser = _Parser(_tokens(text))
    holds = parser.either(0)
    parser.end()
    return Filter(holds, parser.cost)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or token.lastgroup is None:
            raise ValueError(f"a filter cannot hold {text[position : position + 20]!r}")
        tokens.append((token.lastgroup, token[token.lastgroup]))
        position = token.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self.cost = 0

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise ValueError(f"a filter ends before {self._tokens[self._at][1]!r}")

    def either(self, depth: int) -> Test:
        if depth > _MAX_DEPTH:
            raise ValueError("a filter nests too deeply")
        terms = [self._both(depth)]
        while self._took("||"):
            terms.append(self._both(depth))
        if len(terms) == 1:
            return terms[0]
        return lambda item, spend: any(term(item, spend) for term in terms)

    def _both(self, depth: int) -> Test:
        terms = [self._term(depth)]
        while self._took("&&"):
            terms.append(self._term(depth))
        if len(terms) == 1:
            return terms[0]
        return lambda item, spend: all(term(item, spend) for term in terms)

    def _term(self, depth: int) -> Test:
        self.cost += 1
        if self._took("!"):
            if depth > _MAX_DEPTH:
                raise ValueError("a filter nests too deeply")
            negated = self._term(depth + 1)
            return lambda item, spend: not negated(item, spend)
        if self._took("("):
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        left = self._operand()
        kind, text = self._peek() if self._at < len(self._tokens) else ("", "")
        if kind != "word" or text not in _COMPARISONS:
            return lambda item, spend: left(item) is not _MISSING
        self._at += 1
        if text in ("in", "nin") and self._took("["):
            return _among(left, self._list(), negated=text == "nin")
        compare, right = _COMPARISONS[text], self._operand()
        return lambda item, spend: compare(left(item), right(item), spend)

    def _operand(self) -> Operand:
        kind, text = self._peek()
        self._at += 1
        if kind == "path":
            keys = [_key(step) for step in _STEP.finditer(text, 1)]
            self.cost += max(0, len(keys) - 1)
            return _path(keys)
        return _constant(self._literal(kind, text))

    def _literal(self, kind: str, text: str) -> Json:
        if kind == "number":
            return float(text) if any(letter in text for letter in ".eE") else int(text)
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "name":
            return _NAMES[text]
        if text == "[":
            return self._list()
        raise ValueError(f"a filter cannot compare with {text!r}")

    def _list(self) -> list[Json]:
        items: list[Json] = []
        while not self._took("]"):
            kind, text = self._peek()
            if text == "[":
                raise ValueError("a list in a filter holds no lists")
            self._at += 1
            items.append(self._literal(kind, text))
            if not self._took(","):
                self._expect("]")
                break
        return items

    def _peek(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ValueError("a filter is not complete")
        return self._tokens[self._at]

    def _took(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("word", word):
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise ValueError(f"a filter misses {word!r}")


def _constant(value: Json) -> Operand:
    return lambda item: value


def _key(step: re.Match[str]) -> str | int:
    name, index, *quoted = step.groups()
    if index is not None:
        return int(index[:18])
    return str(next(text for text in (name, *quoted) if text is not None))


def _path(keys: list[str | int]) -> Operand:
    def read(item: Json) -> Json | _Missing:
        for key in keys:
            if isinstance(item, dict) and key in item:
                item = item[str(key)]
            elif isinstance(item, list) and isinstance(key, int) and key < len(item):
                item = item[key]
            else:
                return _MISSING
        return item

    return read


def _among(left: Operand, literals: list[Json], *, negated: bool) -> Test:
    """Whether ``left`` is one of ``literals``, however many; none of them is a list or object."""
    known = {(isinstance(literal, bool), literal) for literal in literals}

    def test(item: Json, spend: Spend) -> bool:
        value = left(item)
        found = not isinstance(value, list | dict) and (isinstance(value, bool), value) in known
        return found is not negated

    return test


def _equal(left: Compared, right: Compared, spend: Spend) -> bool:
    if type(left) in _HOLDERS:
        return _alike(left, right, spend)
    # In Python True is 1; in JSON it is not.
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _alike(left: Compared, right: Compared, spend: Spend) -> bool:
    """Whether two values are equal all through."""
    pending = [(left, right)]
    while pending:
        one, other = pending.pop()
        if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            spend(len(one))
            pending.extend(zip(one, other, strict=True))
        elif isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
            spend(len(one))
            pending.extend((item, other[key]) for key, item in one.items())
        elif isinstance(one, bool) != isinstance(other, bool) or one != other:
            return False
    return True


def _ordered(compare: Callable[[float, float], bool]) -> Compare:
    def test(left: Compared, right: Compared, spend: Spend) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return compare(left, right)  # type: ignore[arg-type]
        numbers = all(
            isinstance(side, int | float) and not isinstance(side, bool) for side in (left, right)
        )
        return numbers and compare(left, right)  # type: ignore[arg-type]

    return test


def _within(left: Compared, right: Compared, spend: Spend) -> bool:
    if not isinstance(right, list):
        return False
    spend(len(right))
    return any(_equal(left, item, spend) for item in right)


_COMPARISONS: dict[str, Compare] = {
    "==": _equal,
    "!=": lambda left, right, spend: not _equal(left, right, spend),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "in": _within,
    "nin": lambda left, right, spend: not _within(left, right, spend),
}
