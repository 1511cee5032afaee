"""The record under the cursor, beside its list where there is room: its detail's first tab."""

from __future__ import annotations

from typing import Any

from textual.containers import Vertical

from tui.resources.model import Resource
from tui.screens.detail_pane import DetailPane, detail_pane
from tui.widgets.working import begin

# A cursor that is moved on is not followed row by row.
SETTLED_SECONDS = 0.2


class Preview(Vertical):
    """It shows, and takes neither keys nor clicks: Enter opens the record itself."""

    DEFAULT_CSS = """
    Preview { display: none; width: 2fr; }
    Preview Tabs { display: none; }
    Preview *:disabled, Preview:disabled { opacity: 100%; }
    """

    def __init__(self, resource: Resource[Any]) -> None:
        super().__init__(disabled=True)
        self._resource = resource
        self._wanted = ""
        self._shown = ""
        self._since: float | None = None
        self._pane: DetailPane | None = None
        self._rests = False

    def about(self, id_: str) -> None:
        """Show that record, once the cursor stays on it; empty: none."""
        if id_ != self._wanted:
            self._wanted, self._since = id_, None

    def flush(self, now: float) -> None:
        """Show what has changed; ``now`` is in epoch seconds."""
        if not self.display:
            return
        if self._wanted != self._shown:
            self._since = self._since if self._since is not None else now
            if now - self._since >= SETTLED_SECONDS:
                self._shown = self._wanted
                begin(self, self._show, "preview", exclusive=True)
        if self._pane is not None and self._pane.is_attached:
            self._pane.flush(now)

    def entered(self) -> None:
        """Its list is shown again."""
        self._rests = False
        if self._pane is not None:
            self._pane.entered()

    def left(self) -> None:
        """Its list is hidden: what is read again and again rests."""
        self._rests = True
        if self._pane is not None:
            self._pane.left()

    async def _show(self) -> None:
        self._pane = None
        await self.remove_children()
        if self._shown:
            pane = detail_pane(self._resource.name)(self._shown)
            await self.mount(pane)
            self._pane = pane
            if self._rests:
                # Its list was left while it was mounted.
                pane.left()
