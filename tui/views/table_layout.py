"""Which columns a width has room for, and how wide each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Sized(Protocol):
    """What is to be known of a column: see :class:`tui.resources.model.Column`."""

    @property
    def width(self) -> int: ...
    @property
    def flex(self) -> int: ...
    @property
    def priority(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Placed:
    """A column that is shown.

    Attributes:
        index: Which of those given.
        x: Its first cell.
    """

    index: int
    x: int
    width: int


GAP = 1
ALWAYS = 9


def place(columns: Sequence[Sized], width: int, everything: bool = False) -> list[Placed]:
    """The columns that ``width`` cells have room for, from left to right, with a gap between.

    Those of the lowest priority go first; among equals the rightmost. One of priority 9 never goes.

    Args:
        everything: Show all, however wide that is.
    """
    shown = list(range(len(columns)))
    while not everything and len(shown) > 1 and _sum(columns, shown) > width:
        least = min(shown, key=lambda index: (columns[index].priority, -index))
        if columns[least].priority >= ALWAYS:
            break
        shown.remove(least)
    return _spread(columns, shown, max(0, width - _sum(columns, shown)))


def _sum(columns: Sequence[Sized], shown: Sequence[int]) -> int:
    return sum(columns[index].width for index in shown) + GAP * max(0, len(shown) - 1)


def _spread(columns: Sequence[Sized], shown: Sequence[int], spare: int) -> list[Placed]:
    shares = sum(columns[index].flex for index in shown)
    placed: list[Placed] = []
    x, given, counted = 0, 0, 0
    for index in shown:
        column = columns[index]
        counted += column.flex
        upto = spare * counted // shares if shares else 0
        wide = column.width + upto - given
        given = upto
        placed.append(Placed(index, x, wide))
        x += wide + GAP
    return placed
