"""What a definition was, revision by revision, with what each changed; any can be stored again."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui.live.session import Feed
from tui.live.view import View
from tui.resources.revisions import COLUMNS, ROLLBACK, Revision, source
from tui.screens.detail_pane import DetailPane, TabPane
from tui.views.json_values import json_text
from tui.widgets.diff_view import DiffView
from tui.widgets.live_table import LiveTable


class HistoryTab(TabPane):
    """Revisions, newest first, and the difference that the one under the cursor made."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(ROLLBACK.key, "roll_back", ROLLBACK.title, id=ROLLBACK.id, tooltip=ROLLBACK.help),
    ]
    DEFAULT_CSS = """
    HistoryTab LiveTable { height: 2fr; }
    HistoryTab DiffView { height: 3fr; }
    """

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._diff = DiffView("Change")
        self._revision = -1
        self._feed: Feed | None = None
        self._view: View[Revision] | None = None
        self._table: LiveTable | None = None

    def compose(self) -> ComposeResult:
        yield Vertical()

    def _begin(self, kind: str, name: str) -> None:
        """Now that it is known what this is about."""
        self._feed = self.detail.follow(source(kind), name)
        self._view = View(self._feed.collection)
        self._table = LiveTable(self._view, COLUMNS, "revision", reverse=True)
        self._table.border_title = "Revisions"
        self.query_one(Vertical).mount(self._table, self._diff)
        self.call_after_refresh(self._table.focus)

    def on_unmount(self) -> None:
        if self._view is not None:
            self._view.close()

    def entered(self) -> None:
        if self._table is not None:
            self._table.focus()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if self._feed is None or self._table is None:
            if record is not None:
                self._begin(record.definition.kind, record.definition.id)
            return
        revision = record.definition.revision if record is not None else -1
        if revision != self._revision:
            # Another revision is there: the list is read again.
            self._revision = revision
            self._feed.line.retry()
        self._table.flush(now)

    @property
    def _chosen(self) -> Revision | None:
        if self._view is None or self._table is None:
            return None
        return self._view.record(self._table.cursor_id)

    def on_live_table_cursor_moved(self, message: LiveTable.CursorMoved) -> None:
        message.stop()
        if (row := self._chosen) is not None:
            names = ("before", f"revision {row.id}")
            before = json_text(dict(row.before)) if row.before is not None else ""
            after = json_text(dict(row.document)) if row.document is not None else ""
            self._diff.show(before, after, names)
        self.refresh_bindings()

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        self._diff.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action != "roll_back":
            return True
        if self.console.read_only:
            return False
        row = self._chosen
        return True if row is not None and ROLLBACK.applies(row) else None

    def action_roll_back(self) -> None:
        if (row := self._chosen) is not None:
            self.console.act(None, ROLLBACK, [row])
