"""The list of a resource: what its filter keeps, its marks, and what can be done with them."""

from __future__ import annotations

from functools import cache
from typing import Any

from textual.app import ComposeResult

from tui.live.collection import Collection
from tui.live.session import Feed
from tui.live.view import View
from tui.screens.acting import ActingPane, bindings_of
from tui.views.addresses import Address
from tui.widgets.live_table import LiveTable


class ListPane(ActingPane):
    """A live list. Keys of its resource's actions are bindings of a class of its own."""

    def __init__(self, query: str = "") -> None:
        super().__init__()
        self.query_text = query
        self._feed: Feed | None = None
        self._view: View[Any] | None = None
        self._table: LiveTable | None = None

    def compose(self) -> ComposeResult:
        collection: Collection[Any]
        if self.resource.source is not None:
            self._feed = self.console.session.open(self.resource.source)
            collection = self._feed.collection
        else:
            collection = self.console.session.log.collection
        self._view = View(collection)
        table = LiveTable(
            self._view, self.resource.columns, self.resource.sort, self.resource.reverse
        )
        table.border_title = self.resource.title
        self._table = table
        self.filter(self.query_text)
        yield table

    def on_unmount(self) -> None:
        if self._view is not None:
            self._view.close()
        if self._feed is not None:
            self.console.session.close(self._feed)

    @property
    def address(self) -> Address:
        return Address(self.resource.name, query=self.query_text)

    @property
    def crumbs(self) -> tuple[str, ...]:
        return (self.resource.name, self.query_text) if self.query_text else (self.resource.name,)

    @property
    def service(self) -> str:
        return self.resource.source.service if self.resource.source else ""

    @property
    def table(self) -> LiveTable:
        """The list itself, once it is mounted."""
        assert self._table is not None
        return self._table

    def entered(self) -> None:
        self.table.focus()

    def flush(self, now: float) -> None:
        self.table.flush(now)

    def filter(self, text: str) -> None:
        """Keep what ``text`` asks for."""
        self.query_text = text
        words = text.casefold().split()
        label = self.resource.text
        if self._view is not None:
            self._view.choose(
                (lambda row: all(word in label(row).casefold() for word in words))
                if words
                else None
            )

    def records(self) -> list[Any]:
        """What an action is about: the marked rows, or that under the cursor."""
        if self._table is None:
            return []
        found = [self.table.view.record(id_) for id_ in self.table.selected_ids()]
        return [record for record in found if record is not None]

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        if self.resource.tabs:
            self.console.open(Address(self.resource.name, message.id))

    def on_live_table_state_changed(self, message: LiveTable.StateChanged) -> None:
        table = message.table
        self._tell_state(table)
        self.refresh_bindings()

    def on_live_table_cursor_moved(self, message: LiveTable.CursorMoved) -> None:
        self.refresh_bindings()

    def _tell_state(self, table: LiveTable) -> None:
        parts = [f"{len(table.view):,}"]
        if table.marks:
            parts.append(f"{len(table.marks):,} marked")
        if table.view.paused:
            parts.append(f"held · {table.view.pending:,} changed · p goes on")
        table.border_subtitle = " · ".join(parts)


@cache
def list_pane(resource_name: str) -> type[ListPane]:
    """The class of a resource's list: with bindings of its own, so that keymaps know them."""
    from tui.resources import find

    resource = find(resource_name)
    assert resource is not None
    body = {"resource": resource, "BINDINGS": bindings_of(resource)}
    return type("ListPane", (ListPane,), body)
