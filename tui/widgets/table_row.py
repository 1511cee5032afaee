"""A line of a live table as it is drawn, and what of it must be painted again after a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from textual.strip import Strip

from tui.resources.model import Cell


class Look(NamedTuple):
    """How a row is shown, whatever it says.

    Attributes:
        marked: Whether it is one of those that are marked.
        current: Whether the cursor is on it.
        asked: What was asked for its record, and is not yet so.
        tick: The second of which its ages are.
    """

    marked: bool
    current: bool
    asked: str
    tick: int


class Row:
    """A drawn line. One that was not drawn anew looks the same: compare by identity.

    Attributes:
        record: What it was drawn of.
        cells: What its columns say.
        ends: Where each of them ends, in cells from the left.
    """

    __slots__ = ("cells", "ends", "look", "record", "strip")

    def __init__(
        self, strip: Strip, record: Any = None, look: Look | None = None,
        cells: Sequence[Cell] = (), ends: Sequence[int] = (),
    ) -> None:  # fmt: skip
        self.strip = strip
        self.record = record
        self.look = look
        self.cells = tuple(cells)
        self.ends = tuple(ends)

    def is_of(self, record: Any, look: Look) -> bool:
        """Whether it shows just that."""
        return self.record is record and self.look == look

    def changed_upto(self, before: Row) -> int:
        """Up to which cell it looks other than ``before`` did, from the left; 0: nowhere.

        What is left of that is painted with it: a terminal's line is written from its beginning.
        """
        if self is before:
            return 0
        if not self._stands_like(before):
            return max(self.strip.cell_length, before.strip.cell_length)
        changed = [
            end
            for end, now, was in zip(self.ends, self.cells, before.cells, strict=True)
            if now != was
        ]
        return max(changed, default=0)

    def _stands_like(self, before: Row) -> bool:
        if self.look is None or before.look is None or self.ends != before.ends:
            return False
        return self.look[:2] == before.look[:2]
