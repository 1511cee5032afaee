"""Conditions that need no JavaScript engine: one value compared with one literal.

Most termination conditions are of this form, and a script's way to its process and back costs
more than the rest of a poll. Nothing is run here: what reads ``$.name.name OPERATOR literal``,
also as ``(function () { return …; })()``, is taken apart by one expression without backtracking
to speak of. Wherever JavaScript would convert, look beyond an object's own members, or throw,
there is no answer, and the script goes the long way.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.executor.core.model import Json
from services.executor.core.remembered import remembered

_LONGEST = 500
# Integers up to here are the same in JavaScript, whose numbers are doubles.
_EXACT = 2**53

_EXPRESSION = (
    r"\$(?P<path>(?:\.[A-Za-z_][A-Za-z0-9_]*)+)\s*(?P<operator>===?|!==?|<=?|>=?)\s*"
    r"(?P<literal>-?(?:0|[1-9][0-9]{0,14})|true|false|null|'[ !#-&(-\[\]-~]*'|\"[ !#-&(-\[\]-~]*\")"
)
_BARE = re.compile(rf"\s*{_EXPRESSION}\s*;?\s*", re.ASCII)
# A line break behind ``return`` would end the statement there.
_FUNCTION = re.compile(
    rf"\s*\(\s*function\s*\(\s*\)\s*\{{\s*return[ \t]+{_EXPRESSION}\s*;?\s*\}}\s*\)"
    r"\s*\(\s*\)\s*;?\s*",
    re.ASCII,
)
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}
_EQUAL: dict[str, Callable[[object, object], bool]] = {
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
    "!==": operator.ne,
}
_ORDERED: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """``$`` followed along ``path``, compared with ``literal``."""

    path: tuple[str, ...]
    operator: str
    literal: Json

    def holds(self, scope: Mapping[str, Json]) -> bool | None:
        """What JavaScript would say of ``scope`` as ``$``; None: it has to be asked."""
        value: object = scope
        for name in self.path:
            if not isinstance(value, Mapping) or name not in value:
                return None
            value = value[name]
        if _is_number(value) and _is_number(self.literal):
            compare = _EQUAL.get(self.operator) or _ORDERED[self.operator]
            return compare(value, self.literal)  # type: ignore[arg-type]
        equal = _EQUAL.get(self.operator)
        if equal is None or type(value) is not type(self.literal):
            return None
        alike = value is None or isinstance(value, bool | str)
        return equal(value, self.literal) if alike else None


def _is_number(value: object) -> bool:
    """Whether it is a number that JavaScript has exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_EXACT <= value <= _EXACT


@remembered(most=1024, longest=_LONGEST)
def comparison(source: str) -> Comparison | None:
    """What ``source`` compares; None: it is more than a comparison."""
    if len(source) > _LONGEST:
        return None
    found = _BARE.fullmatch(source) or _FUNCTION.fullmatch(source)
    if found is None:
        return None
    text = found["literal"]
    path = tuple(found["path"][1:].split("."))
    return Comparison(path, found["operator"], _literal(text))


def _literal(text: str) -> Json:
    if text[0] in "'\"":
        return text[1:-1]
    return _WORDS[text] if text in _WORDS else int(text)
