"""The conditions within JSONPath's ``[?(…)]``: ``@.price > 10 && @.kind == 'book'``.

Comparisons ``== != < <= > >=``, ``in`` and ``nin`` with a list, existence (``@.x``), ``!``, ``&&``,
``||`` and parentheses. Values of different types are unequal and have no order.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Union

from services.executor.core.model import Json

Filter = Callable[[Json], bool]
Operand = Callable[[Json], "Json | _Missing"]

Compared = Union[Json, "_Missing"]

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
_NAMES: dict[str, Json] = {"true": True, "false": False, "null": None}


class _Missing:
    """No value: not even null."""


_MISSING = _Missing()


def parse_filter(text: str) -> Filter:
    """``text`` as a predicate of an item.

    Raises:
        ValueError: It is no filter.
    """
    parser = _Parser(_tokens(text))
    condition = parser.either(0)
    parser.end()
    return condition


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

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise ValueError(f"a filter ends before {self._tokens[self._at][1]!r}")

    def either(self, depth: int) -> Filter:
        if depth > _MAX_DEPTH:
            raise ValueError("a filter nests too deeply")
        terms = [self._both(depth)]
        while self._took("||"):
            terms.append(self._both(depth))
        return terms[0] if len(terms) == 1 else lambda item: any(term(item) for term in terms)

    def _both(self, depth: int) -> Filter:
        terms = [self._term(depth)]
        while self._took("&&"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else lambda item: all(term(item) for term in terms)

    def _term(self, depth: int) -> Filter:
        if self._took("!"):
            if depth > _MAX_DEPTH:
                raise ValueError("a filter nests too deeply")
            negated = self._term(depth + 1)
            return lambda item: not negated(item)
        if self._took("("):
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Filter:
        left = self._operand()
        kind, text = self._peek() if self._at < len(self._tokens) else ("", "")
        if kind != "word" or text not in _COMPARISONS:
            return lambda item: left(item) is not _MISSING
        self._at += 1
        compare, right = _COMPARISONS[text], self._operand()
        return lambda item: compare(left(item), right(item))

    def _operand(self) -> Operand:
        kind, text = self._peek()
        self._at += 1
        if kind == "path":
            return _path(text)
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

    def _list(self) -> Json:
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


def _path(text: str) -> Operand:
    keys = [_key(step) for step in _STEP.finditer(text, 1)]

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


def _equal(left: Compared, right: Compared) -> bool:
    # In Python True is 1; in JSON it is not.
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[Compared, Compared], bool]:
    def test(left: Compared, right: Compared) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return compare(left, right)  # type: ignore[arg-type]
        numbers = all(
            isinstance(side, int | float) and not isinstance(side, bool) for side in (left, right)
        )
        return numbers and compare(left, right)  # type: ignore[arg-type]

    return test


def _within(left: Compared, right: Compared) -> bool:
    return isinstance(right, list) and any(_equal(left, item) for item in right)


_COMPARISONS: dict[str, Callable[[Compared, Compared], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "in": _within,
    "nin": lambda left, right: not _within(left, right),
}
