"""JSONPath as ``${…}`` has it: parsed once, evaluated with bounded work.

The dialect is Conductor's (Jayway's): ``a.b``, ``['a b']``, ``['a','b']``, ``[0]``, ``[-1]``,
``[0,2]``, ``[1:3]``, ``*``, ``..``, filters, and functions at the end such as ``.length()``. A
definite path that leads nowhere gives None, an indefinite one a list. There are no regular
expressions in it, since one can stop the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from services.executor.core.filters import Filter, parse_filter
from services.executor.core.model import Json

MAX_LENGTH = 4096
MAX_VISITS = 500_000
MAX_TEXT = 32 << 20
_MOST_BITS = 14_000


class BadPath(ValueError):
    """The text is no path."""


class TooCostly(Exception):
    """Resolving looks at more, or makes more, than is allowed."""


class Visits:
    """How much the paths of one decision may still look at, and how much text they may make."""

    __slots__ = ("left", "text")

    def __init__(self) -> None:
        self.left = MAX_VISITS
        self.text = MAX_TEXT

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise TooCostly(f"it looks at more than {MAX_VISITS:,} values")

    def write(self, length: int) -> None:
        self.text -= length
        if self.text < 0:
            raise TooCostly(f"the text in it would hold more than {MAX_TEXT >> 20} MiB")


Select = Callable[[Json, Visits], Iterable[Json]]


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path.

    Attributes:
        keys: Its leading plain names and indices.
        selectors: What follows them; empty for a definite path.
        function: What is applied to the end result; None: nothing.
    """

    keys: tuple[str | int, ...]
    selectors: tuple[Select, ...] = ()
    function: Callable[[Json], Json] | None = None


def descend(value: Json, keys: Sequence[str | int]) -> Json:
    """The value at the end of plain ``keys``; None where there is none."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key) if type(key) is str else None
        elif isinstance(value, list) and type(key) is int and -len(value) <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def find(path: Path, value: Json, skip: int = 0, visits: Visits | None = None) -> Json:
    """What ``path``, without its first ``skip`` keys, finds in ``value``.

    Args:
        visits: What is left of the decision's; None: the path has its own.

    Raises:
        TooCostly: The work would be unbounded.
    """
    value = descend(value, path.keys[skip:])
    if path.selectors:
        visits = visits or Visits()
        found: list[Json] = [value]
        for select in path.selectors:
            found = [item for one in found for item in select(one, visits)]
        value = found
    return path.function(value) if path.function else value


def parse(text: str) -> Path:
    """``text`` as a path, with or without ``$.`` before it.

    Raises:
        BadPath: It is none.
    """
    if len(text) > MAX_LENGTH:
        raise BadPath("a path is at most 4096 characters long")
    return _Parser(text.strip()).path()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._keys: list[str | int] = []
        self._selectors: list[Select] = []
        self._function: Callable[[Json], Json] | None = None

    def path(self) -> Path:
        if self._text.startswith("$") and self._text[1:2] in ("", ".", "["):
            self._at = 1
        elif self._text and self._text[0] not in ".[":
            self._name(descending=False)
        while self._at < len(self._text):
            self._segment()
        return Path(tuple(self._keys), tuple(self._selectors), self._function)

    def _segment(self) -> None:
        if self._function:
            raise BadPath("nothing follows a function")
        if self._text.startswith("..", self._at):
            self._at += 2
            if self._text.startswith("[", self._at):
                self._selectors.append(_everything)
                self._bracket()
            else:
                self._name(descending=True)
        elif self._text[self._at] == ".":
            self._at += 1
            if not self._text.startswith("[", self._at):
                self._name(descending=False)
        elif self._text[self._at] == "[":
            self._bracket()
        else:
            raise BadPath(f"unexpected {self._text[self._at]!r}")

    def _name(self, *, descending: bool) -> None:
        end = self._at
        while end < len(self._text) and self._text[end] not in ".[]":
            end += 1
        name = self._text[self._at : end].strip()
        self._at = end
        if not name:
            raise BadPath("a name is missing")
        if descending:
            self._selectors.append(_everything)
        if name == "*":
            self._selectors.append(_children)
        elif name.endswith("()") and not descending:
            self._function = _function(name)
        else:
            self._key(name)

    def _key(self, key: str | int) -> None:
        if self._selectors:
            self._selectors.append(_at_key(key))
        else:
            self._keys.append(key)

    def _bracket(self) -> None:
        inner = self._inner()
        if inner.startswith("?"):
            self._selectors.append(_matching(parse_filter(_unwrapped(inner[1:].strip()))))
        elif inner == "*":
            self._selectors.append(_children)
        elif inner[:1] in ("'", '"'):
            self._union(_quoted(inner))
        elif ":" in inner:
            self._selectors.append(_slice(inner))
        else:
            self._union([_integer(part) for part in inner.split(",")])

    def _union(self, keys: Sequence[str | int]) -> None:
        if len(keys) == 1:
            self._key(keys[0])
        else:
            self._selectors.append(_at_keys(keys))

    def _inner(self) -> str:
        """What stands between this bracket and the one that closes it."""
        depth, quote, start = 0, "", self._at + 1
        position = self._at
        while position < len(self._text):
            character = self._text[position]
            if quote:
                if character == "\\":
                    position += 1
                elif character == quote:
                    quote = ""
            elif character in "'\"":
                quote = character
            elif character == "[":
                depth += 1
            elif character == "]":
                depth -= 1
                if depth == 0:
                    self._at = position + 1
                    return self._text[start:position].strip()
            position += 1
        raise BadPath("a bracket is not closed")


def _unwrapped(text: str) -> str:
    if not (text.startswith("(") and text.endswith(")")):
        raise BadPath("a filter is written [?(…)]")
    return text[1:-1]


def _integer(text: str) -> int:
    try:
        return int(text) if len(text) < 20 else 1 << 60
    except ValueError:
        raise BadPath(f"{text[:40]!r} is no index") from None


def _quoted(text: str) -> list[str]:
    """The names in ``'a', "b"``."""
    names: list[str] = []
    position = 0
    while position < len(text):
        quote = text[position]
        if quote not in "'\"":
            raise BadPath("a quoted name is expected")
        name, position = _until(text, position + 1, quote)
        names.append(name)
        rest = text[position:].lstrip()
        if rest and not rest.startswith(","):
            raise BadPath("names are separated by commas")
        position = len(text) - len(rest[1:].lstrip())
    return names


def _until(text: str, position: int, quote: str) -> tuple[str, int]:
    letters: list[str] = []
    while position < len(text):
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
        elif text[position] == quote:
            return "".join(letters), position + 1
        letters.append(text[position])
        position += 1
    raise BadPath("a quote is not closed")


def _children(value: Json, visits: Visits) -> Iterable[Json]:
    if isinstance(value, dict):
        visits.spend(len(value))
        return value.values()
    if isinstance(value, list):
        visits.spend(len(value))
        return value
    return ()


def _everything(value: Json, visits: Visits) -> Iterator[Json]:
    """``value`` and all within it, a parent before its children."""
    pending = [value]
    while pending:
        visits.spend(1)
        one = pending.pop()
        yield one
        if isinstance(one, dict):
            pending.extend(reversed(list(one.values())))
        elif isinstance(one, list):
            pending.extend(reversed(one))


def _at_key(key: str | int) -> Select:
    return _at_keys((key,))


def _at_keys(keys: Sequence[str | int]) -> Select:
    def select(value: Json, visits: Visits) -> Iterator[Json]:
        visits.spend(len(keys))
        for key in keys:
            if isinstance(value, dict) and type(key) is str:
                if key in value:
                    yield value[key]
            elif isinstance(value, list) and type(key) is int and -len(value) <= key < len(value):
                yield value[key]

    return select


def _slice(text: str) -> Select:
    parts = [_integer(part.strip()) if part.strip() else None for part in text.split(":")]
    if len(parts) > 3 or (len(parts) == 3 and parts[2] == 0):
        raise BadPath("a slice is written [from:to] or [from:to:step]")
    window = slice(*parts)

    def select(value: Json, visits: Visits) -> Iterable[Json]:
        if not isinstance(value, list):
            return ()
        visits.spend(len(value))
        return value[window]

    return select


def _matching(condition: Filter) -> Select:
    def select(value: Json, visits: Visits) -> Iterator[Json]:
        # Jayway's: of a list its items, of an object itself.
        candidates = value if isinstance(value, list) else [value]
        for item in candidates:
            visits.spend(condition.cost)
            if isinstance(item, dict) or isinstance(value, list):
                try:
                    if condition.holds(item, visits.spend):
                        yield item
                except TypeError:
                    continue

    return select


def _function(name: str) -> Callable[[Json], Json]:
    try:
        return FUNCTIONS[name]
    except KeyError:
        raise BadPath(f"there is no function {name}") from None


def _length(value: Json) -> Json:
    return len(value) if isinstance(value, list | dict | str) else None


def _keys(value: Json) -> Json:
    return list(value) if isinstance(value, dict) else None


def _numbers(value: Json) -> list[int | float]:
    items = value if isinstance(value, list) else []
    return [n for n in items if isinstance(n, int | float) and not isinstance(n, bool)]


def _minimum(value: Json) -> Json:
    return min(_numbers(value), default=None)


def _maximum(value: Json) -> Json:
    return max(_numbers(value), default=None)


def _sum(value: Json) -> Json:
    try:
        return _writable(sum(_numbers(value)))
    except OverflowError:
        return None


def _average(value: Json) -> Json:
    numbers = _numbers(value)
    try:
        return _writable(sum(numbers) / len(numbers)) if numbers else None
    except OverflowError:
        return None


def _writable(number: int | float) -> Json:
    """``number``; None for infinity, and for what has more digits than Python writes."""
    if isinstance(number, float):
        return number if isfinite(number) else None
    return number if number.bit_length() < _MOST_BITS else None


def _first(value: Json) -> Json:
    return value[0] if isinstance(value, list) and value else None


def _last(value: Json) -> Json:
    return value[-1] if isinstance(value, list) and value else None


FUNCTIONS: dict[str, Callable[[Json], Json]] = {
    "length()": _length,
    "size()": _length,
    "keys()": _keys,
    "min()": _minimum,
    "max()": _maximum,
    "sum()": _sum,
    "avg()": _average,
    "first()": _first,
    "last()": _last,
}
