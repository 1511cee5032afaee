"""Spans of time as bars of text on a common axis, an eighth of a cell exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.views.durations import compact

QUEUED = "·"
RUNNING = "█"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_RIGHT_HALF = "▐"
_RIGHT_EIGHTH = "▕"
_PLAIN = {QUEUED: ".", " ": " "}
# The least that a right half is drawn for.
_NEAR_HALF = 3

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
_STEPS = (
    *(n * 10**power for power in range(4) for n in (1, 2, 5)),
    *(n * _SECOND for n in (10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)),
)
_MARK_CELLS = 10


@dataclass(frozen=True, slots=True)
class Span:
    """What is drawn of one attempt or poll: epoch milliseconds, ends included.

    Attributes:
        queued: Since when it waited; None: that is not known.
        started: Since when it ran; None: it did not.
        ended: Until when; where it still waits or runs, now.
    """

    queued: int | None
    started: int | None
    ended: int


@dataclass(frozen=True, slots=True)
class Axis:
    """The time from ``start``, ``length`` milliseconds of it, over ``cells`` columns."""

    start: int
    length: int
    cells: int

    def eighth(self, moment: int) -> int:
        """Where ``moment`` is, in eighths of a cell; within the axis."""
        place = round((moment - self.start) * self.cells * 8 / self.length)
        return min(max(place, 0), self.cells * 8)


def axis_of(start: int, end: int | None, now: int, cells: int) -> Axis:
    """The axis of an execution; of one that runs, with room ahead.

    What runs grows towards the axis' end; only when it gets there is the axis another one, so that
    a screen is drawn anew a few times and not every second.
    """
    if end is None:
        return Axis(start, _ahead(now - start), max(1, cells))
    return Axis(start, max(1, end - start), max(1, cells))


def _ahead(elapsed: int) -> int:
    """The first round length that is longer than ``elapsed``, by at most a half."""
    length = _SECOND
    while length <= elapsed:
        length = length * 3 // 2 if length < _MINUTE else _rounder(length)
    return length


def _rounder(length: int) -> int:
    unit = _HOUR if length >= 2 * _HOUR else _MINUTE
    return -(-length * 5 // 4 // unit) * unit if length * 5 // 4 >= length + unit else length + unit


def bar(axis: Axis, spans: Sequence[Span], *, ascii: bool = False) -> str:
    """``axis.cells`` cells: ``·`` while it was queued, blocks while it ran; a later span wins."""
    cells = [" "] * axis.cells
    for span in spans:
        begin = span.ended if span.started is None else span.started
        if span.queued is not None:
            _queue(cells, axis.eighth(span.queued), axis.eighth(begin))
        if span.started is not None:
            _run(cells, axis.eighth(span.started), axis.eighth(span.ended))
    text = "".join(cells)
    return "".join(_PLAIN.get(each, "#") for each in text) if ascii else text


def _queue(cells: list[str], start: int, end: int) -> None:
    first, last = start // 8, -(-end // 8)
    for cell in range(first, min(last, len(cells))):
        if cells[cell] == " ":
            cells[cell] = QUEUED


def _run(cells: list[str], start: int, end: int) -> None:
    # However short it was, it is to be seen.
    start = min(start, len(cells) * 8 - 1)
    end = max(end, start + 1)
    first, last = start // 8, (end - 1) // 8
    if first == last:
        cells[first] = _sliver(start - first * 8, end - first * 8)
        return
    cells[first] = _sliver(start - first * 8, 8)
    cells[first + 1 : last] = RUNNING * (last - first - 1)
    cells[last] = _sliver(0, end - last * 8)


def _sliver(start: int, end: int) -> str:
    """One cell, filled from one of its eighths to another, as near as there is a character."""
    if start == 0:
        return _EIGHTHS[end]
    width = end - start
    if end == 8 or start + end > 8:
        return _RIGHT_HALF if width >= _NEAR_HALF else _RIGHT_EIGHTH
    return _EIGHTHS[width]


def scale(axis: Axis, *, ascii: bool = False) -> str:
    """The axis' marks, ``axis.cells`` cells: ``╵0s       ╵10s``."""
    step = next(
        (each for each in _STEPS if each * axis.cells >= _MARK_CELLS * axis.length), axis.length
    )
    text = ""
    for number in range(axis.length // step + 1):
        place = number * step * axis.cells // axis.length
        label = ("|" if ascii else "╵") + (compact(number * step) if number else "0")
        if place >= len(text) and place + len(label) <= axis.cells:
            text = text.ljust(place) + label
    return text.ljust(axis.cells)
