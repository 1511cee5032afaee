"""Lines with a cursor, painted only where they are in sight: the inside of every viewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.views.diff_lines import WORD
from tui.views.lines import Line, Lines, found_in, highlighted, pieces
from tui.views.text_lines import TextLines
from tui.views.wrapping import Wrapping
from tui.widgets.tones import tone_style

# A screen of them or two: lines are rendered again quickly.
_MOST_KEPT = 1_000
_MATCH = "match"


class LinePane(ScrollView, can_focus=True):
    """Shows :class:`Lines`; whoever owns it folds, searches and copies."""

    ALLOW_SELECT = False
    more = "…"
    """Stands where a line goes on to the right of the screen."""
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line-pane--cursor",
        "line-pane--match",
        "line-pane--number",
    }
    DEFAULT_CSS = """
    LinePane {
        height: 1fr;
        & > .line-pane--cursor {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .line-pane--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: $block-cursor-text-style;
        }
        & > .line-pane--match { text-style: reverse bold; }
        & > .line-pane--number { color: $foreground 40%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, id="lines.down", tooltip="Next line"),
        Binding("k,up", "move(-1)", "Up", show=False, id="lines.up", tooltip="Line before"),
        Binding("g,home", "first", "Top", show=False, id="lines.first", tooltip="First line"),
        Binding("G,end", "last", "End", show=False, id="lines.last", tooltip="Last line"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="lines.page-down",
                tooltip="A screen down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="lines.page-up",
                tooltip="A screen up"),
        Binding("h,left", "aside(-8)", "Left", show=False, id="lines.left",
                tooltip="See what is left of it"),
        Binding("l,right", "aside(8)", "Right", show=False, id="lines.right",
                tooltip="See what is right of it"),
    ]  # fmt: skip

    @dataclass
    class CursorMoved(Message):
        """The cursor is on another line."""

        pane: LinePane
        line: int

        @property
        def control(self) -> LinePane:
            return self.pane

    @dataclass
    class LineClicked(Message):
        """A line was clicked; ``column`` is the character, ``twice`` that it was a double click."""

        pane: LinePane
        line: int
        column: int
        twice: bool

        @property
        def control(self) -> LinePane:
            return self.pane

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: Lines = TextLines("")
        self.cursor = 0
        self.numbered = False
        self.wanted = ""
        self._wrapping: Wrapping | None = None
        self._widest = 0
        self._kept: dict[tuple[int, int], Strip] = {}

    def on_mount(self) -> None:
        """Colours are the theme's."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.repaint())

    @property
    def wrapped(self) -> bool:
        """Whether long lines go on below."""
        return self._wrapping is not None

    def show(self, lines: Lines, cursor: int = 0, offset: int | None = None) -> None:
        """Show ``lines`` with the cursor on one of them.

        Args:
            lines: What is shown; what was is forgotten.
            cursor: The line of the cursor.
            offset: How many rows below the top it is to be; None: where it is in sight.
        """
        self.lines = lines
        self.cursor = max(0, min(cursor, len(lines) - 1))
        self._widest = 0
        self._lay_out()
        if offset is not None:
            self.scroll_to(y=self._row(self.cursor) - offset, animate=False, immediate=True)
        self.see()
        self.post_message(self.CursorMoved(self, self.cursor))

    def offset_of_cursor(self) -> int:
        """How many rows below the top the cursor is."""
        return self._row(self.cursor) - self.scroll_offset.y

    def go(self, line: int) -> None:
        """Put the cursor on ``line`` and bring it into sight."""
        old, self.cursor = self.cursor, max(0, min(line, len(self.lines) - 1))
        self._dirty(old)
        self._dirty(self.cursor)
        self.see()
        if old != self.cursor:
            self.post_message(self.CursorMoved(self, self.cursor))

    def see(self) -> None:
        """Scroll until the line of the cursor is in sight."""
        height = max(1, self._page())
        if self._wrapping is not None:
            self._measure(self.cursor - height, self.cursor + height)
        first, top = self._row(self.cursor), self.scroll_offset.y
        tall = self._wrapping.height(self.cursor) if self._wrapping else 1
        last = first + min(tall, height) - 1
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif last >= top + height:
            self.scroll_to(y=last - height + 1, animate=False, immediate=True)

    def highlight(self, wanted: str) -> None:
        """Mark every ``wanted`` in sight; nothing if it is empty."""
        self.wanted = wanted
        self.repaint()

    def set_wrap(self, wrapped: bool) -> None:
        """Wrap long lines, or let them go on to the right."""
        self._wrapping = Wrapping(self.lines, 1) if wrapped else None
        self._lay_out()
        self.scroll_to(x=0, animate=False, immediate=True)
        self.see()

    def set_numbers(self, numbered: bool) -> None:
        """Show the numbers of lines, or none."""
        self.numbered = numbered
        self._lay_out()

    def repaint(self) -> None:
        """Render what is in sight anew."""
        self._kept.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        width = self.scrollable_content_region.width
        row = self.scroll_offset.y + y
        index, piece = self._wrapping.at(row) if self._wrapping else (row, 0)
        if index >= len(self.lines):
            return Strip.blank(width, self.rich_style)
        strip = self._kept.get((index, piece))
        if strip is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            strip = self._kept[index, piece] = self._strip(index, piece)
        x, gutter = self.scroll_offset.x, self._gutter()
        base = self._cursor_style() if index == self.cursor else self.rich_style
        if not gutter:
            return self._in_sight(strip, x, width, base)
        number = f"{index + 1:>{gutter - 1}} " if not piece else " " * gutter
        head = Strip([Segment(number, self._part("number"))], gutter)
        return Strip.join([head, self._in_sight(strip, x, width - gutter, base)])

    def _in_sight(self, strip: Strip, x: int, width: int, base: Style) -> Strip:
        """``width`` cells of a line from ``x`` on; where it goes on behind them, that is seen."""
        if strip.cell_length <= x + width or width < 2:
            return strip.crop_extend(x, x + width, base)
        more = Segment(self.more, base + tone_style(self.app, "muted"))
        return Strip.join([strip.crop_extend(x, x + width - 1, base), Strip([more], 1)])

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """What comes into sight is measured."""
        super().watch_scroll_y(old_value, new_value)
        if self._wrapping is not None:
            index, _ = self._wrapping.at(round(new_value))
            self._measure(index, index + self._page())

    def on_resize(self) -> None:
        """Wrapped lines are as wide as the pane."""
        if self._wrapping is not None:
            self._lay_out()
        self.see()

    def watch_show_vertical_scrollbar(self) -> None:
        """Its bar takes room from wrapped lines, and leaves it to them."""
        if self._wrapping is not None:
            self.call_after_refresh(self._lay_out)

    def on_focus(self) -> None:
        """The cursor looks otherwise."""
        self._dirty(self.cursor)

    def on_blur(self) -> None:
        """The cursor looks otherwise."""
        self._dirty(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Go to what was clicked, and tell of it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row = self.scroll_offset.y + offset.y
        index, piece = self._wrapping.at(row) if self._wrapping else (row, 0)
        if index >= len(self.lines):
            return
        column = offset.x - self._gutter() + self.scroll_offset.x
        self.go(index)
        twice = event.chain == 2
        self.post_message(self.LineClicked(self, index, -1 if piece else column, twice))

    def action_move(self, lines: int) -> None:
        """Move the cursor down, or up; within a line that is higher than the pane, scroll."""
        if not self._scrolled_within(lines):
            self.go(self.cursor + lines)

    def action_first(self) -> None:
        """Go to the first line."""
        self.go(0)

    def action_last(self) -> None:
        """Go to the last line."""
        self.go(len(self.lines) - 1)

    def action_page(self, pages: int) -> None:
        """Go a screen down, or up."""
        if self._scrolled_within(pages * max(1, self._page() - 1)):
            return
        row = self._row(self.cursor) + pages * max(1, self._page() - 1)
        if self._wrapping is None:
            self.go(row)
        else:
            self.go(self._wrapping.at(max(0, row))[0])

    def action_aside(self, cells: int) -> None:
        """Look further right, or left."""
        if self._wrapping is None:
            self.scroll_relative(x=cells, animate=False)

    def _scrolled_within(self, rows: int) -> bool:
        """Scroll as far as the line of the cursor goes on there; False: it does not."""
        if self._wrapping is None:
            return False
        first, top = self._wrapping.row(self.cursor), self.scroll_offset.y
        last = first + self._wrapping.height(self.cursor) - self._page()
        hidden = max(0, last - top) if rows > 0 else -max(0, top - first)
        if not hidden:
            return False
        step = min(rows, hidden) if rows > 0 else max(rows, hidden)
        self.scroll_to(y=top + step, animate=False, immediate=True)
        return True

    def _strip(self, index: int, piece: int) -> Strip:
        line = self.lines.line(index)
        if self.wanted:
            line = highlighted(line, list(found_in(line.text, self.wanted)), _MATCH)
        start, end = 0, len(line.text)
        if self._wrapping is not None:
            start, end = self._wrapping.span(index, piece, line)
        strip = Strip(self._segments(line, start, end, is_cursor=index == self.cursor))
        if strip.cell_length > self._widest:
            self._widest = strip.cell_length
            self.call_later(self._widen)
        return strip

    def _segments(self, line: Line, start: int, end: int, *, is_cursor: bool) -> list[Segment]:
        base, match = self.rich_style, self._part("match")
        cursor = self._cursor_style() if is_cursor else None
        segments = []
        for text, tone in pieces(line, start, end):
            style = base + (match if tone == _MATCH else self._tone(tone))
            if cursor is not None:
                style = cursor + match if tone == _MATCH else cursor
            segments.append(Segment(text, style))
        return segments

    def _tone(self, tone: str) -> Style:
        if tone.endswith(WORD):
            return tone_style(self.app, tone.removesuffix(WORD), bold=True) + Style(underline=True)
        return tone_style(self.app, tone) if tone else Style.null()

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"line-pane--{name}", partial=name == "match")

    def _cursor_style(self) -> Style:
        return self.get_component_rich_style("line-pane--cursor")

    def _page(self) -> int:
        return self.scrollable_content_region.height

    def _gutter(self) -> int:
        return len(str(len(self.lines))) + 1 if self.numbered else 0

    def _row(self, index: int) -> int:
        return self._wrapping.row(index) if self._wrapping else index

    def _lay_out(self) -> None:
        """Count rows anew and paint."""
        self._kept.clear()
        if self._wrapping is not None:
            width = self.scrollable_content_region.width - self._gutter()
            self._wrapping = Wrapping(self.lines, width)
            self._wrapping.measure(self.cursor - self._page(), self.cursor + self._page())
        self._set_size()
        self.refresh()

    def _measure(self, first: int, last: int) -> None:
        if self._wrapping is not None and self._wrapping.measure(first, last):
            self._set_size()
            self.refresh()

    def _set_size(self) -> None:
        if self._wrapping is not None:
            self.virtual_size = Size(self.scrollable_content_region.width, self._wrapping.rows)
        else:
            self.virtual_size = Size(self._widest + self._gutter(), len(self.lines))

    def _widen(self) -> None:
        if self.virtual_size.width < self._widest + self._gutter():
            self._set_size()

    def _dirty(self, index: int) -> None:
        """Paint a line again."""
        tall = self._wrapping.height(index) if self._wrapping else 1
        for piece in range(tall):
            self._kept.pop((index, piece), None)
        y = self._row(index) - self.scroll_offset.y
        self.refresh(Region(0, y, self.size.width, tall))
