"""The log of a task as a text to read and search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from tui.views.durations import clock

# So many of the first lines an attempt keeps, and as many of what comes after its end.
KEPT = 1_000
NOTHING = "Nothing is logged for it: workers log lines with their words and results."


class Logged(Protocol):
    """A line; ``at`` in epoch seconds."""

    @property
    def at(self) -> float: ...

    @property
    def line(self) -> str: ...


def log_text(lines: Iterable[Logged]) -> str:
    """A line each, the time of day (UTC) first; what goes on below stands under its beginning."""
    return "\n".join(_text(each) for each in lines) or NOTHING


def counted(count: int) -> str:
    """How many lines there are; where that is all that a task keeps, it is said."""
    if count >= KEPT:
        return f"the first {count:,} lines, more are not kept"
    return f"{count:,} lines" if count != 1 else "1 line"


def _text(logged: Logged) -> str:
    first, *rest = logged.line.replace("\r\n", "\n").rstrip("\n").split("\n")
    at = clock(logged.at)
    return "\n".join([f"{at}  {first}", *(" " * (len(at) + 2) + each for each in rest)])
