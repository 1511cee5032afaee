"""What a change that is in the audit log made different: both states side by side."""

from __future__ import annotations

import json

from textual.app import ComposeResult
from textual.widgets import Static

from services.errors import ServiceError
from services.home import HomeUnusable
from tui.live.audit_change import Change, change_of
from tui.resources.audit import AuditEntry
from tui.screens.detail_pane import DetailPane, TabPane
from tui.views.json_values import json_text
from tui.views.visible import in_one_line
from tui.widgets.diff_view import DiffView


class AuditChangeTab(TabPane):
    """The definition before and after an entry."""

    DEFAULT_CSS = """
    AuditChangeTab Static { height: auto; padding: 0 1; }
    """

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._diff = DiffView("Change")
        self._said = Static("", markup=False)
        self._of = ""

    def compose(self) -> ComposeResult:
        yield self._said
        yield self._diff

    def entered(self) -> None:
        self._diff.focus()

    def flush(self, now: float) -> None:
        record: AuditEntry | None = self.detail.record
        if record is not None and self._of != record.id:
            self._of = record.id
            self.run_worker(self._read(record), group="read", exclusive=True, exit_on_error=False)

    async def _read(self, entry: AuditEntry) -> None:
        connection = self.console.session.connection
        try:
            clients = await connection.clients()
            with connection.calling():
                change = await change_of(clients, entry)
        except (ServiceError, HomeUnusable) as error:
            # It is read again when the tab is shown the next time.
            self._of = ""
            change = Change(told=str(error))
        self._said.update(in_one_line(change.told))
        self._said.display = bool(change.told)
        names = (_named(entry.revision_before), _named(entry.revision if entry.after else 0))
        self._diff.show(_pretty(change.before), _pretty(change.after), names)


def _named(revision: int) -> str:
    return f"revision {revision}" if revision else "not there"


def _pretty(text: str) -> str:
    return json_text(json.loads(text)) if text else ""
