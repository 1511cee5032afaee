"""The kept answers of a route; Enter shows one whole."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from tui.live.session import Feed
from tui.live.sources import Source
from tui.resources.cache import ANSWER, ENTRIES, ENTRY_COLUMNS, PURGE_ENTRY, Kept
from tui.screens.operations.reading import ReadingTab
from tui.widgets.live_table import LiveTable


class EntriesTab(ReadingTab):
    """Newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(PURGE_ENTRY.key, "purge_entry", PURGE_ENTRY.title, id=PURGE_ENTRY.id,
                tooltip=PURGE_ENTRY.help),
    ]  # fmt: skip
    title = "Kept answers"
    columns = ENTRY_COLUMNS
    sort = ("age", True)

    def source(self, record: Kept) -> tuple[Source[Any], str] | None:
        return ENTRIES, record.id

    def told(self, record: Kept | None, feed: Feed | None) -> str:
        more = feed is not None and feed.collection.facts.get("more")
        return "there are more" if more else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action != "purge_entry":
            return True
        if self.console.read_only:
            return False
        row = self.chosen
        return True if row is not None and PURGE_ENTRY.applies(row) else None

    def action_purge_entry(self) -> None:
        if (row := self.chosen) is not None and PURGE_ENTRY.applies(row):
            self.console.act(ANSWER, PURGE_ENTRY, [row])

    def on_live_table_cursor_moved(self, message: LiveTable.CursorMoved) -> None:
        self.refresh_bindings()

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        if (row := self.chosen) is not None:
            self.console.open_pane("cache-entry", self.detail.resource, row)
