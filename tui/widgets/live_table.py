"""A list that lives: it shows a view of a collection, and repaints only the lines that changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.live.view import View
from tui.resources.model import Column
from tui.views.pace import Pace
from tui.views.table_layout import GAP
from tui.widgets.table_lines import HEADER_LINES, MARK_CELLS, TableLines


class LiveTable(TableLines):
    """Rows of a :class:`tui.live.view.View`. Cursor and marks are ids: rows may move under them."""

    HELP = """\
## List

Shows what there is as it changes. The cursor and the marks stay with their rows.

- `↑ ↓ j k g G PgUp PgDn` move, `Enter` opens
- `Space` marks, `V` marks from the last mark to here, `*` all that the filter shows, `\\` none
- `s` sorts by the next column, `S` the other way round; so does a click on a heading
- `p` holds the list still and lets it go on, `F` goes to the newest
- `w` shows all columns, however wide
"""

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
        reverse: bool = False, id: str | None = None, *, fixed: bool = False,
    ) -> None:  # fmt: skip
        """A list of ``view``.

        Args:
            fixed: Its rows stand in an order that means something, and in no other.
        """
        super().__init__(view, columns, sort, reverse, id, fixed=fixed)
        self._cursor_index = 0
        self._last_mark = ""
        self._pace = Pace()
        self._apply_sort()

    # What changes

    def flush(self, now: float) -> None:
        """Show what has changed since; ``now`` is in epoch seconds.

        After much was painted the next time is left out, unless what is chosen has changed.
        """
        self.now = now
        chosen_anew = self.view.chosen_anew
        if self.view.refresh():
            self._rows_changed()
        if chosen_anew or self._pace.is_due(now):
            self._pace = self._pace.after(now, self.repaint())

    def _rows_changed(self) -> None:
        self.hold(len(self.view))
        if self.marks:
            self.marks = {id_ for id_ in self.marks if self.view.record(id_) is not None}
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
        self.repaint()

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
        self.repaint()
        self.post_message(self.StateChanged(self))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (self.fixed and action in ("sort_next", "sort_reverse"))

    def action_sort_next(self) -> None:
        names = [self.columns[placed.index].name for placed in self.placed]
        at = names.index(self.sorted_by) if self.sorted_by in names else -1
        self.sort_by(names[(at + 1) % len(names)])

    def action_sort_reverse(self) -> None:
        self.sort_by(self.sorted_by, not self.reversed)

    def sort_by(self, name: str, reverse: bool = False) -> None:
        """Sort by a column, unless the order is fixed."""
        if self.fixed:
            return
        self.sorted_by, self.reversed = name, reverse
        self._apply_sort()
        self.flush(self.now)

    def _apply_sort(self) -> None:
        column = next((each for each in self.columns if each.name == self.sorted_by), None)
        if column is None:
            return
        by = column.sort or (lambda record: column.cell(record, self.now).text.casefold())
        self.view.sort(by, self.reversed)

    def action_pause(self) -> None:
        if self.view.paused:
            self.view.resume()
        else:
            self.view.pause()
        self._rows_changed()
        self.repaint()

    def action_newest(self) -> None:
        if self.view.paused:
            self.action_pause()
        self._put_cursor(0)

    def action_wide(self) -> None:
        self.wide = not self.wide
        self.lay_out()

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return
        if place.y < HEADER_LINES:
            self._sort_clicked(place.x + self.scroll_offset.x - MARK_CELLS)
            return
        index = self.scroll_offset.y + place.y - HEADER_LINES
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
        for placed in self.placed:
            if placed.x <= x < placed.x + placed.width + GAP:
                name = self.columns[placed.index].name
                self.sort_by(name, name == self.sorted_by and not self.reversed)
