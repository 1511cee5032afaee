"""What comes of an action on several records, one by one, as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.live.results import Results
from tui.live.view import View
from tui.resources.model import Cell, Column, ItemResult
from tui.widgets.live_table import LiveTable

COLUMNS: tuple[Column[ItemResult], ...] = (
    Column("result", "RESULT", 10, lambda row, _: _result(row), lambda row: (row.ok, not row.open),
           priority=9),
    Column("id", "ID", 16, lambda row, _: Cell(row.id), lambda row: row.id, flex=1, priority=9,
           tail=True),
    Column("detail", "DETAIL", 16,
           lambda row, _: Cell(row.detail, "muted" if row.ok else "error"),
           lambda row: row.detail or None, flex=2, priority=8),
)  # fmt: skip


def _result(row: ItemResult) -> Cell:
    if row.open:
        return Cell("⋯ accepted", "primary")
    return Cell("✔ ok", "success") if row.ok else Cell("✘ failed", "error")


def results_table(view: View[ItemResult]) -> LiveTable:
    """Results as a list; what failed comes first."""
    return LiveTable(view, COLUMNS, "result")


class ResultsPanel(Vertical):
    """The results of the last action on several, below the list; hidden until there is one."""

    DEFAULT_CSS = """
    ResultsPanel { height: 9; max-height: 40%; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._view: View[Any] | None = None
        self._table: LiveTable | None = None
        self._title = ""
        self._results = Results()
        self.resource = ""

    def compose(self) -> ComposeResult:
        return iter(())

    async def show(self, title: str, resource: str, results: Results) -> None:
        """Show ``results`` of an action on records of ``resource`` as they come."""
        await self.hide()
        self._title, self.resource, self._results = title, resource, results
        self._view = View(results.kept)
        self._table = results_table(self._view)
        self.display = True
        await self.mount(self._table)

    async def hide(self) -> None:
        """Show none, and have none."""
        self.display = False
        if self._view is not None:
            self._view.close()
        self._view = self._table = None
        self._results = Results()
        await self.remove_children()

    @property
    def is_open(self) -> bool:
        """Whether it has results, shown or not."""
        return self._view is not None

    @property
    def failed_ids(self) -> Sequence[str]:
        """Those that it was not done to, as far as they are kept."""
        return self._results.failed_ids

    @property
    def failed(self) -> int:
        """How many it was not done to."""
        return self._results.failed

    def flush(self, now: float) -> None:
        """Show what has come since."""
        if self._view is None or self._table is None:
            return
        self._table.flush(now)
        results = self._results
        settled = results.done + results.failed
        self._table.border_title = f"{self._title}: {settled:,} of {results.count:,}"
        self._table.border_subtitle = " · ".join(_standing(results))


def _standing(results: Results) -> Iterator[str]:
    if results.accepted:
        yield f"{results.accepted:,} accepted"
    if results.failed:
        yield f"{results.failed:,} failed"
    listed = len(results.kept)
    if listed < results.count - results.unanswered:
        yield f"{listed:,} listed"
    if results.failed:
        yield "M marks the failed"
    yield "Esc closes"
