"""What a timeline looks like: each line of it, and which of them are to be drawn anew."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.views.gantt import QUEUED, Axis, axis_of
from tui.views.timebook import TimeBook
from tui.views.timecolumns import (
    Cell,
    Column,
    bar_cells,
    cells_of,
    columns_of,
    detail_of,
    fitted,
    head_of,
)
from tui.views.timerows import Facts, Row, facts_of
from tui.widgets.tones import tone_style, under_cursor

ASKING = "asking the executor…"
HEAD_LINES = 1
DETAIL_LINES = 1
_MOST_CACHED = 2_000

LineKey = tuple[Any, ...]


class TimelineLines(ScrollView, can_focus=True):
    """A scale, the rows that fit, and a line about the row under the cursor.

    Attributes:
        book: What is shown.
        following: Whether the cursor goes to the newest attempt by itself.
        why_empty: What is said while there is no execution to show.
    """

    DEFAULT_CSS = """
    TimelineLines { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    TimelineLines > .timeline--head { text-style: bold; color: $text-primary; }
    TimelineLines > .timeline--cursor { background: $primary 35%; text-style: bold; }
    TimelineLines:blur > .timeline--cursor { background: $primary 15%; text-style: none; }
    TimelineLines:ansi > .timeline--cursor { text-style: reverse; }
    TimelineLines > .timeline--detail { background: $panel; }
    TimelineLines:ansi > .timeline--detail { text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "timeline--head",
        "timeline--cursor",
        "timeline--detail",
    }

    def __init__(self, *, ascii: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.book = TimeBook()
        self.following = False
        self.why_empty = ASKING
        self._ascii = ascii
        self._now = 0
        self._index = 0
        self._columns: tuple[Column, ...] = columns_of(80)
        self._axis = Axis(0, 1, 1)
        self._strips: dict[LineKey, Strip] = {}
        self._painted: list[LineKey] = []

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._forget_strips())
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def fit(self) -> None:
        """Lay out what was laid out for another width."""
        if self.virtual_size.width != self.scrollable_content_region.width:
            self._lay_out()

    def on_focus(self) -> None:
        self._look()

    def on_blur(self) -> None:
        self._look()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._painted = []

    @property
    def row(self) -> Row | None:
        """That under the cursor."""
        return self.book.rows[self._index] if self._index < len(self.book.rows) else None

    @property
    def rows_shown(self) -> int:
        """How many rows fit."""
        return max(1, self.scrollable_content_region.height - HEAD_LINES - DETAIL_LINES)

    def _row_at(self, line: int) -> int | None:
        """Which row a line of the screen shows, if any."""
        index = self.scroll_offset.y + line - HEAD_LINES
        within = HEAD_LINES <= line < self._detail_line and index < len(self.book.rows)
        return index if within else None

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._columns = columns_of(max(1, width))
        self.virtual_size = Size(width, len(self.book.rows) + HEAD_LINES + DETAIL_LINES)
        self._forget_strips()
        self._look()

    def _forget_strips(self) -> None:
        self._strips.clear()
        self._painted = []
        self.refresh()

    def _look(self) -> None:
        """Refresh the lines that do not show what they should."""
        self._axis = axis_of(self.book.start, self.book.end, self._now, bar_cells(self._columns))
        height = self.scrollable_content_region.height
        wanted = [self._line_key(line) for line in range(height)]
        if len(self._painted) != height:
            self.refresh()
        else:
            for line, (was, key) in enumerate(zip(self._painted, wanted, strict=True)):
                if was != key:
                    self.refresh(Region(0, line, self.size.width, 1))
        self._painted = wanted

    def _line_key(self, line: int) -> LineKey:
        """What the line shows: equal keys look the same."""
        if not self.book.start:
            return ("unknown", self.why_empty if line == self._detail_line else "")
        if line < HEAD_LINES:
            return ("head", self._columns, self._axis)
        if line == self._detail_line:
            row = self.row
            return ("detail", detail_of(row, self._facts(row)) if row else "", self.following)
        index = self._row_at(line)
        if index is None:
            return ()
        row = self.book.rows[index]
        look = (row.guide, row.node.label, row.node.kind, row.hidden)
        return (*look, self._facts(row), index == self._index, self.has_focus, self._axis)

    @property
    def _detail_line(self) -> int:
        return self.scrollable_content_region.height - DETAIL_LINES

    def _facts(self, row: Row) -> Facts:
        return facts_of(row, self.book.attempts, self.book.polls, self._now)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        key = self._line_key(y)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) >= _MOST_CACHED:
                self._strips.clear()
            strip = self._strips[key] = self._drawn(y, width)
        return strip.crop_extend(0, width, self.rich_style)

    def _drawn(self, y: int, width: int) -> Strip:
        if not self.book.start and y != self._detail_line:
            return Strip.blank(width, self.rich_style)
        if y < HEAD_LINES:
            text = head_of(self._columns, self._axis, ascii=self._ascii)
            return Strip([Segment(text, self.get_component_rich_style("timeline--head"))])
        if y == self._detail_line:
            return self._detail(width)
        index = self._row_at(y)
        if index is None:
            return Strip.blank(width, self.rich_style)
        strip = self._row_strip(self.book.rows[index])
        if index != self._index:
            return strip
        cursor = self.get_component_rich_style("timeline--cursor")
        return under_cursor(strip.extend_cell_length(width), cursor)

    def _detail(self, width: int) -> Strip:
        style = self.get_component_rich_style("timeline--detail")
        row = self.row
        nothing = "no task has been reached" if self.book.start else self.why_empty
        text = detail_of(row, self._facts(row)) if row else nothing
        if self.following:
            text = f"following  {text}"
        return Strip([Segment(fitted(text, width, ascii=self._ascii), style)])

    def _row_strip(self, row: Row) -> Strip:
        facts = self._facts(row)
        segments: list[Segment] = []
        for cell in cells_of(row, facts, self._columns, self._axis, ascii=self._ascii):
            segments.extend(self._segments(cell))
            segments.append(Segment(" ", self.rich_style))
        return Strip(segments[:-1])

    def _segments(self, cell: Cell) -> Iterable[Segment]:
        style = self._style(cell.tone)
        if cell.column != "bar":
            yield Segment(cell.text, style)
            return
        waiting = self._style("muted")
        for queued, run in groupby(cell.text, lambda each: each in (QUEUED, ".")):
            yield Segment("".join(run), waiting if queued else style)

    def _style(self, tone: str) -> Style:
        return self.rich_style + tone_style(self.app, tone)
