"""Who may do what to a definition, and what an application may."""

from __future__ import annotations

from tui.resources.access import (
    ALLOWED,
    ALLOWED_COLUMNS,
    COMPLETE,
    HAS,
    HOLDING_COLUMNS,
    holders,
)
from tui.screens.definition.table_tab import About, TableTab
from tui.views.addresses import Address
from tui.views.visible import in_one_line
from tui.widgets.live_table import LiveTable


class AccessTab(TableTab):
    """Every application that has an access, and by what; Enter goes to the application."""

    columns = HOLDING_COLUMNS
    title = "Who may do what"
    sort = "application"

    def about(self) -> About | None:
        record = self.detail.record
        if record is None:
            return None
        return holders(record.definition.kind), record.definition.id

    def subtitle(self) -> str:
        known = super().subtitle()
        if self._feed is None or self._feed.collection.facts.get(COMPLETE, True):
            return known
        return f"{known} · there may be others that you may not see"

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        if (row := self.row) is not None:
            self.console.open(Address("applications", row.application))


class ApplicationAccessTab(TableTab):
    """Which commands its roles and grants are enough for."""

    source = ALLOWED
    columns = ALLOWED_COLUMNS
    title = "What it may"
    sort = "command"

    def subtitle(self) -> str:
        has = self._feed.collection.facts.get(HAS, "") if self._feed is not None else ""
        return in_one_line(has)
