"""What happened to an execution, event by event, the newest last."""

from __future__ import annotations

from collections.abc import Collection

from textual.app import ComposeResult

from podium.executor.v1 import executor_pb2 as pb
from tui.live.session import Feed
from tui.live.view import View
from tui.resources.events import COLUMNS, MOST, SOURCE, Event
from tui.screens.detail_pane import DetailPane
from tui.screens.execution.tab import ExecutionTab
from tui.widgets.live_table import LiveTable

READ_AGAIN_SECONDS = 1.0


class EventsTab(ExecutionTab):
    """Read once, and again, a second apart, when the execution's stream tells of a change."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._changed = False
        self._state: pb.ExecutionState | None = None
        self._read_at = 0.0

    def compose(self) -> ComposeResult:
        self._events: Feed = self.detail.follow(SOURCE)
        self._view: View[Event] = View(self._events.collection)
        self._table = LiveTable(self._view, COLUMNS, "at")
        self._table.border_title = "Events"
        yield self._table

    def on_mount(self) -> None:
        self.tasks.listen(self._heard)

    def on_unmount(self) -> None:
        self.tasks.forget(self._heard)
        self._view.close()

    def _heard(self, ids: Collection[str]) -> None:
        self._changed = True

    def entered(self) -> None:
        self._table.focus()

    def show(self, now: float) -> None:
        if (state := self.facts.state) is not self._state:
            # To be paused changes no task.
            self._changed, self._state = True, state
        if self._changed and now - self._read_at >= READ_AGAIN_SECONDS:
            self._changed, self._read_at = False, now
            self._events.line.retry()
        self._table.flush(now)
        if self._events.collection.facts.get("compacted"):
            self._table.border_title = "Events (the oldest as the tasks remember them)"
        elif len(self._view) >= MOST:
            self._table.border_title = f"Events (the first {MOST:,})"

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
