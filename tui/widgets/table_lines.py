"""The lines of a live table: what each shows, and which of them must be painted again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor
from textwrap import wrap
from typing import Any, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.live.view import View
from tui.resources.model import Cell, Column
from tui.views.table_layout import GAP, Placed, place
from tui.views.visible import in_one_line
from tui.widgets.tones import tone_style

MARK_CELLS = 2
HEADER_LINES = 1
_MOST_CACHED = 4_000


def _nothing(record: Any) -> str:
    return ""


class TableLines(ScrollView, can_focus=True):
    """Rows of a :class:`tui.live.view.View` as lines; cursor and marks are ids.

    Attributes:
        empty: What is said in the middle while there are no rows.
        marks: Ids of the marked rows; they stay marked while a filter hides them.
        pending: What was asked for a record and is not yet so; it stands instead of its status.
    """

    DEFAULT_CSS = """
    LiveTable { height: 1fr; scrollbar-size-vertical: 1; }
    LiveTable > .live-table--header { text-style: bold; color: $text-primary; }
    LiveTable > .live-table--cursor { background: $primary 35%; text-style: bold; }
    LiveTable:blur > .live-table--cursor { background: $primary 15%; text-style: none; }
    LiveTable:ansi > .live-table--cursor { text-style: reverse; }
    LiveTable > .live-table--mark { color: $accent; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "live-table--header",
        "live-table--cursor",
        "live-table--mark",
    }

    def __init__(
        self, view: View[Any], columns: Sequence[Column[Any]], sort: str = "",
        reverse: bool = False, id: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(id=id)
        self.view = view
        self.columns = tuple(columns)
        self.marks: set[str] = set()
        self.empty = ""
        self.pending: Callable[[Any], str] = _nothing
        self.sorted_by = sort or (self.columns[0].name if self.columns else "")
        self.reversed = reverse
        self.cursor_id = ""
        self.wide = False
        self.now = 0.0
        self.placed: list[Placed] = []
        # Where there is no status, the first column tells it.
        names = [column.name for column in self.columns]
        self._status_index = names.index("status") if "status" in names else 0
        self._layout = 0
        self._laid_out_width = 0
        self._strips: dict[tuple[Any, ...], tuple[Any, Strip]] = {}
        self._painted: list[tuple[Any, ...]] = []

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._forget_strips())
        self.lay_out()

    def on_resize(self) -> None:
        self.lay_out()

    @property
    def rows_shown(self) -> int:
        """How many rows fit."""
        return max(1, self.scrollable_content_region.height - HEADER_LINES)

    def repaint(self) -> None:
        """Refresh the lines that do not show what they should."""
        if self.scrollable_content_region.width != self._laid_out_width:
            # A scroll bar has come or gone.
            self.lay_out()
        height = self.scrollable_content_region.height
        wanted = [self._line_key(line) for line in range(height)]
        if len(self._painted) != height:
            self.refresh()
        else:
            for line, (was, key) in enumerate(zip(self._painted, wanted, strict=True)):
                if was != key:
                    self.refresh(Region(0, line, self.size.width, 1))
        self._painted = wanted

    def _line_key(self, line: int) -> tuple[Any, ...]:
        """What the line shows: equal keys look the same."""
        offset = self.scroll_offset
        if line < HEADER_LINES:
            return ("header", self._layout, self.sorted_by, self.reversed, offset.x)
        index = offset.y + line - HEADER_LINES
        if index >= len(self.view):
            return () if len(self.view) else (self.empty,)
        id_ = self.view.id_at(index)
        record = self.view.record(id_)
        tick = floor(self.now) if self._ticks else 0
        # The record itself: its address alone may be another one's by the next time.
        return (
            id_, record, id_ in self.marks, id_ == self.cursor_id, self._asked(record),
            self._layout, tick, offset.x, self.has_focus,
        )  # fmt: skip

    # How it looks

    def lay_out(self) -> None:
        self._laid_out_width = self.scrollable_content_region.width
        width = max(1, self._laid_out_width - MARK_CELLS)
        self.placed = place(self.columns, width, self.wide)
        self._ticks = any(self.columns[placed.index].ticks for placed in self.placed)
        self._layout += 1
        self._forget_strips()
        self.virtual_size = Size(self.content_width(), len(self.view) + HEADER_LINES)

    def content_width(self) -> int:
        last = self.placed[-1] if self.placed else None
        return MARK_CELLS + (last.x + last.width if last else 0)

    def _forget_strips(self) -> None:
        self._strips.clear()
        self._painted = []
        self.refresh()

    def render_line(self, y: int) -> Strip:
        x, top = self.scroll_offset
        width = self.scrollable_content_region.width
        if y < HEADER_LINES:
            strip = self._header()
        else:
            index = top + y - HEADER_LINES
            if index >= len(self.view):
                return self._blank(y, width)
            strip = self._row(index)
        return strip.crop_extend(x, x + width, self.rich_style)

    def _blank(self, y: int, width: int) -> Strip:
        """A line below the rows; in the middle of a list without rows, why there are none."""
        lines = wrap(in_one_line(self.empty), max(1, width - 4)) if self.empty else []
        first = (self.scrollable_content_region.height - len(lines)) // 2
        if len(self.view) or not first <= y < first + len(lines):
            return Strip.blank(width, self.rich_style)
        style = self.rich_style + tone_style(self.app, "muted")
        return Strip([Segment(lines[y - first].center(width), style)])

    def _header(self) -> Strip:
        style = self.get_component_rich_style("live-table--header")
        segments = [Segment(" " * MARK_CELLS, style)]
        for placed in self.placed:
            column = self.columns[placed.index]
            arrow = ("▼" if self.reversed else "▲") if column.name == self.sorted_by else ""
            text = self._fitted(column.title + arrow, placed.width, column.right)
            segments.append(Segment(text + " " * GAP, style))
        return Strip(segments)

    def _row(self, index: int) -> Strip:
        id_ = self.view.id_at(index)
        record = self.view.record(id_)
        marked, current = id_ in self.marks, id_ == self.cursor_id
        tick = floor(self.now) if self._ticks else 0
        asked = self._asked(record)
        key = (id_, marked, current, self.has_focus, tick, asked)
        kept = self._strips.get(key)
        if kept is not None and kept[0] is record:
            return kept[1]
        strip = self._drawn(record, marked, asked)
        if current:
            strip = strip.extend_cell_length(self.scrollable_content_region.width)
            strip = strip.apply_style(self.get_component_rich_style("live-table--cursor"))
        if len(self._strips) >= _MOST_CACHED:
            self._strips.clear()
        self._strips[key] = (record, strip)
        return strip

    def _asked(self, record: Any) -> str:
        return self.pending(record) if record is not None else ""

    def _drawn(self, record: Any, marked: bool, asked: str) -> Strip:
        base = self.rich_style
        mark = self.get_component_rich_style("live-table--mark") if marked else base
        segments = [Segment("◆ " if marked else "  ", mark)]
        if record is None:
            return Strip(segments)
        for placed in self.placed:
            column = self.columns[placed.index]
            cell = column.cell(record, self.now)
            if asked and placed.index == self._status_index:
                cell = Cell(f"⋯ {asked}", "warning")
            text = self._fitted(in_one_line(cell.text), placed.width, column.right)
            segments.append(Segment(text, base + tone_style(self.app, cell.tone)))
            segments.append(Segment(" " * GAP, base))
        return Strip(segments)

    @staticmethod
    def _fitted(text: str, width: int, right: bool) -> str:
        length = cell_len(text)
        if length > width:
            return set_cell_size(text, max(0, width - 1)) + "…" if width > 1 else "…"[:width]
        return " " * (width - length) + text if right else text + " " * (width - length)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._painted = []

    def watch_has_focus(self, value: bool) -> None:
        self._strips.clear()
        super().watch_has_focus(value)
