"""The lines of a live table: what each shows, and which of them must be painted again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import floor
from textwrap import wrap
from typing import Any, ClassVar, Self

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget

from tui.live.view import View
from tui.resources.model import Cell, Column
from tui.views.ids import is_id, with_brief_ids
from tui.views.table_layout import GAP, Placed, place
from tui.views.visible import in_one_line
from tui.widgets.table_row import Look, Row
from tui.widgets.tones import tone_style, under_cursor

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
    TableLines { height: 1fr; scrollbar-size-vertical: 1; }
    TableLines > .live-table--header { text-style: bold; color: $text-primary; }
    TableLines > .live-table--cursor { background: $primary 35%; text-style: bold; }
    TableLines:blur > .live-table--cursor { background: $primary 15%; text-style: none; }
    TableLines:ansi > .live-table--cursor { text-style: reverse; }
    TableLines > .live-table--mark { color: $accent; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "live-table--header",
        "live-table--cursor",
        "live-table--mark",
    }

    def __init__(
        self, view: View[Any], columns: Sequence[Column[Any]], sort: str = "",
        reverse: bool = False, id: str | None = None, *, fixed: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(id=id)
        self.view = view
        self.fixed = fixed
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
        self._laid_out_width = 0
        # Of the optional columns those that had something to show: they stay.
        self._used: set[int] = set()
        self._rows: dict[str, Row] = {}
        self._painted: list[Row] = []
        self._other: dict[object, Row] = {}
        self._told = False
        self._base: Style | None = None

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._forget_rows())
        self.lay_out()

    def on_resize(self) -> None:
        self.lay_out()

    @property
    def rows_shown(self) -> int:
        """How many rows fit."""
        return max(1, self.scrollable_content_region.height - HEADER_LINES)

    def repaint(self) -> int:
        """Refresh the lines that do not show what they should; how many cells that are."""
        width = self.scrollable_content_region.width
        if width != self._laid_out_width:
            # A scroll bar has come or gone.
            self.lay_out()
        self._look_for_use()
        before, self._painted = self._painted, self._lines()
        if len(before) != len(self._painted):
            self.refresh()
            return width * len(self._painted)
        cells = 0
        for line, (was, row) in enumerate(zip(before, self._painted, strict=True)):
            if upto := min(width, row.changed_upto(was) - self.scroll_offset.x):
                self.refresh(Region(0, line, upto, 1))
                cells += upto
        return cells

    def _lines(self) -> list[Row]:
        return [self._line(line) for line in range(self.scrollable_content_region.height)]

    def _line(self, line: int) -> Row:
        """What a line of the screen is to show."""
        if line < HEADER_LINES:
            return self._once(("header", self.sorted_by, self.reversed), self._header)
        index = self.scroll_offset.y + line - HEADER_LINES
        if index < len(self.view):
            return self._row(index)
        empty = "" if len(self.view) else self.empty
        return self._once((line, empty), lambda: self._blank(line, empty))

    def _once(self, what: object, draw: Callable[[], Strip]) -> Row:
        """A line that is no row's, drawn when it is first wanted."""
        row = self._other.get(what)
        if row is None:
            row = self._other[what] = Row(draw())
        return row

    # How it looks

    def lay_out(self) -> None:
        self._laid_out_width = self.scrollable_content_region.width
        width = max(1, self._laid_out_width - MARK_CELLS)
        kept = [at for at, each in enumerate(self.columns) if self._is_used(at, each)]
        placed = place([self.columns[at] for at in kept], width, self.wide)
        self.placed = [replace(each, index=kept[each.index]) for each in placed]
        self._ticks = any(self.columns[placed.index].ticks for placed in self.placed)
        self._forget_rows()
        self.virtual_size = Size(self.content_width(), len(self.view) + HEADER_LINES)

    def _is_used(self, at: int, column: Column[Any]) -> bool:
        return not column.optional or self.wide or at in self._used or column.name == self.sorted_by

    def _look_for_use(self) -> None:
        """Find optional columns of which a row in sight has something."""
        unused = [(at, each) for at, each in enumerate(self.columns) if not self._is_used(at, each)]
        if not unused:
            return
        top = self.scroll_offset.y
        rows = range(top, min(top + self.rows_shown, len(self.view)))
        records = [self.view.record(self.view.id_at(row)) for row in rows]
        found = {
            at
            for at, column in unused
            if any(each is not None and column.cell(each, self.now).text for each in records)
        }
        if found:
            self._used |= found
            self.lay_out()

    def hold(self, rows: int) -> None:
        """Have so many rows. All is laid out anew only where a scroll bar comes or goes by it."""
        size = Size(self.content_width(), rows + HEADER_LINES)
        if size == self.virtual_size:
            return
        scrolls = size.height > self.scrollable_content_region.height
        if size.width != self.virtual_size.width or scrolls != self.show_vertical_scrollbar:
            self.virtual_size = size
            return
        self.set_reactive(Widget.virtual_size, size)
        if scrolls:
            self._move_scrollbar()

    def _move_scrollbar(self) -> None:
        """Tell the scroll bar; it is painted only where it looks other than before."""
        bar, height = self.vertical_scrollbar, self.virtual_size.height
        before = _thumb(bar, bar.window_virtual_size, bar.position)
        top = self.scroll_offset.y
        bar.set_reactive(ScrollBar.window_virtual_size, height)
        bar.set_reactive(ScrollBar.position, top)
        if _thumb(bar, height, top) != before:
            bar.refresh()

    def content_width(self) -> int:
        """Cells to scroll aside over; 0: what is placed has room, also once a scroll bar comes."""
        last = self.placed[-1] if self.placed else None
        width = MARK_CELLS + (last.x + last.width if last else 0)
        return width if width > self._laid_out_width else 0

    def _base_style(self) -> Style:
        """That of the widget: to ask for it costs more than to draw a row."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def _forget_rows(self) -> None:
        self._base = None
        self._rows.clear()
        self._other.clear()
        self._painted = []
        self.refresh()

    def render_line(self, y: int) -> Strip:
        x = self.scroll_offset.x
        width = self.scrollable_content_region.width
        return self._line(y).strip.crop_extend(x, x + width, self._base_style())

    def _blank(self, y: int, empty: str) -> Strip:
        """A line below the rows; in the middle of a list without rows, why there are none."""
        width = self.scrollable_content_region.width
        lines = wrap(in_one_line(empty), max(1, width - 4)) if empty else []
        first = (self.scrollable_content_region.height - len(lines)) // 2
        if not first <= y < first + len(lines):
            return Strip.blank(width, self._base_style())
        style = self._base_style() + tone_style(self.app, "muted")
        return Strip([Segment(lines[y - first].center(width), style)])

    def _header(self) -> Strip:
        style = self.get_component_rich_style("live-table--header")
        segments = [Segment(" " * MARK_CELLS, style)]
        for placed in self.placed:
            column = self.columns[placed.index]
            sorted_by = column.name == self.sorted_by and not self.fixed
            arrow = ("▼" if self.reversed else "▲") if sorted_by else ""
            text = _fitted(column.title + arrow, placed.width, right=column.right)
            segments.append(Segment(text + " " * GAP, style))
        return Strip(segments)

    def _row(self, index: int) -> Row:
        id_ = self.view.id_at(index)
        record = self.view.record(id_)
        look = Look(
            id_ in self.marks, id_ == self.cursor_id, self._asked(record),
            floor(self.now) if self._ticks else 0,
        )  # fmt: skip
        kept = self._rows.get(id_)
        if kept is not None and kept.is_of(record, look):
            return kept
        if len(self._rows) >= _MOST_CACHED:
            self._rows.clear()
        row = self._rows[id_] = self._drawn(record, look)
        return row

    def _asked(self, record: Any) -> str:
        return self.pending(record) if record is not None else ""

    def _drawn(self, record: Any, look: Look) -> Row:
        base = self._base_style()
        mark = self.get_component_rich_style("live-table--mark") if look.marked else base
        segments = [Segment("◆ " if look.marked else "  ", mark)]
        cells: list[Cell] = []
        ends: list[int] = []
        for placed in self.placed if record is not None else ():
            column = self.columns[placed.index]
            cell = column.cell(record, self.now)
            if look.asked and placed.index == self._status_index:
                cell = Cell(f"⋯ {look.asked}", "warning")
            line = in_one_line(cell.text)
            text = _fitted(line, placed.width, right=column.right, tail=column.tail)
            segments.append(Segment(text + " " * GAP, base + tone_style(self.app, cell.tone)))
            cells.append(Cell(text, cell.tone))
            ends.append(MARK_CELLS + placed.x + placed.width + GAP)
        strip = Strip(segments).simplify()
        return Row(self._under_cursor(strip) if look.current else strip, record, look, cells, ends)

    def _under_cursor(self, strip: Strip) -> Strip:
        """The whole width, with the cursor's background behind what the cells have as theirs."""
        wide = strip.extend_cell_length(self.scrollable_content_region.width, self._base_style())
        return under_cursor(wide, self.get_component_rich_style("live-table--cursor"))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Rows that come above the shown ones move them on: the lines look as before."""
        if self.show_vertical_scrollbar:
            self._move_scrollbar()
        if round(old_value) != round(new_value):
            self.repaint()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_x(old_value, new_value)
        self._painted = []

    def watch_has_focus(self, value: bool) -> None:
        self._forget_rows()
        super().watch_has_focus(value)

    def tell(self, text: str) -> None:
        """Say something in the border below."""
        if text != self.border_subtitle:
            self._told = True
            self.border_subtitle = text
            self._told = False

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Paint again; what is said in the border asks for all, where one line of it will do."""
        if self._told and not regions:
            width, height = self.outer_size
            regions = (Region(-1, height - 2, width, 1),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


def _thumb(bar: ScrollBar, rows: int, top: float) -> tuple[int, int]:
    """Where the thumb of a scroll bar begins and how long it is, in eighths of a cell."""
    eighths, hidden = 8 * bar.size.height, max(1, rows - bar.window_size)
    length = max(8.0, eighths * bar.window_size / max(1, rows))
    return int((eighths - length) * top / hidden), int(length)


def _fitted(text: str, width: int, *, right: bool, tail: bool = False) -> str:
    """``text`` in just so many cells; of ids the ends stay longest."""
    length = cell_len(text)
    if length <= width:
        space = " " * (width - length)
        return space + text if right else text + space
    if width < 2:
        return "…"[:width]
    if tail or is_id(text):
        return "…" + set_cell_size(text[::-1], width - 1)[::-1]
    shorter = with_brief_ids(text)
    if shorter != text:
        return _fitted(shorter, width, right=right)
    return set_cell_size(text, width - 1) + "…"
