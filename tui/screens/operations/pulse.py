"""The pulse of the suite: tiles, failing workflows and the last failures."""

from __future__ import annotations

from datetime import timedelta

from textual.app import ComposeResult

from tui.live.attention import Attention
from tui.live.collection import Collection
from tui.live.engine import SOURCE as ENGINE, TEN_MINUTES
from tui.live.failures import BAD, Failures
from tui.live.session import Feed
from tui.live.traffic import AHEAD, GROUPS, MINUTES, TOTAL, groups_query
from tui.live.view import View
from tui.resources import executions, suite
from tui.resources.execution_row import Execution
from tui.resources.pulse import FAILING_COLUMNS, FAILURE_COLUMNS
from tui.screens.pane import Pane
from tui.views.addresses import Address, parse
from tui.views.pulse import TITLES, Failing, Known, Traffic, figures
from tui.views.traffic import Scope
from tui.widgets.live_table import LiveTable
from tui.widgets.pulse_board import PulseBoard
from tui.widgets.tile import Tile

RECENT = timedelta(minutes=5)


class PulsePane(Pane):
    """Figures are made anew once a second, of what the streams have told by then."""

    def __init__(self, address: Address) -> None:
        super().__init__()
        self._attention = Attention(self.console.session)
        self._failing: Collection[Failing] = Collection()
        self._shown_at = 0

    def compose(self) -> ComposeResult:
        follow = self._attention.open
        self._executions: Feed = follow(executions.SOURCE)
        self._engine = follow(ENGINE, TEN_MINUTES)
        self._minutes = follow(MINUTES, Scope().text)
        self._groups = follow(GROUPS, groups_query("service", RECENT))
        self._suite = follow(suite.SOURCE)
        self._open: View[Execution] = View(self._executions.collection)
        self._open.choose(lambda row: row.status == "RUNNING")
        self._open.sort(lambda row: row.created_at)
        self._failures = Failures(self._executions.collection)
        self._failed: View[Execution] = View(self._executions.collection)
        self._failed.choose(lambda row: row.status in BAD)
        self._workflows = View(self._failing)
        self._tables = (
            LiveTable(self._workflows, FAILING_COLUMNS, "all", True, id="failing"),
            LiveTable(self._failed, FAILURE_COLUMNS, "ended", True, id="failures"),
        )
        for table, title in zip(self._tables, ("Failing, last hour", "Last failures"), strict=True):
            table.border_title = title
        self._board = PulseBoard(TITLES, self._tables, ascii=self.console.ascii)
        yield self._board

    def on_unmount(self) -> None:
        for each in (self._open, self._failed, self._workflows, self._failures):
            each.close()
        self._attention.end()

    @property
    def address(self) -> Address:
        return Address("pulse")

    @property
    def service(self) -> str:
        return "executor"

    def entered(self) -> None:
        self._attention.show()
        self._board.focus_first()

    def left(self) -> None:
        self._attention.hide()

    def flush(self, now: float) -> None:
        if int(now) != self._shown_at:
            self._shown_at = int(now)
            self._open.refresh()
            rows = self._failures.rows(now)
            self._failing.replace({row.id: row for row in rows})
            self._board.show(figures(self._known(now, rows)))
        for table in self._tables:
            table.flush(now)

    def _known(self, now: float, rows: list[Failing]) -> Known:
        engine = self._engine.collection
        samples = engine.facts.get("samples", ())
        oldest = self._open.at(0) if len(self._open) else None
        members = self._suite.collection.records.values()
        return Known(
            now,
            [each.state for each in samples],
            engine.records,
            samples[-1].state.at.seconds if samples else now,
            self._traffic(),
            self._minutes.collection.records,
            now + self._minutes.collection.facts.get(AHEAD, 0.0),
            rows,
            (oldest.id, oldest.workflow, oldest.created_at) if oldest is not None else None,
            {each.id: each.state == suite.SERVING for each in members},
        )

    def _traffic(self) -> Traffic | None:
        total = self._groups.collection.get(TOTAL)
        if total is None:
            return None
        return Traffic(total.rate, total.success, total.p95, total.errors, total.codes)

    def on_tile_opened(self, message: Tile.Opened) -> None:
        message.stop()
        if place := self._board.opens(message.tile):
            self.console.open(parse(place))

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        if message.table.id == "failures":
            self.console.open(Address("executions", message.id))
        else:
            query = f"wf:{message.id} status:failed,timed_out newer:1h"
            self.console.open(Address("executions", query=query))
