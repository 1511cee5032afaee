"""What an event handler did; Enter opens the execution that it has started."""

from __future__ import annotations

from typing import Any

from tui.live.session import Feed
from tui.live.sources import Source
from tui.resources.catalog import Definition
from tui.resources.handlers import RUN_COLUMNS, RUNS, is_active
from tui.screens.operations.reading import ReadingTab
from tui.views.addresses import Address
from tui.widgets.live_table import LiveTable

# Those of the others are tasks, which have no page of their own.
_OF_EXECUTIONS = ("start_workflow", "terminate_workflow")


class HandlerRunsTab(ReadingTab):
    """Of one handler."""

    title = "Runs"
    columns = RUN_COLUMNS
    sort = ("at", True)

    def source(self, record: Definition) -> tuple[Source[Any], str] | None:
        return RUNS, record.id

    def told(self, record: Definition | None, feed: Feed | None) -> str:
        if record is not None and not is_active(record):
            return "off: it does nothing until active is true"
        more = feed is not None and feed.collection.facts.get("more")
        return "and more" if more else ""

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        row = self._view.record(message.id) if self._view is not None else None
        if row is not None and row.target and row.name in _OF_EXECUTIONS:
            self.console.open(Address("executions", row.target))
