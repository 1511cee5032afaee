"""A row of numbers as one line of text."""

from __future__ import annotations

from collections.abc import Sequence

_LEVELS = "▁▂▃▄▅▆▇█"
_PLAIN = "_.-:=+*#"


def spark(values: Sequence[float | None], width: int, *, ascii: bool = False) -> str:
    """``width`` cells, the newest values at the right; of several in a cell, the highest.

    Blank where there is no value. The scale begins at zero, or lower where a value does.
    """
    cells = buckets(values, width)
    known = [value for value in cells if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    levels = _PLAIN if ascii else _LEVELS
    span = high - low
    return "".join(_cell(value, low, span, levels) for value in cells).rjust(width)


def _cell(value: float | None, low: float, span: float, levels: str) -> str:
    if value is None:
        return " "
    share = (value - low) / span if span else 0.0
    return levels[min(len(levels) - 1, int(share * len(levels)))]


def buckets(values: Sequence[float | None], count: int) -> list[float | None]:
    """At most ``count`` values, each the highest of as many as fall together."""
    total = len(values)
    if total <= count:
        return list(values)
    if count < 1:
        return []
    edges = [number * total // count for number in range(count + 1)]
    return [_highest(values[edges[at] : edges[at + 1]]) for at in range(count)]


def _highest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
