"""Who holds the slots of a limit's key; Enter opens the execution."""

from __future__ import annotations

from typing import Any

from tui.live.session import Feed
from tui.live.sources import Source
from tui.resources.limits import HOLDER_COLUMNS, HOLDERS, RUNNERS, Limit
from tui.screens.operations.reading import ReadingTab
from tui.views.addresses import Address
from tui.widgets.live_table import LiveTable


class HoldersTab(ReadingTab):
    """Of a limit on executions side by side; a rate limit is held by nobody."""

    title = "Held by"
    columns = HOLDER_COLUMNS
    sort = ("for", True)

    def source(self, record: Limit) -> tuple[Source[Any], str] | None:
        is_held = record.window is None and record.key_id
        source = RUNNERS if record.workflow else HOLDERS
        return (source, record.key_id) if is_held else None

    def told(self, record: Limit | None, feed: Feed | None) -> str:
        if record is not None and record.window is not None:
            return "a rate limit counts requests: no execution holds it"
        facts = feed.collection.facts if feed is not None else {}
        more = facts.get("held", 0) - len(feed.collection) if feed is not None else 0
        parts = [f"and {more:,} more"] if more > 0 else []
        if facts.get("waiting"):
            parts.append(f"{facts['waiting']:,} wait")
        return " · ".join(parts)

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        self.console.open(Address("executions", message.id))
