"""Which rows of the screen wrapped lines take; a line is measured when it comes into sight."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from tui.views.lines import Line, Lines, breaks


class Wrapping:
    """The lines of ``lines`` wrapped at ``width`` cells; those not yet measured take one row."""

    def __init__(self, lines: Lines, width: int) -> None:
        self._lines = lines
        self.width = max(1, width)
        self._measured: dict[int, list[int]] = {}
        self._seen: set[int] = set()
        self._places: list[int] = []
        self._starts: list[int] = []

    def measure(self, first: int, last: int) -> bool:
        """Measure the lines ``first`` to ``last``; whether one takes several rows."""
        grew = False
        for index in range(max(0, first), min(last + 1, len(self._lines))):
            if index in self._seen:
                continue
            self._seen.add(index)
            if self._lines.most_cells(index) <= self.width:
                continue
            found = breaks(self._lines.line(index).text, self.width)
            if len(found) > 1:
                self._measured[index] = found
                grew = True
        if grew:
            self._places = sorted(self._measured)
            extra = accumulate((len(self._measured[each]) - 1 for each in self._places), initial=0)
            self._starts = [at + more for at, more in zip(self._places, extra, strict=False)]
        return grew

    @property
    def rows(self) -> int:
        """How many rows there are, as far as is known."""
        if not self._places:
            return len(self._lines)
        last = self._places[-1]
        return self._starts[-1] + len(self._measured[last]) + len(self._lines) - last - 1

    def row(self, index: int) -> int:
        """The first row of a line."""
        before = bisect_right(self._places, index - 1) - 1
        if before < 0:
            return index
        last = self._places[before]
        return self._starts[before] + len(self._measured[last]) + index - last - 1

    def height(self, index: int) -> int:
        """How many rows a line takes."""
        return len(self._measured.get(index, (0,)))

    def at(self, row: int) -> tuple[int, int]:
        """The line that takes a row, and which of its rows that is."""
        before = bisect_right(self._starts, row) - 1
        if before < 0:
            return row, 0
        place = self._places[before]
        within = row - self._starts[before]
        tall = len(self._measured[place])
        return (place, within) if within < tall else (place + 1 + within - tall, 0)

    def span(self, index: int, piece: int, line: Line) -> tuple[int, int]:
        """The characters that a row of a line shows."""
        starts = self._measured.get(index)
        if starts is None:
            return 0, len(line.text)
        end = starts[piece + 1] if piece + 1 < len(starts) else len(line.text)
        return starts[piece], end
