"""A tab with a list about a definition: read when it is opened, and again when that changes."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from tui.live.session import Feed
from tui.live.sources import Source
from tui.live.view import View
from tui.resources.model import Action, Column
from tui.screens.detail_pane import DetailPane, TabPane
from tui.widgets.live_table import LiveTable

# A source, and what is asked of it; None: about the record.
About = tuple[Source[Any], str | None]


class TableTab(TabPane):
    """Rows of ``source`` about the definition."""

    source: ClassVar[Source[Any] | None] = None
    columns: ClassVar[tuple[Column[Any], ...]]
    title: ClassVar[str] = ""
    sort: ClassVar[str] = "name"
    reverse: ClassVar[bool] = False
    again_seconds: ClassVar[float | None] = 10.0
    """What others do is told by no stream here: it is read again; None: when it is shown."""
    asks: ClassVar[str | None] = None
    """What is asked of the source; None: about the definition."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._revision = -1
        self._read_at = 0.0
        self._feed: Feed | None = None
        self._view: View[Any] | None = None
        self._table: LiveTable | None = None

    def compose(self) -> ComposeResult:
        yield Vertical()

    def on_unmount(self) -> None:
        if self._view is not None:
            self._view.close()

    def entered(self) -> None:
        if self._table is not None:
            self._table.focus()
            if self.asks is None:
                self.read_again()

    def read_again(self) -> None:
        """What it was may be something else now."""
        if self._feed is not None:
            self._feed.line.retry()

    @property
    def owner(self) -> str:
        """The definition's name."""
        return self.detail.record_id

    @property
    def row(self) -> Any:
        """That under the cursor, or None."""
        if self._view is None or self._table is None:
            return None
        return self._view.record(self._table.cursor_id)

    def flush(self, now: float) -> None:
        if self._table is None and (about := self.about()) is not None:
            self._begin(*about)
        record = self.detail.record
        revision = record.definition.revision if record is not None else -1
        is_old = self.again_seconds is not None and now - self._read_at > self.again_seconds
        if self.asks is None and (revision != self._revision or is_old):
            self._revision, self._read_at = revision, now
            self.read_again()
        if self._table is not None:
            self._table.flush(now)
            self._table.border_subtitle = self.subtitle()

    def keeps(self, row: Any) -> bool:
        """Whether a row is one of the definition's."""
        return True

    def subtitle(self) -> str:
        """What is said below the list."""
        return f"{len(self._view):,}" if self._view is not None else ""

    def about(self) -> About | None:
        """Where the rows come from; None: that is not known yet."""
        assert self.source is not None
        return self.source, self.asks

    def below(self) -> tuple[Widget, ...]:
        """What stands below the list."""
        return ()

    def _begin(self, source: Source[Any], asks: str | None) -> None:
        self._feed = self.detail.follow(source, asks)
        self._view = View(self._feed.collection)
        self._view.choose(self.keeps)
        self._table = LiveTable(self._view, self.columns, self.sort, self.reverse)
        self._table.border_title = self.title
        self.query_one(Vertical).mount(self._table, *self.below())
        self.call_after_refresh(self._table.focus)

    def act(self, action: Action[Any]) -> None:
        """Do ``action`` to the row under the cursor; no stream tells what came of it."""
        if self.row is not None:
            self.console.act(None, action, [self.row], over=self.read_again)

    def may(self, action: Action[Any]) -> bool | None:
        """Whether ``action`` can be done: False: it is absent, None: not to this row."""
        if self.console.read_only:
            return False
        if self.row is None or not action.applies(self.row):
            return None
        return None if self.refuses(action.id) else True

    def on_live_table_cursor_moved(self, message: LiveTable.CursorMoved) -> None:
        message.stop()
        self.refresh_bindings()

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()

    def on_live_table_state_changed(self, message: LiveTable.StateChanged) -> None:
        message.stop()
