"""A list that lives: it shows a view of a collection, and repaints only the lines that changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor
from textwrap import wrap
from typing import Any, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
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


class LiveTable(ScrollView, can_focus=True):
    """Rows of a :class:`tui.live.view.View`. Cursor and marks are ids: rows may move under them.

    Attributes:
        empty: What is said in the middle while there are no rows.
        marks: Ids of the marked rows; they stay marked while a filter hides them.
        pending: What was asked for a record and is not yet so; it stands instead of its status.
    """

    HELP = """\
## List

Shows what there is as it changes. The cursor and the marks stay with their rows.

- `↑ ↓ j k g G PgUp PgDn` move, `Enter` opens
- `Space` marks, `V` marks from the last mark to here, `*` all that the filter shows, `\\` none
- `s` sorts by the next column, `S` the other way round; so does a click on a heading
- `p` holds the list still and lets it go on, `F` goes to the newest
- `w` shows all columns, however wide
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

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="list.down", show=False, tooltip="One row down"),
        Binding("up,k", "move(-1)", "Up", id="list.up", show=False, tooltip="One row up"),
        Binding("pagedown", "page(1)", "Page", id="list.page_down", show=False,
                tooltip="A page down"),
        Binding("pageup", "page(-1)", "Page", id="list.page_up", show=False, tooltip="A page up"),
        Binding("home,g", "edge(0)", "Top", id="list.top", show=False, tooltip="The first row"),
        Binding("end,G", "edge(-1)", "End", id="list.end", show=False, tooltip="The last row"),
        Binding("enter", "open", "Open", id="list.open", tooltip="Open the row"),
        Binding("space", "mark", "Mark", id="list.mark", tooltip="Mark the row, or no longer"),
        Binding("V", "mark_range", "Mark to here", id="list.mark_range", show=False,
                tooltip="Mark from the last mark to here"),
        Binding("asterisk", "mark_all", "Mark all", id="list.mark_all", show=False,
                tooltip="Mark all that the filter shows"),
        Binding("backslash", "unmark", "Unmark", id="list.unmark", show=False,
                tooltip="Mark none"),
        Binding("s", "sort_next", "Sort", id="list.sort", show=False,
                tooltip="Sort by the next column"),
        Binding("S", "sort_reverse", "Reverse", id="list.reverse", show=False,
                tooltip="Sort the other way round"),
        Binding("p", "pause", "Hold", id="list.pause", tooltip="Hold the list still, or go on"),
        Binding("F", "newest", "Newest", id="list.newest", show=False,
                tooltip="Go on, and to the first row"),
        Binding("w", "wide", "Wide", id="list.wide", show=False, tooltip="Show all columns"),
    ]  # fmt: skip

    class RowOpened(Message):
        """A row was opened."""

        def __init__(self, table: LiveTable, id_: str) -> None:
            super().__init__()
            self.table = table
            self.id = id_

        @property
        def control(self) -> LiveTable:
            return self.table

    class CursorMoved(Message):
        """The cursor is on another row, or on none (empty)."""

        def __init__(self, table: LiveTable, id_: str) -> None:
            super().__init__()
            self.table = table
            self.id = id_

        @property
        def control(self) -> LiveTable:
            return self.table

    class StateChanged(Message):
        """Marks, sorting, holding still, or the number of rows have changed."""

        def __init__(self, table: LiveTable) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> LiveTable:
            return self.table

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
        self._cursor_index = 0
        self._last_mark = ""
        self._wide = False
        self._now = 0.0
        self._placed: list[Placed] = []
        # Where there is no status, the first column tells it.
        names = [column.name for column in self.columns]
        self._status_index = names.index("status") if "status" in names else 0
        self._layout = 0
        self._laid_out_width = 0
        self._strips: dict[tuple[Any, ...], Strip] = {}
        self._painted: list[tuple[Any, ...]] = []
        self._apply_sort()

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._forget_strips())
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    # What changes

    def flush(self, now: float) -> None:
        """Show what has changed since; ``now`` is in epoch seconds."""
        self._now = now
        if self.view.refresh():
            self._rows_changed()
        self._repaint()

    def _rows_changed(self) -> None:
        rows = len(self.view)
        if self.virtual_size.height != rows + HEADER_LINES:
            self.virtual_size = Size(self._content_width(), rows + HEADER_LINES)
        self._keep_cursor()
        self.post_message(self.StateChanged(self))

    def _keep_cursor(self) -> None:
        """The cursor stays with its row, and where that is on the screen; a row may be gone."""
        index = self.view.index(self.cursor_id) if self.cursor_id else None
        if index is None:
            self._put_cursor(min(self._cursor_index, len(self.view) - 1), scroll=False)
            return
        moved, self._cursor_index = index - self._cursor_index, index
        top = self.scroll_offset.y
        if moved and (top > 0 or not self._in_sight(index)):
            self.scroll_to(y=max(0, top + moved), animate=False, force=True, immediate=True)

    def _in_sight(self, index: int) -> bool:
        top = self.scroll_offset.y
        return top <= index < top + self.rows_shown

    @property
    def rows_shown(self) -> int:
        """How many rows fit."""
        return max(1, self.scrollable_content_region.height - HEADER_LINES)

    def _repaint(self) -> None:
        """Refresh the lines that do not show what they should."""
        if self.scrollable_content_region.width != self._laid_out_width:
            # A scroll bar has come or gone.
            self._lay_out()
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
        tick = floor(self._now) if self._ticks else 0
        return (
            id_, id(record), id_ in self.marks, id_ == self.cursor_id, self._asked(record),
            self._layout, tick, offset.x, self.has_focus,
        )  # fmt: skip

    # How it looks

    def _lay_out(self) -> None:
        self._laid_out_width = self.scrollable_content_region.width
        width = max(1, self._laid_out_width - MARK_CELLS)
        self._placed = place(self.columns, width, self._wide)
        self._ticks = any(self.columns[placed.index].ticks for placed in self._placed)
        self._layout += 1
        self._forget_strips()
        self.virtual_size = Size(self._content_width(), len(self.view) + HEADER_LINES)

    def _content_width(self) -> int:
        last = self._placed[-1] if self._placed else None
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
        for placed in self._placed:
            column = self.columns[placed.index]
            arrow = ("▼" if self.reversed else "▲") if column.name == self.sorted_by else ""
            text = self._fitted(column.title + arrow, placed.width, column.right)
            segments.append(Segment(text + " " * GAP, style))
        return Strip(segments)

    def _row(self, index: int) -> Strip:
        id_ = self.view.id_at(index)
        record = self.view.record(id_)
        marked, current = id_ in self.marks, id_ == self.cursor_id
        tick = floor(self._now) if self._ticks else 0
        asked = self._asked(record)
        key = (id_, id(record), marked, current, self.has_focus, tick, asked)
        kept = self._strips.get(key)
        if kept is not None:
            return kept
        strip = self._drawn(record, marked, asked)
        if current:
            strip = strip.extend_cell_length(self.scrollable_content_region.width)
            strip = strip.apply_style(self.get_component_rich_style("live-table--cursor"))
        if len(self._strips) >= _MOST_CACHED:
            self._strips.clear()
        self._strips[key] = strip
        return strip

    def _asked(self, record: Any) -> str:
        return self.pending(record) if record is not None else ""

    def _drawn(self, record: Any, marked: bool, asked: str) -> Strip:
        base = self.rich_style
        mark = self.get_component_rich_style("live-table--mark") if marked else base
        segments = [Segment("◆ " if marked else "  ", mark)]
        if record is None:
            return Strip(segments)
        for placed in self._placed:
            column = self.columns[placed.index]
            cell = column.cell(record, self._now)
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

    # What is done with it

    def _put_cursor(self, index: int, scroll: bool = True) -> None:
        if not len(self.view) or index < 0:
            self._cursor_index = 0
            if self.cursor_id:
                self.cursor_id = ""
                self.post_message(self.CursorMoved(self, ""))
            return
        index = min(index, len(self.view) - 1)
        id_ = self.view.id_at(index)
        self._cursor_index = index
        if scroll:
            self._scroll_to_row(index)
        if id_ != self.cursor_id:
            self.cursor_id = id_
            self.post_message(self.CursorMoved(self, id_))
        self._repaint()

    def _scroll_to_row(self, index: int) -> None:
        top = self.scroll_offset.y
        if index < top:
            self.scroll_to(y=index, animate=False, force=True, immediate=True)
        elif index >= top + self.rows_shown:
            self.scroll_to(y=index - self.rows_shown + 1, animate=False, force=True, immediate=True)

    def put_cursor_on(self, id_: str) -> bool:
        """Put the cursor on a row; False: there is none with that id."""
        self.view.refresh()
        index = self.view.index(id_)
        if index is None:
            return False
        self._put_cursor(index)
        return True

    def selected_ids(self) -> list[str]:
        """The marked rows, in order, or else the one under the cursor."""
        if self.marks:
            shown = [id_ for id_ in self.view.ids() if id_ in self.marks]
            hidden = self.marks.difference(shown)
            return [*shown, *sorted(id_ for id_ in hidden if self.view.record(id_) is not None)]
        return [self.cursor_id] if self.cursor_id else []

    def action_move(self, by: int) -> None:
        self._put_cursor(max(0, self._cursor_index + by))

    def action_page(self, by: int) -> None:
        self._put_cursor(max(0, self._cursor_index + by * self.rows_shown))

    def action_edge(self, end: int) -> None:
        self._put_cursor(len(self.view) - 1 if end else 0)

    def action_open(self) -> None:
        if self.cursor_id:
            self.post_message(self.RowOpened(self, self.cursor_id))

    def action_mark(self) -> None:
        if self.cursor_id:
            self.marks ^= {self.cursor_id}
            self._last_mark = self.cursor_id
            self.marks_changed()
            self.action_move(1)

    def action_mark_range(self) -> None:
        start = self.view.index(self._last_mark) if self._last_mark else None
        low, high = sorted((self._cursor_index if start is None else start, self._cursor_index))
        self.marks.update(self.view.ids()[low : high + 1])
        self._last_mark = self.cursor_id
        self.marks_changed()

    def action_mark_all(self) -> None:
        self.marks.update(self.view.ids())
        self.marks_changed()

    def action_unmark(self) -> None:
        self.marks.clear()
        self.marks_changed()

    def marks_changed(self) -> None:
        """Show the marks as they are."""
        self._repaint()
        self.post_message(self.StateChanged(self))

    def action_sort_next(self) -> None:
        names = [self.columns[placed.index].name for placed in self._placed]
        at = names.index(self.sorted_by) if self.sorted_by in names else -1
        self.sort_by(names[(at + 1) % len(names)])

    def action_sort_reverse(self) -> None:
        self.sort_by(self.sorted_by, not self.reversed)

    def sort_by(self, name: str, reverse: bool = False) -> None:
        """Sort by a column."""
        self.sorted_by, self.reversed = name, reverse
        self._apply_sort()
        self.flush(self._now)

    def _apply_sort(self) -> None:
        column = next((each for each in self.columns if each.name == self.sorted_by), None)
        if column is None:
            return
        by = column.sort or (lambda record: column.cell(record, self._now).text.casefold())
        self.view.sort(by, self.reversed)

    def action_pause(self) -> None:
        if self.view.paused:
            self.view.resume()
        else:
            self.view.pause()
        self._rows_changed()
        self._repaint()

    def action_newest(self) -> None:
        if self.view.paused:
            self.action_pause()
        self._put_cursor(0)

    def action_wide(self) -> None:
        self._wide = not self._wide
        self._lay_out()

    def on_click(self, event: events.Click) -> None:
        if event.y < HEADER_LINES:
            self._sort_clicked(event.x + self.scroll_offset.x - MARK_CELLS)
            return
        index = self.scroll_offset.y + event.y - HEADER_LINES
        if index >= len(self.view):
            return
        again = self.view.id_at(index) == self.cursor_id
        self._put_cursor(index)
        if event.ctrl:
            self.marks ^= {self.cursor_id}
            self.marks_changed()
        elif again and event.chain > 1:
            self.action_open()

    def _sort_clicked(self, x: int) -> None:
        for placed in self._placed:
            if placed.x <= x < placed.x + placed.width + GAP:
                name = self.columns[placed.index].name
                self.sort_by(name, name == self.sorted_by and not self.reversed)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._painted = []

    def watch_has_focus(self, value: bool) -> None:
        self._strips.clear()
        super().watch_has_focus(value)
