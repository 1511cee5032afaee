"""The drawing of a workflow, painted only where it is in sight: the inside of a FlowGraph."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region as Rectangle, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.views.graph import moving
from tui.views.graph.drawing import Drawing, Region
from tui.views.graph.overlay import Overlay
from tui.views.graph.painting import Run
from tui.widgets.tones import tone_style

# Between a task that was gone to and the edge of the pane.
MARGIN = 2
_BOLD = frozenset(("title", "edge-taken", "label-taken"))
_NAMED = frozenset(("title", "glyph"))
_FAULTY = frozenset(("border", "title", "glyph"))


class GraphPane(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a drawing with a cursor on one of its tasks; whoever owns it folds and searches."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"graph-pane--cursor", "graph-pane--match"}
    DEFAULT_CSS = """
    GraphPane {
        height: 1fr;
        scrollbar-size-vertical: 1;
        & > .graph-pane--cursor { background: $primary 15%; }
        &:focus > .graph-pane--cursor { background: $primary 40%; text-style: bold; }
        &:ansi > .graph-pane--cursor { text-style: reverse; }
        & > .graph-pane--match { text-style: underline bold; }
    }
    """

    @dataclass
    class CursorMoved(Message):
        """The cursor is on another task; ``by_hand``: with the mouse."""

        pane: GraphPane
        key: str
        by_hand: bool = False

        @property
        def control(self) -> GraphPane:
            return self.pane

    @dataclass
    class TaskPressed(Message):
        """A task was clicked twice."""

        pane: GraphPane
        key: str

        @property
        def control(self) -> GraphPane:
            return self.pane

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.drawing: Drawing | None = None
        self.overlay: Overlay | None = None
        self.cursor = ""
        self.matches: Collection[str] = ()
        self.faulty: Collection[str] = ()
        self._shown: dict[int, list[Run]] = {}
        self._grip: Offset | None = None
        self._dragged = False
        self._centred = False

    def on_mount(self) -> None:
        """Colours are the theme's."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.repaint())

    def on_resize(self) -> None:
        """What was in the middle before there was any room is brought there now."""
        self._shown.clear()
        if not self._centred:
            self._centre()
        self.see()

    def repaint(self) -> None:
        """Paint all that is in sight anew."""
        self._shown.clear()
        self.refresh()

    @property
    def room(self) -> Size:
        """Columns and rows that are in sight."""
        return self.scrollable_content_region.size

    @property
    def region_of_cursor(self) -> Region | None:
        """Where the task under the cursor stands."""
        return self.drawing.regions.get(self.cursor) if self.drawing else None

    def show(self, drawing: Drawing, overlay: Overlay | None, cursor: str) -> None:
        """Show another drawing; the task under the cursor stays where it is on screen."""
        before = self.region_of_cursor
        place = Offset(before.x, before.y) - self.scroll_offset if before else None
        self.drawing, self.overlay = drawing, overlay
        self.virtual_size = Size(drawing.width, drawing.height)
        self.repaint()
        self._set_cursor(cursor)
        after = self.region_of_cursor
        if place is None or after is None:
            self._centred = False
            self._centre()
        else:
            self._go_to(after.x - place.x, after.y - place.y)
        self.see()

    def restand(self, overlay: Overlay | None) -> None:
        """Show where tasks stand now; only lines that look another way are painted."""
        self.overlay = overlay
        for y, runs in list(self._shown.items()):
            if self._runs(y) != runs:
                self._refresh_row(y)

    def go(self, key: str) -> None:
        """Put the cursor on the task ``key``, and in sight."""
        self._set_cursor(key)
        self.see()

    def mark(self, keys: Collection[str]) -> None:
        """Mark the tasks that a search found."""
        self.matches = frozenset(keys)
        self.repaint()

    def mark_faults(self, keys: Collection[str]) -> None:
        """Mark the tasks with which something is wrong."""
        self.faulty = frozenset(keys)
        self.repaint()

    def see(self) -> None:
        """Bring the task under the cursor in sight."""
        region, room = self.region_of_cursor, self.room
        if region is None or not room.area:
            return
        height = 1 if region.is_frame else region.height
        self._go_to(
            _within(self.scroll_offset.x, region.x, region.width, room.width),
            _within(self.scroll_offset.y, region.y, height, room.height),
        )

    def _set_cursor(self, key: str, by_hand: bool = False) -> None:
        if self.drawing is None or key == self.cursor:
            return
        for each in (self.cursor, key):
            region = self.drawing.regions.get(each)
            if region is not None:
                for y in range(region.y, region.bottom):
                    self._refresh_row(y)
        self.cursor = key
        self.post_message(self.CursorMoved(self, key, by_hand))

    def _centre(self) -> None:
        """Bring the column in which the workflow begins to the middle."""
        if self.drawing is not None and self.room.area:
            self._centred = True
            self._go_to(self.drawing.spine - self.room.width // 2, 0)

    def _go_to(self, x: int, y: int) -> None:
        self.scroll_to(max(0, x), max(0, y), animate=False, force=True, immediate=True)

    @property
    def _origin(self) -> int:
        """A drawing that is narrower than the pane stands in the middle; so many columns in."""
        return max(0, (self.room.width - self.drawing.width) // 2) if self.drawing else 0

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_x(old_value, new_value)
        self._shown.clear()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._shown.clear()

    def _refresh_row(self, y: int) -> None:
        self._shown.pop(y, None)
        line = y - self.scroll_offset.y
        if 0 <= line < self.room.height:
            self.refresh(Rectangle(0, line, self.size.width, 1))

    def _runs(self, y: int) -> list[Run]:
        """What of a row of the drawing is in sight."""
        if self.drawing is None or not 0 <= y < self.drawing.height:
            return []
        left = self.scroll_offset.x
        return self.drawing.row(y, self.overlay, left, left + self.room.width)

    def render_line(self, y: int) -> Strip:
        width, left, row = self.size.width, self.scroll_offset.x, y + self.scroll_offset.y
        runs = self._shown[row] = self._runs(row)
        segments: list[Segment] = []
        at = min(left, runs[0].x) if runs else left
        start = at
        for run in runs:
            segments.append(Segment(" " * (run.x - at), self.rich_style))
            segments.append(Segment(self._text(run), self._style(run)))
            at = run.x + segments[-1].cell_length
        strip = Strip(segments).crop(left - start) if runs else Strip([])
        if origin := self._origin:
            strip = Strip([Segment(" " * origin, self.rich_style), *strip])
        return strip.crop_extend(0, width, self.rich_style)

    def _text(self, run: Run) -> str:
        """As it is; the glyph of a task with a fault is a sign that needs no colour."""
        if run.role != "glyph" or run.key not in self.faulty:
            return run.text
        return " !" if run.text[:1] == " " and run.text.strip() else "! "

    def _style(self, run: Run) -> Style:
        tone = "error" if run.key in self.faulty and run.role in _FAULTY else run.tone
        style = self.rich_style + tone_style(self.app, tone, run.role in _BOLD)
        if not run.key:
            return style
        if run.key in self.matches and run.role in _NAMED:
            style += self.get_component_rich_style("graph-pane--match", partial=True)
        if run.key == self.cursor:
            style += self.get_component_rich_style("graph-pane--cursor", partial=True)
        return style

    def _key_at(self, offset: Offset) -> str:
        if self.drawing is None:
            return ""
        x = offset.x + self.scroll_offset.x - self._origin
        return moving.at(self.drawing, x, offset.y + self.scroll_offset.y)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag; that it was none is known when the button is let go."""
        if event.button == 1:
            self._grip, self._dragged = event.screen_offset, False
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the drawing along."""
        if self._grip is None:
            return
        moved = event.screen_offset - self._grip
        if moved:
            self._grip, self._dragged = event.screen_offset, True
            self._go_to(self.scroll_offset.x - moved.x, self.scroll_offset.y - moved.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go."""
        if self._grip is not None:
            self._grip = None
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """A task is gone to by one click, and opened by two."""
        offset = event.get_content_offset(self)
        key = "" if self._dragged or offset is None else self._key_at(offset)
        if not key:
            return
        event.stop()
        self._set_cursor(key, by_hand=True)
        if event.chain == 2:
            self.post_message(self.TaskPressed(self, key))


def _within(scroll: int, start: int, length: int, room: int) -> int:
    """The scroll nearest to ``scroll`` with which ``length`` cells from ``start`` are in sight."""
    margin = max(0, min(MARGIN, (room - length) // 2))
    # Of what is larger than the room, the beginning counts.
    return min(max(scroll, start + length + margin - room), start - margin)
