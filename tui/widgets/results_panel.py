"""What comes of an action on several records, one by one, as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.live.collection import Collection
from tui.live.view import View
from tui.resources.model import Cell, Column, ItemResult
from tui.widgets.live_table import LiveTable

COLUMNS: tuple[Column[ItemResult], ...] = (
    Column("result", "RESULT", 8,
           lambda row, _: Cell("✔ ok", "success") if row.ok else Cell("✘ failed", "error"),
           lambda row: row.ok, priority=9),
    Column("id", "ID", 16, lambda row, _: Cell(row.id), lambda row: row.id, flex=1, priority=9),
    Column("detail", "DETAIL", 16,
           lambda row, _: Cell(row.detail, "muted" if row.ok else "error"),
           lambda row: row.detail or None, flex=2, priority=8),
)  # fmt: skip


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
        self._count = 0
        self.resource = ""

    def compose(self) -> ComposeResult:
        return iter(())

    async def show(
        self, title: str, resource: str, count: int, results: Collection[ItemResult]
    ) -> None:
        """Show ``results`` of an action on ``count`` records of ``resource`` as they come."""
        await self.hide()
        self._title, self.resource, self._count = title, resource, count
        self._view = View(results)
        self._table = results_table(self._view)
        self.display = True
        await self.mount(self._table)

    async def hide(self) -> None:
        """Show none."""
        self.display = False
        if self._view is not None:
            self._view.close()
        self._view = self._table = None
        await self.remove_children()

    @property
    def is_open(self) -> bool:
        return bool(self.display)

    @property
    def failed_ids(self) -> Sequence[str]:
        """Those that it was not done to."""
        if self._view is None:
            return ()
        return [result.id for result in self._view.all_records() if not result.ok]

    def flush(self, now: float) -> None:
        """Show what has come since."""
        if self._view is None or self._table is None:
            return
        self._table.flush(now)
        failed = len(self.failed_ids)
        told = sum(1 for _ in self._view.all_records())
        self._table.border_title = f"{self._title}: {told:,} of {self._count:,}"
        keys = "M marks the failed · Esc closes" if failed else "Esc closes"
        self._table.border_subtitle = f"{failed:,} failed · {keys}" if failed else keys
