"""What a definition is used by and what it uses; Enter goes there."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.live.session import Feed
from tui.live.view import View
from tui.resources import find
from tui.resources.references import COLUMNS, Reference, source
from tui.screens.detail_pane import DetailPane, TabPane
from tui.views.addresses import Address
from tui.widgets.live_table import LiveTable


class ReferencesTab(TabPane):
    """Read when it is opened, and again when the definition changes."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._revision = -1
        self._feed: Feed | None = None
        self._view: View[Reference] | None = None
        self._table: LiveTable | None = None

    def compose(self) -> ComposeResult:
        yield Vertical()

    def _begin(self, kind: str, name: str) -> None:
        """Now that it is known what this is about."""
        self._feed = self.detail.follow(source(kind), name)
        self._view = View(self._feed.collection)
        self._table = LiveTable(self._view, COLUMNS, "way")
        self._table.border_title = "Used by, and uses"
        self.query_one(Vertical).mount(self._table)
        self.call_after_refresh(self._table.focus)

    def on_unmount(self) -> None:
        if self._view is not None:
            self._view.close()

    def entered(self) -> None:
        if self._feed is not None and self._table is not None:
            # Others may name it by now, which its own revision does not tell.
            self._feed.line.retry()
            self._table.focus()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if self._feed is None or self._table is None:
            if record is not None:
                self._begin(record.definition.kind, record.definition.id)
            return
        revision = record.definition.revision if record is not None else -1
        if revision != self._revision:
            self._revision = revision
            self._feed.line.retry()
        self._table.flush(now)

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        row = self._view.record(message.id) if self._view is not None else None
        if row is not None and (resource := find(row.kind)) is not None:
            self.console.open(Address(resource.name, row.name))
