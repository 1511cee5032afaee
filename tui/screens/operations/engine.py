"""How the engine does: charts of what it did, and a list of how it stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.live.attention import Attention
from tui.live.collection import Collection
from tui.live.engine import DAY, SOURCE, TEN_MINUTES, step_of
from tui.live.session import Feed
from tui.live.view import View
from tui.resources.engine import columns
from tui.screens.pane import Pane
from tui.views.addresses import Address
from tui.views.engine import TITLES, Gauge, charts, gauges
from tui.widgets.chart_grid import ChartGrid
from tui.widgets.list_and_charts import ListAndCharts
from tui.widgets.live_table import LiveTable

_LENGTHS = {TEN_MINUTES: timedelta(minutes=10), DAY: timedelta(hours=24)}


class EnginePane(Pane):
    """Drawn once a second, when the executor tells the second that has passed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "day", "Day", id="engine.day", tooltip="The last 10 minutes, or the last day"),
        Binding("plus,equals_sign", "zoom(-1)", "Less", id="engine.zoom_in", show=False,
                tooltip="Show less of the time"),
        Binding("minus", "zoom(1)", "More", id="engine.zoom_out", show=False,
                tooltip="Show more of the time"),
        Binding("c", "chart", "Charts", id="engine.chart", show=False,
                tooltip="To the charts, and to the next of them"),
    ]  # fmt: skip

    def __init__(self, address: Address) -> None:
        super().__init__()
        self._length = DAY if address.query.strip() == "day" else TEN_MINUTES
        self._attention = Attention(self.console.session)
        self._gauges: Collection[Gauge] = Collection()
        self._charts = ChartGrid(TITLES, zoom=_LENGTHS[self._length], ascii=self.console.ascii)
        self._drawn: Any = None
        self._feed: Feed | None = None

    def compose(self) -> ComposeResult:
        self._feed = self._attention.open(SOURCE, self._length)
        self._view = View(self._gauges)
        self._table = LiveTable(self._view, columns(ascii=self.console.ascii), "name")
        self._table.border_title = "Now"
        yield ListAndCharts(self._table, self._charts)

    def on_unmount(self) -> None:
        self._view.close()
        self._attention.end()

    @property
    def address(self) -> Address:
        return Address("engine", query="day" if self._length == DAY else "")

    @property
    def crumbs(self) -> tuple[str, ...]:
        return ("engine", "last day" if self._length == DAY else "last 10 minutes")

    @property
    def service(self) -> str:
        return "executor"

    def entered(self) -> None:
        self._table.focus()

    def flush(self, now: float) -> None:
        facts = self._feed.collection.facts if self._feed is not None else {}
        state = facts.get("state")
        if self._feed is not None and state is not None and state is not self._drawn:
            self._drawn = state
            self._gauges.replace(
                {each.id: each for each in gauges([one.state for one in facts["samples"]])}
            )
            self._draw(self._feed, state.at.seconds)
        self._table.flush(now)

    def _draw(self, feed: Feed, at: float) -> None:
        step = step_of(self._length)
        shown = min(self._charts.zoom, _LENGTHS[self._length])
        steps = max(1, round(shown / timedelta(seconds=step)))
        zone = datetime.now().astimezone().tzinfo
        assert zone is not None
        self._charts.show(charts(feed.collection.records, at, step, steps, zone))

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()

    def on_chart_grid_zoomed(self, message: ChartGrid.Zoomed) -> None:
        """More than ten minutes are told by the minute."""
        wanted = TEN_MINUTES if self._charts.zoom <= _LENGTHS[TEN_MINUTES] else DAY
        self._drawn = None
        if wanted != self._length:
            self._follow(wanted)

    def _follow(self, length: str) -> None:
        self._length = length
        before, self._feed = self._feed, self._attention.open(SOURCE, length)
        if before is not None:
            self._attention.close(before)
        self.console.place_changed()

    def action_day(self) -> None:
        self._charts.zoom_to(_LENGTHS[TEN_MINUTES if self._length == DAY else DAY])

    def action_zoom(self, by: int) -> None:
        self._charts.zoom_by(by)

    def action_chart(self) -> None:
        self.query_one(ListAndCharts).focus_charts()
