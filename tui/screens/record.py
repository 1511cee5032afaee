"""A record as JSON."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult

from tui.screens.detail_pane import DetailPane, TabPane
from tui.widgets.json_view import JsonView


class RecordTab(TabPane):
    """The whole of a row: an entry of a log, say."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._view = JsonView(detail.resource.title)
        self._shown: Any = None

    def compose(self) -> ComposeResult:
        yield self._view

    def entered(self) -> None:
        self._view.focus()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if record is not None and record is not self._shown:
            self._shown = record
            self._view.show(dict(record.document))
