"""The gateway's metrics: a list of services, routes or keys, and the charts of one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.live.attention import Attention
from tui.live.session import Feed
from tui.live.traffic import BY, GROUPS, TOTAL, Group, groups_query
from tui.live.view import View
from tui.resources.metrics import COLUMNS
from tui.screens.operations.traffic import TrafficCharts
from tui.screens.pane import Pane
from tui.views.addresses import Address
from tui.views.durations import length
from tui.views.traffic import Scope
from tui.views.words import text_of, words_of
from tui.widgets.chart import ZOOMS
from tui.widgets.chart_grid import ChartGrid
from tui.widgets.list_and_charts import ListAndCharts
from tui.widgets.live_table import LiveTable


class MetricsPane(Pane):
    """What the list has a row of, and of how long, is asked of the edge anew when it changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "group", "By", id="metrics.group",
                tooltip="Tell apart by route, by service, by key"),
        Binding("t", "table", "Table", id="metrics.table",
                tooltip="The table alone, or with the charts"),
        Binding("plus,equals_sign", "zoom(-1)", "Less", id="metrics.zoom_in", show=False,
                tooltip="Show less of the time"),
        Binding("minus", "zoom(1)", "More", id="metrics.zoom_out", show=False,
                tooltip="Show more of the time"),
        Binding("c", "chart", "Charts", id="metrics.chart", show=False,
                tooltip="To the charts, and to the next of them"),
    ]  # fmt: skip

    def __init__(self, address: Address) -> None:
        super().__init__()
        words = words_of(address.query)
        self._by = words.get("by") if words.get("by") in BY else "route"
        self._attention = Attention(self.console.session)
        zoom = _zoom(words.get("zoom", ""))
        self._charts = TrafficCharts(self._attention, zoom=zoom, ascii=self.console.ascii)
        self._scope = Scope(
            words.get("service"), words.get("method"), words.get("path"), words.get("key")
        )
        self._feed: Feed | None = None

    def compose(self) -> ComposeResult:
        self._feed = self._attention.open(GROUPS, self._query)
        self._view: View[Group] = View(self._feed.collection)
        self._table = LiveTable(self._view, COLUMNS, "requests", True)
        yield ListAndCharts(self._table, self._charts)

    @property
    def _query(self) -> str:
        return groups_query(self._by or "route", self._charts.zoom)

    def on_mount(self) -> None:
        self._charts.follow(self._scope)
        self._tell()

    def on_unmount(self) -> None:
        self._view.close()
        self._attention.end()

    @property
    def address(self) -> Address:
        scope = self._scope
        words = {
            "by": self._by, "zoom": _told(self._charts.zoom), "service": scope.service,
            "method": scope.method, "path": scope.path, "key": scope.principal,
        }  # fmt: skip
        return Address("metrics", query=text_of(words))

    @property
    def crumbs(self) -> tuple[str, ...]:
        return ("metrics", str(self._scope))

    @property
    def service(self) -> str:
        return "edge"

    def entered(self) -> None:
        self._attention.show()
        self._table.focus()

    def left(self) -> None:
        self._attention.hide()

    def flush(self, now: float) -> None:
        self._table.flush(now)
        self._charts.flush(now)

    def _tell(self) -> None:
        self._table.border_title = f"By {self._by}, last {_told(self._charts.zoom)}"
        left = self._feed.collection.facts.get("left off", 0) if self._feed is not None else 0
        rows = max(0, len(self._view) - 1)
        self._table.border_subtitle = f"{rows:,}" + (f" and {left:,} more" if left else "")

    def on_live_table_state_changed(self, message: LiveTable.StateChanged) -> None:
        message.stop()
        self._tell()

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        if (row := self._view.record(message.id)) is not None:
            self._scope = Scope() if row.id == TOTAL else row.scope
            self._charts.follow(self._scope)
            self.console.place_changed()

    def on_chart_grid_zoomed(self, message: ChartGrid.Zoomed) -> None:
        self._ask()

    def _ask(self) -> None:
        """Follow the rows of another grouping or period."""
        before, self._feed = self._feed, self._attention.open(GROUPS, self._query)
        self._view.turn_to(self._feed.collection)
        if before is not None:
            self._attention.close(before)
        self._tell()
        self.console.place_changed()

    def action_group(self) -> None:
        names = ["route", "service", "key"]
        self._by = names[(names.index(self._by or "route") + 1) % len(names)]
        self._ask()

    def action_table(self) -> None:
        self.query_one(ListAndCharts).toggle_table()

    def action_zoom(self, by: int) -> None:
        self._charts.zoom_by(by)

    def action_chart(self) -> None:
        self.query_one(ListAndCharts).focus_charts()


def _zoom(text: str) -> timedelta:
    """The period that there is nearest to ``text``, an hour where it is none."""
    try:
        wanted = length(text)
    except ValueError:
        return ZOOMS[1]
    return min(ZOOMS, key=lambda each: abs(each - wanted))


def _told(zoom: timedelta) -> str:
    minutes = round(zoom.total_seconds() / 60)
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"
