"""Lines of text with marked stretches: what every viewer shows, cuts, wraps and searches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from rich.cells import cell_len

# A longer line is cut on screen: it would be measured and painted whole for nothing.
LONGEST_SHOWN = 2_000
MOST_MATCHES = 10_000


class Mark(NamedTuple):
    """Characters ``start`` to ``end`` of a line, and their tone's name."""

    start: int
    end: int
    tone: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text, which a terminal may show, and what is marked in it in order."""

    text: str
    marks: Sequence[Mark] = field(default=())


class Lines(Protocol):
    """What a viewer shows."""

    def __len__(self) -> int: ...

    def line(self, index: int) -> Line:
        """The line of that place, from 0."""

    def most_cells(self, index: int) -> int:
        """At least as many cells as the line has; quick."""


class Searching(Protocol):
    """The places of lines that hold something; they are numbered from 0."""

    wanted: str
    count: int

    def after(self, row: int) -> int:
        """The next place behind a row; there is at least one."""

    def before(self, row: int) -> int:
        """The last place before a row."""

    def at(self, row: int) -> int:
        """The place on a row, or the next one."""

    def line(self, place: int) -> int:
        """The row of a place."""


def cut(text: str) -> str:
    """``text``, or its beginning and how much more there is."""
    over = len(text) - LONGEST_SHOWN
    return text[:LONGEST_SHOWN] + more(over) if over > 0 else text


def more(characters: int) -> str:
    """What stands where a text is cut: ``… 1,204,332 more characters``."""
    return f"… {characters:,} more characters"


def pieces(line: Line, start: int, end: int) -> Iterator[tuple[str, str]]:
    """Characters ``start`` to ``end`` of a line, each stretch with its tone or an empty name."""
    place = start
    for mark in line.marks:
        if mark.end <= place:
            continue
        if mark.start >= end:
            break
        if mark.start > place:
            yield line.text[place : mark.start], ""
        yield line.text[max(place, mark.start) : min(mark.end, end)], mark.tone
        place = mark.end
    if place < end:
        yield line.text[place:end], ""


def breaks(text: str, width: int) -> list[int]:
    """Where each row of ``text`` begins, wrapped at ``width`` cells; at least one row."""
    if text.isascii():
        return list(range(0, max(1, len(text)), width))
    starts, cells = [0], 0
    for place, character in enumerate(text):
        wide = cell_len(character)
        if cells + wide > width:
            starts.append(place)
            cells = 0
        cells += wide
    return starts


def matcher(wanted: str) -> Callable[[str], bool]:
    """Whether a text holds ``wanted``; small letters stand for capitals too."""
    if wanted != wanted.lower():
        return lambda text: wanted in text
    return lambda text: wanted in text.lower()


def found_in(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    """Every place of ``wanted`` in ``text``, as :func:`matcher` has it."""
    if not wanted:
        return
    flags = re.NOFLAG if wanted != wanted.lower() else re.IGNORECASE
    for found in re.finditer(re.escape(wanted), text, flags):
        yield found.span()


def highlighted(line: Line, spans: Sequence[tuple[int, int]], tone: str) -> Line:
    """``line`` with ``spans`` marked by ``tone`` over whatever is marked there."""
    marks: list[Mark] = []
    edges = [(start, end) for start, end in spans if start < end]
    for mark in line.marks:
        place = mark.start
        for start, end in edges:
            if end <= place or start >= mark.end:
                continue
            if start > place:
                marks.append(Mark(place, start, mark.tone))
            place = end
        if place < mark.end:
            marks.append(Mark(place, mark.end, mark.tone))
    marks.extend(Mark(start, end, tone) for start, end in edges)
    return Line(line.text, sorted(marks))
