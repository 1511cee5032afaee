"""A matrix of targets and kinds of access, of which each cell is switched by a key or a click."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.views.grants import ACCESS, Grants, changed_rows
from tui.views.timecolumns import fitted
from tui.views.visible import in_one_line
from tui.widgets.tones import tone_style

_KIND = 12
_CELL = 8
_LEAST_NAME = 8


class GrantMatrix(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows grants; whoever owns them changes them."""

    HELP = """\
## Grants

What the application may do: a row for each target, a column for each kind of access.

- arrows or `h j k l` go from cell to cell, `Space` or `Enter` switches one
- `a` adds a target, `Delete` takes one out; `u` goes back to what is stored
- `Ctrl+S` shows what differs, and stores all of it at once
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1, 0)", "Down", id="grants.down", show=False, tooltip="Down"),
        Binding("up,k", "move(-1, 0)", "Up", id="grants.up", show=False, tooltip="Up"),
        Binding("left,h", "move(0, -1)", "Left", id="grants.left", show=False, tooltip="Left"),
        Binding("right,l", "move(0, 1)", "Right", id="grants.right", show=False, tooltip="Right"),
        Binding("pagedown", "page(1)", "Page", id="grants.page_down", show=False,
                tooltip="A page down"),
        Binding("pageup", "page(-1)", "Page", id="grants.page_up", show=False,
                tooltip="A page up"),
        Binding("home,g", "edge(0)", "Top", id="grants.top", show=False, tooltip="First row"),
        Binding("end,G", "edge(-1)", "End", id="grants.end", show=False, tooltip="Last row"),
        Binding("space,enter", "switch", "Switch", id="grants.switch",
                tooltip="Allow it, or no longer"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    GrantMatrix { height: 1fr; border: round $panel; border-title-color: $text-primary;
                  border-subtitle-color: $foreground 70%;
                  overflow-x: hidden; scrollbar-size-vertical: 1; }
    GrantMatrix:focus { border: round $primary; }
    GrantMatrix > .grants--head { text-style: bold; color: $text-muted; }
    GrantMatrix > .grants--row { background: $primary 15%; }
    GrantMatrix > .grants--cell { background: $primary 45%; text-style: bold; }
    GrantMatrix:ansi > .grants--cell { text-style: reverse; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"grants--head", "grants--row", "grants--cell"}

    class Switched(Message):
        """A cell is to be switched."""

        def __init__(self, matrix: GrantMatrix, row: int, access: str) -> None:
            super().__init__()
            self.matrix = matrix
            self.row = row
            self.access = access

        @property
        def control(self) -> GrantMatrix:
            return self.matrix

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__()
        self.grants: Grants = ()
        self._stored: Grants = ()
        self._changed: frozenset[int] = frozenset()
        self._ascii = ascii
        self.row = 0
        self._column = 0

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def show(self, grants: Grants, stored: Grants, row: int | None = None) -> None:
        """Show ``grants``, marking what differs from ``stored``, and put the cursor on a row."""
        self.grants, self._stored = grants, stored
        self._changed = changed_rows(stored, grants)
        self._put(self.row if row is None else row, self._column)
        self._lay_out()
        self.refresh()

    def _lay_out(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.grants) + 1)

    def on_resize(self) -> None:
        self._lay_out()

    def action_move(self, rows: int, columns: int) -> None:
        self._put(self.row + rows, self._column + columns)

    def action_page(self, by: int) -> None:
        self._put(self.row + by * max(1, self.scrollable_content_region.height - 1), self._column)

    def action_edge(self, end: int) -> None:
        self._put(len(self.grants) - 1 if end else 0, self._column)

    def action_switch(self) -> None:
        if self.row < len(self.grants):
            self.post_message(self.Switched(self, self.row, ACCESS[self._column]))

    def _put(self, row: int, column: int) -> None:
        self.row = max(0, min(row, len(self.grants) - 1))
        self._column = max(0, min(column, len(ACCESS) - 1))
        height = max(1, self.scrollable_content_region.height - 1)
        top = self.scroll_offset.y
        wanted = min(self.row, max(top, self.row - height + 1))
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, force=True, immediate=True)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y == 0:
            return
        row = self.scroll_offset.y + offset.y - 1
        column = (offset.x - self._names() - _KIND) // _CELL
        if row < len(self.grants):
            event.stop()
            self._put(row, column)
            if 0 <= column < len(ACCESS):
                self.action_switch()

    def _names(self) -> int:
        """How many cells the names have."""
        width = self.scrollable_content_region.width
        return max(_LEAST_NAME, width - _KIND - _CELL * len(ACCESS))

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if y == 0:
            # The head stays where it is.
            text = f"  {'TARGET':<{_KIND - 2}}{'':<{self._names()}}"
            head = text + "".join(f"{word:^{_CELL}}" for word in ACCESS)
            style = self.rich_style + self.get_component_rich_style("grants--head")
            return self._strip([Segment(head, style)], width)
        index = self.scroll_offset.y + y - 1
        if index >= len(self.grants):
            return Strip.blank(width, self.rich_style)
        return self._strip(self._row(index), width)

    def _row(self, index: int) -> list[Segment]:
        grant = self.grants[index]
        current = index == self.row and self.has_focus
        base = self.rich_style
        if current:
            base += self.get_component_rich_style("grants--row")
        mark = ("* " if self._ascii else "● ") if index in self._changed else "  "
        name = fitted(in_one_line(grant.name), self._names() - 1, ascii=self._ascii)
        kind = fitted(in_one_line(grant.kind), _KIND - 2, ascii=self._ascii)
        segments = [
            Segment(mark, base + tone_style(self.app, "warning")),
            Segment(kind, base + tone_style(self.app, "muted")),
            Segment(f"{name} ", base),
        ]
        for column, word in enumerate(ACCESS):
            segments.append(
                self._cell(word in grant.access, base, current and column == self._column)
            )
        return segments

    def _cell(self, has: bool, base: Style, current: bool) -> Segment:
        yes, no = ("[x]", "[ ]") if self._ascii else ("✔", "·")
        style = base + tone_style(self.app, "success" if has else "muted")
        if current:
            style += self.get_component_rich_style("grants--cell")
        return Segment(f"{yes if has else no:^{_CELL}}", style)

    def _strip(self, segments: list[Segment], width: int) -> Strip:
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def watch_has_focus(self, value: Any) -> None:
        super().watch_has_focus(value)
        self.refresh()
