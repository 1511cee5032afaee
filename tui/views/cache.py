"""Kept answers as an operator reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_COLUMNS = ("entries", "bytes", "hits", "misses", "collapsed", "bypassed")


def summary(status: Mapping[str, Any]) -> str:
    """One line for all routes together."""
    if not status["limitBytes"]:
        return "Nothing is kept: PODIUM_CACHE_BYTES is 0."
    return (
        f"{status['entries']} answers kept, {size(status['bytes'])} of "
        f"{size(status['limitBytes'])}; {status['letOff']} let off to make room, "
        f"{status['underWay']} being made"
    )


def table(routes: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line a route below a line of titles; none where there is no route."""
    if not routes:
        return []
    rows = [["service", "route", *_COLUMNS], *map(_row, routes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [_line(row, widths) for row in rows]


def _row(route: Mapping[str, Any]) -> list[str]:
    numbers = (size(route[each]) if each == "bytes" else str(route[each]) for each in _COLUMNS)
    return [route["service"], f"{route['method']} {route['path']}", *numbers]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    words = (
        word.ljust(width) if column < 2 else word.rjust(width)
        for column, (word, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(words).rstrip()


def size(count: int) -> str:
    """``1.5 MiB`` for a number of bytes."""
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
