"""What came of an action, record by record: the detail of an entry of the log."""

from __future__ import annotations

from textual.app import ComposeResult

from tui.live.view import View
from tui.resources.model import ItemResult
from tui.screens.detail_pane import DetailPane, TabPane
from tui.widgets.results_panel import results_table


class ResultsTab(TabPane):
    """The results as a list."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._results = detail.console.session.log.results(detail.record_id)
        self._view: View[ItemResult] = View(self._results.kept)
        self._table = results_table(self._view)
        self._table.border_title = "Results"

    def compose(self) -> ComposeResult:
        yield self._table

    def on_unmount(self) -> None:
        self._view.close()

    def entered(self) -> None:
        self._table.focus()

    def flush(self, now: float) -> None:
        self._table.flush(now)
        listed, count = len(self._view), self._results.count
        of = f" of {count:,}" if listed < count else ""
        self._table.border_subtitle = f"{listed:,}{of}"
