"""How much work a JSON Schema can ask for, known before it judges anything. Pure.

Most schemas look at each part of a value so many times as they have parts themselves. Some ask for
more: those that refer to themselves, or to one definition twice, and that over and over; those
with patterns that are tried in many ways. What is not known here to be harmless has no weight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# Beyond, it is no longer of interest by how much.
HEAVIEST = 10**12
_DEEPEST = 200
_MOST_PARTS = 20_000
_DEFINITIONS = frozenset(("$defs", "definitions"))
# What they have been told already they work out again at every level; or they lead to a place that
# is only known while a value is judged.
_REPEATING = frozenset(
    ("unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef")
)
# A few items are compared each with each; of many, all that is in them is looked at once more.
_UNIQUE_WEIGHT = 100
# Lookaround, flags, atomic groups, conditions; what was matched before; possessive quantifiers.
_TRIED_IN_MANY_WAYS = re.compile(r"\(\?(?!:)|\\[1-9kKG]|[*+?}]\+")
_COUNTS = re.compile(r"\{(\d+)?(?:,(\d*))?\}")


class _Unknown(Exception):
    """It may ask for any amount of work."""


def weight(schema: Any) -> int | None:
    """The most looks at each character of a value's JSON text, roughly; None: nobody knows.

    What is asserted in one place is counted once; a definition, once for each way that leads to it.

    Args:
        schema: A JSON Schema that :func:`services.json_schema.compiled` takes.
    """
    try:
        return _Schema(schema).weight()
    except _Unknown:
        return None


class _Schema:
    """One schema, and the weight of each definition in it."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._parts = 0
        # None: it is being weighed, so that it leads to itself.
        self._known: dict[str, int | None] = {}

    def weight(self) -> int:
        return self._referred("#", 0)

    def _referred(self, reference: str, depth: int) -> int:
        if reference not in self._known:
            self._known[reference] = None
            self._known[reference] = self._of(self._target(reference), depth, reference == "#")
        known = self._known[reference]
        if known is None:
            raise _Unknown
        return known

    def _target(self, reference: str) -> Any:
        """What a pointer leads to; any other reference may lead anywhere."""
        if reference == "#":
            return self._root
        if not reference.startswith("#/") or "%" in reference:
            raise _Unknown
        found = self._root
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise _Unknown
        return found

    def _of(self, part: Any, depth: int, is_root: bool = False) -> int:
        # Whatever stands anywhere is taken for a schema: what is not is counted in vain.
        self._parts += 1
        if depth > _DEEPEST or self._parts > _MOST_PARTS:
            raise _Unknown
        total = 1
        if isinstance(part, list):
            total += sum(self._of(each, depth + 1) for each in part)
        elif isinstance(part, dict):
            total += sum(_words(part))
            if isinstance(part.get("$id"), str) and not is_root:
                # References in it count from there.
                raise _Unknown
            if isinstance(reference := part.get("$ref"), str):
                total += self._referred(reference, depth + 1)
            total += sum(
                self._of(each, depth + 1)
                for name, each in part.items()
                # A definition counts where it is used.
                if not (is_root and name in _DEFINITIONS)
            )
        return min(total, HEAVIEST)


def _words(part: Mapping[str, Any]) -> Iterator[int]:
    """What the keywords of ``part`` weigh beyond what stands under them."""
    if not _REPEATING.isdisjoint(part) or part.get("format") == "regex":
        raise _Unknown
    if part.get("uniqueItems") is True:
        yield _UNIQUE_WEIGHT
    if isinstance(pattern := part.get("pattern"), str):
        yield _pattern_weight(pattern)
    if isinstance(patterns := part.get("patternProperties"), dict):
        yield from map(_pattern_weight, patterns)


def _pattern_weight(pattern: str) -> int:
    """The places at which a match can be at once: all are gone on with, character by character."""
    if _TRIED_IN_MANY_WAYS.search(pattern):
        raise _Unknown
    counts = [int(number[:9]) for found in _COUNTS.findall(pattern) for number in found if number]
    if "){" not in pattern:
        return len(pattern) + sum(counts)
    total = len(pattern)
    for count in counts:
        total *= max(count, 1)
    return min(total, HEAVIEST)
