"""The runs of a schedule, those that will be first; Enter opens the execution."""

from __future__ import annotations

from typing import Any

from tui.live.session import Feed
from tui.live.sources import Source
from tui.resources.catalog import Definition
from tui.resources.schedules import RUN_COLUMNS, RUNS, is_paused
from tui.screens.operations.reading import ReadingTab
from tui.views.addresses import Address
from tui.widgets.live_table import LiveTable


class ScheduleRunsTab(ReadingTab):
    """Of one schedule."""

    title = "Runs"
    columns = RUN_COLUMNS
    sort = ("at", True)

    def source(self, record: Definition) -> tuple[Source[Any], str] | None:
        return RUNS, record.id

    def told(self, record: Definition | None, feed: Feed | None) -> str:
        if record is not None and is_paused(record):
            reason = str(record.get("pausedReason"))
            return f"paused: {reason}" if reason else "paused"
        if feed is not None and feed.collection.facts.get("unknown"):
            return "the executor has not heard of it yet"
        return "and more" if feed is not None and feed.collection.facts.get("more") else ""

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        row = self._view.record(message.id) if self._view is not None else None
        if row is not None and row.execution_id:
            self.console.open(Address("executions", row.execution_id))
