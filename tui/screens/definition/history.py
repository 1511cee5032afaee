"""What a definition was, revision by revision, with what each changed; any can be stored again."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.resources.revisions import COLUMNS, ROLLBACK, Revision, source
from tui.screens.definition.table_tab import About, TableTab
from tui.screens.detail_pane import DetailPane
from tui.views.json_values import json_text
from tui.widgets.diff_view import DiffView
from tui.widgets.live_table import LiveTable


class HistoryTab(TableTab):
    """Revisions, newest first, and the difference that the one under the cursor made."""

    columns = COLUMNS
    title = "Revisions"
    sort = "revision"
    reverse = True
    again_seconds = None
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

    def about(self) -> About | None:
        record = self.detail.record
        if record is None:
            return None
        return source(record.definition.kind), record.definition.id

    def below(self) -> tuple[Widget, ...]:
        return (self._diff,)

    def on_live_table_cursor_moved(self, message: LiveTable.CursorMoved) -> None:
        super().on_live_table_cursor_moved(message)
        row: Revision | None = self.row
        if row is not None:
            names = ("before", f"revision {row.id}")
            before = json_text(dict(row.before)) if row.before is not None else ""
            after = json_text(dict(row.document)) if row.document is not None else ""
            self._diff.show(before, after, names)

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        self._diff.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.may(ROLLBACK) if action == "roll_back" else True

    def action_roll_back(self) -> None:
        self.act(ROLLBACK)
