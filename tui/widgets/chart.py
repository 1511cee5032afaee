"""A chart over time, with a zoom and a crosshair."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.views.pieces import Piece
from tui.views.plot import Chart, gutter_of, index_at, plot
from tui.widgets.tones import tone_style

ZOOMS = (
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)


class TimeChart(Widget, can_focus=True):
    """Series over time. It is drawn when :meth:`show` is called: once a second is often enough.

    Attributes:
        zoom: How much of the newest time is shown.
    """

    HELP = """\
## Chart

- `+ -` show less and more of the time: 5 minutes, 1, 6, 24 hours
- `← → h l` move the crosshair from step to step, `g G` to the first and the last; so does the mouse
- `Enter` opens the moment under it, `Esc` takes it away
- `L` makes the scale logarithmic, or no longer
"""
    DEFAULT_CSS = """
    TimeChart { height: 1fr; min-height: 4; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(-1)", "Less", id="chart.zoom_in",
                tooltip="Show less of the time"),
        Binding("minus", "zoom(1)", "More", id="chart.zoom_out", tooltip="Show more of the time"),
        Binding("left,h", "move(-1)", "Left", id="chart.left", show=False,
                tooltip="The crosshair one step back"),
        Binding("right,l", "move(1)", "Right", id="chart.right", show=False,
                tooltip="The crosshair one step on"),
        Binding("home,g", "edge(0)", "First", id="chart.first", show=False,
                tooltip="The crosshair to the first step"),
        Binding("end,G", "edge(-1)", "Last", id="chart.last", show=False,
                tooltip="The crosshair to the last step"),
        Binding("enter", "pick", "Open", id="chart.pick", tooltip="Open the moment"),
        Binding("escape", "leave", "No crosshair", id="chart.leave", show=False,
                tooltip="Take the crosshair away"),
        Binding("L", "log", "Log", id="chart.log", show=False,
                tooltip="A logarithmic scale, or no longer"),
    ]  # fmt: skip

    class ChartMessage(Message):
        """Something about a chart."""

        def __init__(self, chart: TimeChart) -> None:
            super().__init__()
            self.chart = chart

        @property
        def control(self) -> TimeChart:
            return self.chart

    class MomentPicked(ChartMessage):
        """A moment was opened: the step that begins ``at``."""

        def __init__(self, chart: TimeChart, at: datetime) -> None:
            super().__init__(chart)
            self.at = at

    class Zoomed(ChartMessage):
        """More of the time is shown, or less."""

    def __init__(
        self, *, zoom: timedelta = ZOOMS[1], ascii: bool = False, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.zoom = zoom
        self._ascii = ascii
        self._whole: Chart | None = None
        self._shown: Chart | None = None
        self._log: bool | None = None
        # The moment of the crosshair: it stays there while the time goes on.
        self._at: datetime | None = None
        self._lines: list[list[Piece]] | None = None

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def show(self, chart: Chart) -> None:
        """Show other values: all that there are, of which the zoom takes the newest."""
        self._whole = chart
        self._look()

    def zoom_to(self, zoom: timedelta) -> None:
        """Show so much of the time."""
        if zoom != self.zoom:
            self.zoom = zoom
            self._look()
            self.post_message(self.Zoomed(self))

    @property
    def moment(self) -> datetime | None:
        """The step under the crosshair; None: there is none."""
        cursor = self._cursor()
        return self._shown.at(cursor) if self._shown and cursor is not None else None

    def _look(self) -> None:
        chart = self._whole
        if chart is not None:
            chart = chart.last(max(1, round(self.zoom / chart.step)))
            if self._log is not None:
                chart = replace(chart, log=self._log)
        self._shown = chart
        self._lines = None
        self.border_subtitle = _told(self.zoom)
        self.refresh()

    def _cursor(self) -> int | None:
        chart = self._shown
        if chart is None or self._at is None or not chart.length:
            return None
        index = round((self._at - chart.start) / chart.step)
        return min(max(index, 0), chart.length - 1)

    def on_resize(self) -> None:
        self._look()

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        if self._lines is None:
            self._lines = self._drawn(width, height)
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        segments = [
            Segment(piece.text, self.rich_style + tone_style(self.app, piece.tone, piece.bold))
            for piece in self._lines[y]
        ]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _drawn(self, width: int, height: int) -> list[list[Piece]]:
        if self._shown is None or width < 1 or height < 1:
            return []
        signs = self.app.no_color
        return plot(
            self._shown, width, height, cursor=self._cursor(), ascii=self._ascii, signs=signs
        )

    def _put(self, index: int) -> None:
        chart = self._shown
        if chart is not None and chart.length:
            self._at = chart.at(min(max(index, 0), chart.length - 1))
            self._lines = None
            self.refresh()

    def action_zoom(self, by: int) -> None:
        levels = sorted({*ZOOMS, self.zoom})
        place = levels.index(self.zoom) + by
        self.zoom_to(levels[min(max(place, 0), len(levels) - 1)])

    def action_move(self, by: int) -> None:
        cursor = self._cursor()
        length = self._shown.length if self._shown else 0
        self._put(length - 1 if cursor is None else cursor + by)

    def action_edge(self, end: int) -> None:
        self._put(self._shown.length - 1 if end and self._shown else 0)

    def action_pick(self) -> None:
        if (at := self.moment) is not None:
            self.post_message(self.MomentPicked(self, at))

    def action_leave(self) -> None:
        self._at = self._lines = None
        self.refresh()

    def action_log(self) -> None:
        self._log = not (self._shown is not None and self._shown.log)
        self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Without a crosshair, esc is whoever's is around.
        return action != "leave" or self._at is not None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._put_at(event)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self._put_at(event)
        if event.chain > 1:
            self.action_pick()

    def _put_at(self, event: events.MouseEvent) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self._shown is None:
            return
        width, height = self.content_size
        gutter = gutter_of(self._shown, height)
        if offset.x >= gutter:
            self._put(index_at(self._shown, offset.x - gutter, max(1, width - gutter)))


def _told(zoom: timedelta) -> str:
    minutes = round(zoom.total_seconds() / 60)
    return f"last {minutes // 60} h" if minutes % 60 == 0 else f"last {minutes} min"
