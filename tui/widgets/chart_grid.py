"""Charts beside each other, all over the same time; where there is no room, one of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.message import Message

from tui.views.plot import Chart
from tui.widgets.chart import ZOOMS, TimeChart
from tui.widgets.titles import as_title

LEAST_WIDTH, LEAST_HEIGHT = 36, 8


class ChartGrid(Grid):
    """Charts by name."""

    DEFAULT_CSS = """
    ChartGrid { height: 1fr; width: 1fr; grid-size: 1; grid-gutter: 0; }
    ChartGrid > TimeChart { border: round $panel; border-title-color: $text-primary;
                            border-subtitle-color: $foreground 70%; }
    ChartGrid > TimeChart:focus { border: round $primary; }
    ChartGrid:ansi > TimeChart { border: ascii ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "turn(1)", "Next chart", id="charts.next", tooltip="To the next chart"),
        Binding("C", "turn(-1)", "Chart before", id="charts.before", show=False,
                tooltip="To the chart before"),
    ]  # fmt: skip

    class Zoomed(Message):
        """All show more of the time now, or less."""

        def __init__(self, grid: ChartGrid) -> None:
            super().__init__()
            self.grid = grid

        @property
        def control(self) -> ChartGrid:
            return self.grid

    def __init__(
        self, titles: Mapping[str, str], *, zoom: timedelta = ZOOMS[1], ascii: bool = False
    ) -> None:
        super().__init__()
        self.zoom = zoom
        self._titles = dict(titles)
        self._charts = {name: TimeChart(zoom=zoom, ascii=ascii) for name in titles}
        for name, chart in self._charts.items():
            chart.border_title = titles[name]
            # Until it is known how much room there is.
            chart.display = False
        self._current = next(iter(self._charts))
        self._columns = 0

    def compose(self) -> ComposeResult:
        yield from self._charts.values()

    def show(self, charts: Mapping[str, Chart], about: str = "") -> None:
        """Show other values; ``about`` is whose they are."""
        for name, chart in charts.items():
            self._charts[name].show(chart)
            title = f"{self._titles[name]} · {about}" if about else self._titles[name]
            self._charts[name].border_title = as_title(title)

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        """As many columns as there is room for; one chart alone where there is room for no more."""
        width, height = self.size
        count = len(self._charts)
        fitting = [
            columns for columns in (3, 2, 1)
            if width >= columns * LEAST_WIDTH and height >= -(-count // columns) * LEAST_HEIGHT
        ]  # fmt: skip
        # The higher the charts are, the better they can be read.
        self._columns = fitting[0] if fitting else 0
        self.styles.grid_size_columns = max(1, self._columns)
        self._show_current()

    def _show_current(self) -> None:
        for name, chart in self._charts.items():
            chart.display = bool(self._columns) or name == self._current

    def focus_chart(self) -> None:
        """Put the focus on the chart that was looked at last."""
        self._charts[self._current].focus()

    def action_turn(self, by: int) -> None:
        names = list(self._charts)
        focused = next((name for name, each in self._charts.items()
                        if each is self.screen.focused), "")  # fmt: skip
        self._current = names[(names.index(focused or self._current) + by) % len(names)]
        self._show_current()
        self.screen.set_focus(self._charts[self._current])

    def zoom_by(self, by: int) -> None:
        """Show less of the time (-1), or more (1)."""
        levels = sorted({*ZOOMS, self.zoom})
        place = levels.index(self.zoom) + by
        self.zoom_to(levels[min(max(place, 0), len(levels) - 1)])

    def zoom_to(self, zoom: timedelta) -> None:
        """Show so much of the time in every chart."""
        if zoom == self.zoom:
            return
        self.zoom = zoom
        for chart in self._charts.values():
            chart.zoom_to(zoom)
        self.post_message(self.Zoomed(self))

    def on_time_chart_zoomed(self, message: TimeChart.Zoomed) -> None:
        message.stop()
        self.zoom_to(message.chart.zoom)
