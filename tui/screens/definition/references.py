"""What a definition is used by and what it uses; Enter goes there."""

from __future__ import annotations

from tui.resources import find
from tui.resources.references import COLUMNS, source
from tui.screens.definition.table_tab import About, TableTab
from tui.views.addresses import Address
from tui.widgets.live_table import LiveTable


class ReferencesTab(TableTab):
    """Others may name it by now, which its own revision does not tell: it is read when shown."""

    columns = COLUMNS
    title = "Used by, and uses"
    sort = "way"
    again_seconds = None

    def about(self) -> About | None:
        record = self.detail.record
        if record is None:
            return None
        return source(record.definition.kind), record.definition.id

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        row = self.row
        if row is not None and (resource := find(row.kind)) is not None:
            self.console.open(Address(resource.name, row.name))
