"""What was put in at hand-off, masked in what comes back, in whichever form it does. No IO."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from services.executor.core.model import Json
from services.executor.effects.echoes import Needle, needles

MASK = "***"

# Zeros of UTF-16, shifts of ISO-2022 and HZ, escaped letters: the text is not what the bytes show.
_SPELT_OTHERWISE = (b"\x00", b"\x1b", b"~{", b"\\u00", b"\\U00")
# A leaf of a whole document that was put in: "user" and "true" are no secrets by themselves.
_SHORTEST_LEAF = 8
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+")


class Mask:
    """What was put in, so that no answer shows it.

    What is looked for is told in :mod:`echoes`: in strings, keys and numbers. A value of fewer
    than four characters is not looked for.
    """

    def __init__(self, needles: Sequence[Needle] = ()) -> None:
        self._needles = list(needles)
        self._hidden: set[str] = set()
        # A number may stand otherwise in a document than where it was read: 1.2e3.
        self._numbers = False

    def __bool__(self) -> bool:
        return bool(self._needles)

    def hide(self, value: str) -> None:
        """Have ``value`` looked for, and where it is a JSON document, what is in it."""
        for each in (value, *_leaves(value)):
            if each not in self._hidden:
                self._hidden.add(each)
                self._numbers |= _NUMBER.fullmatch(each.strip()) is not None
                self._needles.extend(needles(each))

    def text(self, text: str) -> str:
        if not self._needles:
            return text
        raw = text.encode("utf-8", "surrogatepass")
        spans = self._spans(raw.lower())
        return _cut(raw, spans) if spans else text

    def found_in(self, document: bytes) -> Mask:
        """The mask of what a look through the bytes does not show to be absent from them."""
        if not self._needles or self._numbers or _is_spelt_otherwise(document):
            return self
        return self._narrowed(document)

    def value(self, value: Json) -> Json:
        """``value`` masked all through."""
        if not self._needles:
            return value
        # All of it at once: to look for everything in each of many small strings takes seconds.
        text = json.dumps(value, ensure_ascii=False)
        found = self._narrowed(text.encode("utf-8", "surrogatepass"))
        return mapped(value, found._leaf, found.text) if found else value

    def _narrowed(self, document: bytes) -> Mask:
        low = document.lower()
        return Mask([each for each in self._needles if not each.core or each.core in low])

    def _spans(self, low: bytes) -> list[tuple[int, int]]:
        # Nearly always it is not there, and to make the pattern costs more than the rest of a call.
        found = [
            match.span()
            for each in self._needles
            if not each.core or each.core in low
            for match in each.pattern.finditer(low)
        ]
        return sorted(found)

    def _leaf(self, value: Json) -> Json:
        match value:
            case str():
                return self.text(value)
            case int() | float() if not isinstance(value, bool):
                shown = json.dumps(value)
                return value if self.text(shown) == shown else MASK
            case _:
                return value


def _cut(raw: bytes, spans: Sequence[tuple[int, int]]) -> str:
    """``raw`` with one mask for each row of ``spans``, in order, that overlap or touch."""
    parts: list[bytes] = []
    end = -1
    for start, stop in spans:
        if start > end:
            parts += (raw[max(end, 0) : start], MASK.encode())
        end = max(end, stop)
    return b"".join((*parts, raw[end:])).decode("utf-8", "surrogatepass")


def _is_spelt_otherwise(document: bytes) -> bool:
    if any(sign in document for sign in _SPELT_OTHERWISE):
        return True
    if document.isascii():
        return False
    try:
        document.decode()
    except UnicodeDecodeError:
        # Of another charset, whose letters may be other bytes.
        return True
    return False


def _leaves(text: str) -> Iterator[str]:
    """The longer strings of a JSON document: whoever is given all of it may tell one."""
    if text.lstrip()[:1] not in ("{", "["):
        return
    try:
        pending: list[Json] = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while pending:
        match pending.pop():
            case str() as leaf if len(leaf) >= _SHORTEST_LEAF:
                yield leaf
            case dict() as fields:
                pending.extend(fields.values())
            case list() as items:
                pending.extend(items)


def mapped(value: Json, leaf: Callable[[Json], Json], key: Callable[[str], str]) -> Json:
    """A copy of ``value``: its keys by ``key``, all that is no object or list by ``leaf``."""
    whole: list[Json] = [value]
    # No recursion: documents nest 512 deep, on top of whatever calls this.
    pending: list[list[Json] | dict[str, Json]] = [whole]
    while pending:
        holder = pending.pop()
        places: Iterable[tuple[Any, Json]] = (
            holder.items() if isinstance(holder, dict) else enumerate(holder)
        )
        for place, item in places:
            holder[place] = _opened(item, leaf, key)
            if isinstance(item, list | dict):
                pending.append(cast("list[Json] | dict[str, Json]", holder[place]))
    return whole[0]


def _opened(item: Json, leaf: Callable[[Json], Json], key: Callable[[str], str]) -> Json:
    if isinstance(item, list):
        return item.copy()
    if isinstance(item, dict):
        return {key(name): each for name, each in item.items()}
    return leaf(item)
