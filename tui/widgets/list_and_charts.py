"""A list beside charts where there is room, above them where there is not, or alone."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container

from tui.widgets.chart_grid import ChartGrid
from tui.widgets.live_table import LiveTable

BESIDE_WIDTH = 110


class ListAndCharts(Container):
    """Shows both; whoever owns it fills them."""

    DEFAULT_CSS = """
    ListAndCharts { layout: vertical; height: 1fr; width: 1fr; }
    ListAndCharts > LiveTable { height: 8; width: 1fr; }
    ListAndCharts.-beside { layout: horizontal; }
    ListAndCharts.-beside > LiveTable { width: 46; height: 1fr; }
    ListAndCharts.-table > LiveTable { width: 1fr; height: 1fr; }
    ListAndCharts.-table > ChartGrid { display: none; }
    """

    def __init__(self, table: LiveTable, charts: ChartGrid) -> None:
        super().__init__()
        self.table = table
        self.charts = charts

    def compose(self) -> ComposeResult:
        yield self.table
        yield self.charts

    def on_resize(self) -> None:
        self.set_class(self.size.width >= BESIDE_WIDTH, "-beside")

    def toggle_table(self) -> None:
        """The list alone, or with the charts again."""
        self.toggle_class("-table")
        self.table.focus()

    def focus_charts(self) -> None:
        """To the charts, which are shown again where the list was alone."""
        self.remove_class("-table")
        self.charts.focus_chart()
