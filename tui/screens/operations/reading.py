"""A tab with a list that is read again and again while the tab is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult

from tui.live.attention import Attention
from tui.live.collection import Collection
from tui.live.polling import told_age
from tui.live.session import Feed
from tui.live.sources import Source
from tui.live.view import View
from tui.resources.model import Column
from tui.screens.detail_pane import DetailPane, TabPane
from tui.widgets.live_table import LiveTable


class ReadingTab(TabPane):
    """It has no feed until it is known what about."""

    title: ClassVar[str] = ""
    columns: ClassVar[Sequence[Column[Any]]] = ()
    sort: ClassVar[tuple[str, bool]] = ("", False)

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._attention = Attention(self.console.session)
        self._feed: Feed | None = None
        self._view: View[Any] | None = None
        self._table: LiveTable | None = None

    def source(self, record: Any) -> tuple[Source[Any], str] | None:
        """What is read about ``record``, and by which query; None: there is nothing."""
        raise NotImplementedError

    def told(self, record: Any, feed: Feed | None) -> str:
        """What is said below the list beside its age."""
        return ""

    def compose(self) -> ComposeResult:
        self._view = View(Collection[Any]())
        self._table = LiveTable(self._view, self.columns, *self.sort)
        self._table.border_title = self.title
        yield self._table

    def on_unmount(self) -> None:
        if self._view is not None:
            self._view.close()
        self._attention.end()

    def entered(self) -> None:
        self._attention.show()
        if self._table is not None:
            self._table.focus()

    def left(self) -> None:
        self._attention.hide()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if self._table is None or self._view is None:
            return
        if self._feed is None and record is not None and (wanted := self.source(record)):
            self._feed = self._attention.open(*wanted)
            self._view.turn_to(self._feed.collection)
        self._table.flush(now)
        age = told_age(self._feed.collection, now) if self._feed is not None else ""
        parts = (f"{len(self._view):,}", self.told(record, self._feed), age)
        told = " · ".join(part for part in parts if part)
        if self._table.border_subtitle != told:
            self._table.border_subtitle = told

    @property
    def chosen(self) -> Any:
        """The row under the cursor; None: there is none."""
        if self._view is None or self._table is None:
            return None
        return self._view.record(self._table.cursor_id)
