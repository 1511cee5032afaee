"""What the gateway has answered of one service or route, as charts."""

from __future__ import annotations

from datetime import datetime, timedelta

from textual.app import ComposeResult

from tui.live.attention import Attention
from tui.live.session import Feed
from tui.live.traffic import AHEAD, MINUTES
from tui.resources.catalog import Definition
from tui.resources.routes import Route
from tui.screens.detail_pane import DetailPane, TabPane
from tui.views.traffic import TITLES, Scope, charts
from tui.widgets.chart import ZOOMS
from tui.widgets.chart_grid import ChartGrid


class TrafficCharts(ChartGrid):
    """The charts of one scope, drawn again when something was counted, or a second later."""

    def __init__(
        self, attention: Attention, *, zoom: timedelta = ZOOMS[1], ascii: bool = False
    ) -> None:
        super().__init__(TITLES, zoom=zoom, ascii=ascii)
        self.scope = Scope()
        self._attention = attention
        self._feed: Feed | None = None
        self._drawn: tuple[object, ...] = ()

    def follow(self, scope: Scope) -> None:
        """Show what was answered of ``scope`` from now on."""
        before, self.scope = self._feed, scope
        self._feed = self._attention.open(MINUTES, scope.text)
        self._drawn = ()
        if before is not None:
            self._attention.close(before)

    def flush(self, now: float) -> None:
        """Show what has changed; ``now`` is in epoch seconds."""
        if self._feed is None:
            return
        facts = self._feed.collection.facts
        at = now + facts.get(AHEAD, 0.0)
        wanted = (self.scope, self.zoom, int(at))
        if wanted == self._drawn or AHEAD not in facts:
            return
        self._drawn = wanted
        zone = datetime.now().astimezone().tzinfo
        assert zone is not None
        minutes = self._feed.collection.records
        self.show(charts(minutes, at, self.zoom, zone), str(self.scope))

    def on_chart_grid_zoomed(self, message: ChartGrid.Zoomed) -> None:
        self._drawn = ()


class TrafficTab(TabPane):
    """Of the service or the route that the detail is about."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._attention = Attention(self.console.session)
        self._charts = TrafficCharts(self._attention, ascii=self.console.ascii)

    def compose(self) -> ComposeResult:
        yield self._charts

    def on_mount(self) -> None:
        record = self.detail.record
        if record is not None:
            self._charts.follow(scope_of_record(record))

    def on_unmount(self) -> None:
        self._attention.end()

    def entered(self) -> None:
        self._attention.show()
        self._charts.focus_chart()

    def left(self) -> None:
        self._attention.hide()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if record is not None and (scope := scope_of_record(record)) != self._charts.scope:
            self._charts.follow(scope)
        self._charts.flush(now)


def scope_of_record(record: Route | Definition) -> Scope:
    """Which requests are a route's, or a service's."""
    if isinstance(record, Route):
        return Scope(record.service_id, record.method, record.path)
    return Scope(record.id)
