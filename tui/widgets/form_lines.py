"""The lines of a form: its rows, the cursor, and what is said about the row under it."""

from __future__ import annotations

from textwrap import wrap
from typing import Any, ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.views.forms.cells import about, label_cells, pieces_of, value_column
from tui.views.forms.rows import FormRow
from tui.views.timecolumns import fitted
from tui.views.visible import in_one_line
from tui.widgets.tones import tone_style, under_cursor

ABOUT_LINES = 2
_NO_STOPS = frozenset(("fault",))


class FormLines(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of a form, of which only those on the screen are drawn. The form says what keys do."""

    DEFAULT_CSS = """
    FormLines { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    FormLines > .form--cursor { background: $primary 35%; }
    FormLines:blur > .form--cursor { background: $primary 15%; }
    FormLines:ansi > .form--cursor { text-style: reverse; }
    FormLines > .form--about { background: $panel; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"form--cursor", "form--about"}

    class RowClicked(Message):
        """A row was clicked.

        Attributes:
            at_value: Right of the labels.
        """

        def __init__(self, lines: FormLines, row: FormRow, at_value: bool) -> None:
            super().__init__()
            self.lines = lines
            self.row = row
            self.at_value = at_value

        @property
        def control(self) -> FormLines:
            return self.lines

    class Moved(Message):
        """The cursor is on another row, or its row is elsewhere on the screen."""

        def __init__(self, lines: FormLines) -> None:
            super().__init__()
            self.lines = lines

        @property
        def control(self) -> FormLines:
            return self.lines

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__()
        self.rows: list[FormRow] = []
        self._ascii = ascii
        self._index = 0
        self._labels = 1
        self._painted: list[tuple[Any, ...]] = []

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def on_resize(self) -> None:
        self._lay_out()

    @property
    def row(self) -> FormRow | None:
        """That under the cursor."""
        return self.rows[self._index] if self._index < len(self.rows) else None

    @property
    def rows_shown(self) -> int:
        """How many rows fit."""
        return max(1, self.scrollable_content_region.height - ABOUT_LINES)

    def show(self, rows: list[FormRow], cursor: tuple[str, Any] | None = None) -> None:
        """Show other rows; the cursor goes to the row of a key, or stays with its own."""
        wanted = cursor or (self.row.key if self.row else None)
        self.rows = rows
        place = next((at for at, row in enumerate(rows) if row.key == wanted), None)
        self._lay_out()
        self.move_to(self._index if place is None else place)

    def move_to(self, index: int, by: int = 1) -> None:
        """Put the cursor on a row, or on the next one ``by`` its side where that is no stop."""
        index = max(0, min(index, len(self.rows) - 1))
        stops = [at for at, row in enumerate(self.rows) if row.part not in _NO_STOPS]
        if not stops:
            return
        beyond = [at for at in stops if (at >= index if by > 0 else at <= index)]
        before = self.row
        self._index = (
            (beyond[0] if by > 0 else beyond[-1]) if beyond else stops[-1 if by > 0 else 0]
        )
        self._reveal(self._index)
        self._look()
        if self.row and self.row is not before:
            self.post_message(self.Moved(self))

    def move(self, by: int, *, around: bool = False) -> None:
        """Move the cursor; ``around`` from the last row to the first."""
        index = self._index + by
        if around and not 0 <= index < len(self.rows):
            index = 0 if by > 0 else len(self.rows) - 1
        self.move_to(index, by)

    def value_region(self) -> Region:
        """Where the value of the row under the cursor is, within this widget."""
        x = value_column(self._labels)
        y = self._index - self.scroll_offset.y
        return Region(x, y, max(1, self.scrollable_content_region.width - x), 1)

    def _reveal(self, index: int) -> None:
        top = self.scroll_offset.y
        # What is wrong with a row is below it, and to be seen with it.
        last = index
        while last + 1 < len(self.rows) and self.rows[last + 1].part == "fault":
            last += 1
        y = min(index, max(top, last - self.rows_shown + 1))
        if y != top:
            self.scroll_to(y=y, animate=False, force=True, immediate=True)

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._labels = label_cells(self.rows, width)
        self.virtual_size = Size(width, len(self.rows) + ABOUT_LINES)
        self._look()

    def _look(self) -> None:
        """Refresh the lines that do not show what they should."""
        wanted = [self._line_key(line) for line in range(self.scrollable_content_region.height)]
        if len(wanted) != len(self._painted):
            self.refresh()
        else:
            for line, (was, key) in enumerate(zip(self._painted, wanted, strict=True)):
                if was != key:
                    self.refresh(Region(0, line, self.size.width, 1))
        self._painted = wanted

    def _line_key(self, line: int) -> tuple[Any, ...]:
        if line >= self.rows_shown:
            return ("about", *self._said())
        index = self.scroll_offset.y + line
        if index >= len(self.rows):
            return ()
        row = self.rows[index]
        look = (row.part, row.depth, row.label, row.value, row.given, row.open)
        return (*look, index == self._index, self.has_focus, self._labels)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._painted = []
        self.post_message(self.Moved(self))

    def on_focus(self) -> None:
        self._look()

    def on_blur(self) -> None:
        self._look()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if y >= self.rows_shown:
            return self._about(y - self.rows_shown, width)
        index = self.scroll_offset.y + y
        if index >= len(self.rows):
            return Strip.blank(width, self.rich_style)
        segments = [
            Segment(piece.text, self.rich_style + tone_style(self.app, piece.tone, piece.bold))
            for piece in pieces_of(self.rows[index], self._labels, width, ascii=self._ascii)
        ]
        strip = Strip(segments).adjust_cell_length(width, self.rich_style)
        if index != self._index:
            return strip
        return under_cursor(strip, self.get_component_rich_style("form--cursor"))

    def _said(self) -> tuple[str, str]:
        """What is said of the row under the cursor: what is wrong with it, in full, goes first."""
        if self.row is None:
            return "", ""
        behind = self.rows[self._index + 1 : self._index + 2]
        width = max(10, self.scrollable_content_region.width)
        if not behind or behind[0].part != "fault":
            return about(self.row, width)
        lines = wrap(in_one_line(behind[0].value), width, max_lines=ABOUT_LINES, placeholder=" …")
        first, second = [*lines, "", ""][:2]
        return first, second or about(self.row, width)[0]

    def _about(self, line: int, width: int) -> Strip:
        style = self.get_component_rich_style("form--about")
        text = self._said()[line] if line < ABOUT_LINES else ""
        return Strip([Segment(fitted(text, width, ascii=self._ascii), style)])

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= self.rows_shown:
            return
        index = self.scroll_offset.y + offset.y
        if index >= len(self.rows) or self.rows[index].part in _NO_STOPS:
            return
        event.stop()
        self.move_to(index)
        at_value = offset.x >= value_column(self._labels)
        self.post_message(self.RowClicked(self, self.rows[index], at_value))
