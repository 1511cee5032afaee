"""One row of a drawing as runs of text: only that row is looked at, whatever the drawing's size."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from tui.views.graph import flow, lines
from tui.views.graph.blocks import SIDE, Block, Box, Branches, Column, Frame, Mark, Series
from tui.views.graph.composing import GLYPH
from tui.views.graph.lines import EAST, NORTH, SOUTH, TIMES, WEST, Border, plain
from tui.views.graph.overlay import Attempt, Overlay, rounds, tally
from tui.views.graph.plan import Step
from tui.views.statuses import Look, look_of_task


class Run(NamedTuple):
    """Text of one look.

    Attributes:
        x: The column in which it begins.
        role: ``edge``, ``edge-taken``, ``label``, ``label-taken``, ``mark``; within boxes
            ``border``, ``glyph``, ``title``, ``kind``, ``detail``, ``note``.
        key: That of the step whose box it is part of; empty: of none.
        tone: One of :data:`tui.views.statuses.TONES`.
    """

    x: int
    text: str
    role: str
    key: str
    tone: str


@dataclass(slots=True)
class Painter:
    """Writes the runs of one row, from left to right.

    Attributes:
        overlay: The execution whose state is shown; None: there is none.
        left: The first column that is of interest.
        right: The first that is no more.
    """

    overlay: Overlay | None
    ascii: bool
    left: int
    right: int
    runs: list[Run] = field(default_factory=list)

    def paint(self, block: Block, x: int, y: int, goes_on: bool) -> None:
        """Row ``y`` of ``block``, which begins in column ``x``.

        Args:
            goes_on: Whether a line leaves it at its bottom.
        """
        if x >= self.right or x + block.width <= self.left:
            return
        match block:
            case Series():
                self._series(block, x, y, goes_on)
            case Branches():
                self._branches(block, x, y, goes_on)
            case Frame():
                self._frame(block, x, y, goes_on)
            case Box():
                self._box(block, x, y, goes_on)
            case Mark():
                self._add(x, block.text, "mark", "", "muted" if self.overlay else "text")

    def _add(self, x: int, text: str, role: str, key: str, tone: str) -> None:
        if x < self.right:
            self.runs.append(Run(x, text, role, key, tone))

    def _line(self, x: int, text: str, taken: bool) -> None:
        """A part of a line between boxes."""
        role, tone = ("edge-taken", "primary") if taken else ("edge", "muted")
        self._add(x, lines.in_ascii(text) if self.ascii else text, role, "", tone)

    def _border(self, x: int, text: str, step: Step) -> None:
        self._add(x, lines.in_ascii(text) if self.ascii else text, "border", *self._of(step))

    def _of(self, step: Step) -> tuple[str, str]:
        """The key and the tone of a box."""
        if self.overlay is None:
            return step.key, "text"
        attempt = self.overlay.attempts.get(step.key)
        return step.key, look_of_task(attempt.status).tone if attempt else "muted"

    def _series(self, block: Series, x: int, y: int, goes_on: bool) -> None:
        index = bisect_right(block.tops, y) - 1
        piece = block.pieces[index]
        last = index == len(block.pieces) - 1
        on = not piece.block.ends and (goes_on or not last)
        if y < piece.y + piece.block.height:
            self.paint(piece.block, x + piece.x, y - piece.y, on)
        elif on and not last:
            taken = self.overlay is not None and flow.is_taken(
                piece.block, block.pieces[index + 1].block, self.overlay
            )
            self._line(x + block.spine, lines.ARROW, taken)

    def _branches(self, block: Branches, x: int, y: int, goes_on: bool) -> None:
        bottom = not block.ends and y == block.height - 1
        if y == 0:
            self._bus(block, x, self._ways_in(block), at_top=True, goes_on=True)
        elif bottom:
            self._bus(block, x, self._ways_out(block), at_top=False, goes_on=goes_on)
        elif y == 1 and block.has_labels:
            for column, taken in zip(block.columns, self._ways_in(block), strict=True):
                self._label(column, x, taken)
        else:
            self._columns(block, x, y)

    def _ways_in(self, block: Branches) -> list[bool]:
        return flow.ways_in(block, self.overlay) if self.overlay else [False] * len(block.columns)

    def _ways_out(self, block: Branches) -> list[bool]:
        return flow.ways_out(block, self.overlay) if self.overlay else [False] * len(block.columns)

    def _label(self, column: Column, x: int, taken: bool) -> None:
        if not column.label:
            self._line(x + column.spine, lines.DOWN, taken)
            return
        tone = "primary" if taken else "muted" if self.overlay else "text"
        self._add(x + column.label_x, column.label, f"label{'-taken' * taken}", "", tone)

    def _columns(self, block: Branches, x: int, y: int) -> None:
        ways = self._ways_in(block) if y < block.top else self._ways_out(block)
        first = bisect_right(block.columns, self.left - x, key=lambda column: column.x) - 1
        for index in range(max(0, first), len(block.columns)):
            column = block.columns[index]
            if x + column.x >= self.right:
                return
            self._column(column, x, y - block.top, ways[index])

    def _column(self, column: Column, x: int, y: int, taken: bool) -> None:
        """Row ``y`` of a way, counted from where its piece begins."""
        block = column.block
        if block is not None and 0 <= y < block.height:
            self.paint(block, x + column.spine - block.spine, y, not block.ends)
        elif y < 0 or not column.ends:
            arrow = block is not None and y == -1
            self._line(x + column.spine, lines.ARROW if arrow else lines.DOWN, taken)

    def _bus(
        self, block: Branches, x: int, ways: list[bool], *, at_top: bool, goes_on: bool
    ) -> None:
        """The line that parts the ways, or brings those together that do not end."""
        ends: dict[int, bool] = {
            column.spine: taken
            for column, taken in zip(block.columns, ways, strict=True)
            if at_top or not column.ends
        }
        spots = sorted({block.spine, *ends})
        for index, spot in enumerate(spots):
            here, there = spot == block.spine, spot in ends
            north, south = (here, there) if at_top else (there, here and goes_on)
            east, west = index < len(spots) - 1, index > 0
            arms = NORTH * north | EAST * east | SOUTH * south | WEST * west
            self._line(x + spot, lines.JUNCTIONS[arms], _is_on_the_way(spot, block.spine, ends))
            if east:
                self._stretch(block, x, (spot, spots[index + 1]), ends)

    def _stretch(
        self, block: Branches, x: int, between: tuple[int, int], ends: dict[int, bool]
    ) -> None:
        """The line between two neighbouring spots of a bus."""
        start, end = between
        outer = end if start >= block.spine else start
        taken = _is_on_the_way(outer, block.spine, ends)
        if end - start > 1:
            self._line(x + start + 1, lines.ACROSS * (end - start - 1), taken)

    def _frame(self, block: Frame, x: int, y: int, goes_on: bool) -> None:
        border, step = lines.FRAME, block.step
        if y == 0:
            self._caption(block, x)
        elif y == block.height - 1:
            self._bottom(border, x, block.width, block.spine if goes_on else -1, step)
        else:
            self._border(x, border.side, step)
            self.paint(block.block, x + block.x, y - 1, False)
            self._border(x + block.width - 1, border.side, step)

    def _caption(self, block: Frame, x: int) -> None:
        border, (key, tone) = lines.FRAME, self._of(block.step)
        attempt = self._attempt(block.step)
        glyph = self._glyph(attempt) if attempt else "@" if self.ascii else "↻"
        note = self._rounds(block.step)
        self._border(x, border.top_left + border.top, block.step)
        at = x + SIDE
        for text, role in (
            (f" {glyph}", "glyph"),
            (f" {block.title} ", "title"),
            (f" {block.caption}{note} ", "kind"),
        ):
            self._add(at, text, role, key, tone if role == "glyph" else "text")
            at += cell_len(text)
        rest = x + block.width - at - 1
        self._border(at, border.top * rest + border.top_right, block.step)

    def _bottom(self, border: Border, x: int, width: int, spine: int, step: Step) -> None:
        """The bottom of a box; the line out of it is in column ``spine``, or there is none."""
        line = border.bottom * (width - 2)
        if spine >= 0:
            line = line[: spine - 1] + border.leave + line[spine:]
        self._border(x, f"{border.bottom_left}{line}{border.bottom_right}", step)

    def _box(self, block: Box, x: int, y: int, goes_on: bool) -> None:
        border, step = lines.border_of(block.step.shape), block.step
        if y == 0:
            top = border.top * (block.width - 2)
            self._border(x, f"{border.top_left}{top}{border.top_right}", step)
        elif y == block.height - 1:
            self._bottom(border, x, block.width, block.spine if goes_on else -1, step)
        else:
            self._border(x, f"{border.side} ", step)
            self._inside(block, x + SIDE, y - 1)
            self._border(x + block.width - SIDE, f" {border.side}", step)

    def _inside(self, block: Box, x: int, line: int) -> None:
        attempt = self._attempt(block.step)
        key, tone = self._of(block.step)
        room = block.width - 2 * SIDE - GLYPH
        if line == 0:
            self._add(x, f"{self._glyph(attempt)} ", "glyph", key, tone)
            title_tone = "muted" if self.overlay and attempt is None else "text"
            self._add(x + GLYPH, set_cell_size(block.title, room), "title", key, title_tone)
            return
        text = block.lines[line - 1]
        if block.folded and line == 2:
            self._counts(block, x, room + GLYPH)
            return
        note, note_tone = self._note(attempt), "warning"
        if block.folded:
            note, note_tone = self._rounds(block.step), "text"
        note = note if line == 1 else ""
        note = set_cell_size(note, min(len(note), max(0, room - cell_len(text) - 1)))
        room -= len(note)
        role = "kind" if line == 1 else "detail"
        self._add(x, " " * GLYPH + set_cell_size(text, room), role, key, "muted")
        if note:
            self._add(x + GLYPH + room, note, "note", key, note_tone)

    def _counts(self, block: Box, x: int, room: int) -> None:
        """How many of the tasks that are folded stand where."""
        end = x + room
        self._add(x, " " * GLYPH, "detail", block.step.key, "muted")
        x += GLYPH
        for look, count in tally(block.members, self.overlay) if self.overlay else ():
            text = f"{self._glyph_of(look)}{count} "
            if x + len(text) > end:
                break
            self._add(x, text, "note", block.step.key, look.tone)
            x += len(text)
        self._add(x, " " * (end - x), "detail", block.step.key, "muted")

    def _attempt(self, step: Step) -> Attempt | None:
        return self.overlay.attempts.get(step.key) if self.overlay else None

    def _glyph(self, attempt: Attempt | None) -> str:
        return self._glyph_of(look_of_task(attempt.status)) if attempt else " "

    def _glyph_of(self, look: Look) -> str:
        return look.plain if self.ascii else look.glyph

    def _rounds(self, step: Step) -> str:
        """How many rounds of a loop have begun; empty: none, or it is no loop."""
        count = rounds(step, self.overlay)
        return f" {'x' if self.ascii else TIMES}{_short(count)}" if count else ""

    def _note(self, attempt: Attempt | None) -> str:
        """How often a task was tried again, and polled."""
        if attempt is None:
            return ""
        parts = [f"↻{_short(attempt.retries)}"] if attempt.retries else []
        if attempt.kind == "HTTP_POLL" and attempt.polls:
            parts.append(f"{_short(attempt.polls)} poll{'s' * (attempt.polls != 1)}")
        text = " ".join(parts)
        return plain(text) if self.ascii else text


def _is_on_the_way(spot: int, spine: int, ends: dict[int, bool]) -> bool:
    """Whether one who goes between the spine and a taken end comes along ``spot``."""
    if spot == spine:
        return any(ends.values())
    if spot > spine:
        return any(taken and end >= spot for end, taken in ends.items())
    return any(taken and end <= spot for end, taken in ends.items())


def _short(count: int) -> str:
    """A number in at most three or four characters: ``999``, ``12k``, ``3M``."""
    if count < 1000:
        return str(count)
    return f"{count // 1000}k" if count < 1_000_000 else f"{count // 1_000_000}M"
