"""The list of a resource: what its filter keeps, its marks, and what can be done with them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from services.query import QueryFault
from tui.live.attention import Attention
from tui.live.collection import Collection
from tui.live.link import LinkState
from tui.live.polling import told_age
from tui.live.session import Feed
from tui.live.view import View
from tui.resources.filtering import Filter, filter_of
from tui.resources.model import Action
from tui.screens.acting import ActingPane, bindings_of
from tui.screens.preview import Preview
from tui.screens.yank import YankScreen
from tui.views.addresses import Address
from tui.views.yanking import MOST_COPIED, yanked
from tui.widgets.filter_chips import FilterChips
from tui.widgets.live_table import LiveTable

# How often a filter that asks for ages is asked again.
AGES_SECONDS = 1.0


class ListPane(ActingPane):
    """A live list. Keys of its resource's actions are bindings of a class of its own."""

    DEFAULT_CSS = """
    ListPane .list { width: 3fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yank", "Copy", id="list.yank", show=False,
                tooltip="Copy the id (y), JSON (j), the address (u) or a command (c)"),
        *(
            Binding(str(number), f"view({number})", f"View {number}", id=f"list.view_{number}",
                    show=False, tooltip=f"Open saved place {number}")
            for number in range(1, 10)
        ),
    ]  # fmt: skip

    def __init__(self, query: str = "") -> None:
        super().__init__()
        self._wanted = query
        self._filter = Filter()
        self._filtered_at = 0.0
        self._of_feed: tuple[str, ...] = ()
        self._feed: Feed | None = None
        self._view: View[Any] | None = None
        self._table: LiveTable | None = None

    def compose(self) -> ComposeResult:
        self._attention = Attention(self.console.session)
        collection: Collection[Any]
        if self.resource.source is not None:
            self._feed = self._attention.open(self.resource.source)
            collection = self._feed.collection
        else:
            collection = self.console.own_collection(self.resource.name)
        self._view = View(collection)
        table = LiveTable(
            self._view, self.resource.columns, self.resource.sort, self.resource.reverse
        )
        table.pending = self._pending
        table.border_title = self.resource.title
        self._table = table
        with Horizontal():
            with Vertical(classes="list"):
                yield FilterChips()
                yield table
            if self.resource.tabs:
                yield Preview(self.resource)

    def on_mount(self) -> None:
        if fault := self.filter(self._wanted):
            self.console.tell(fault)

    def on_unmount(self) -> None:
        if self._view is not None:
            self._view.close()
        self._attention.end()

    @property
    def query_text(self) -> str:
        """The filter, as it was written."""
        return self._filter.text

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
        self._attention.show()
        for preview in self.query(Preview):
            preview.entered()
        self.table.focus()
        if self.resource.name == "contexts":
            self.console.ask_contexts()

    def left(self) -> None:
        self._attention.hide()
        for preview in self.query(Preview):
            preview.left()

    def flush(self, now: float) -> None:
        if self._table is None:
            # It is not mounted yet.
            return
        if self._filter.moves and now - self._filtered_at >= AGES_SECONDS:
            self.filter(self._filter.text)
        self.table.empty = self._why_empty()
        self.table.flush(now)
        if (told := self._told_of_feed(now)) != self._of_feed:
            self._of_feed = told
            self._tell_state(self.table)
        for preview in self.query(Preview):
            preview.about(self.table.cursor_id)
            preview.flush(now)

    def _told_of_feed(self, now: float) -> tuple[str, ...]:
        """What is said below the list of where it comes from."""
        if self._feed is None:
            return ()
        age = told_age(self._feed.collection, now) if self._feed.source.every else ""
        away = " and ".join(self._feed.line.away)
        return (
            self.resource.told(self._feed.collection.facts),
            age,
            f"{away} away" if away else "",
        )

    def _why_empty(self) -> str:
        """What to say in the middle of a list that shows nothing."""
        if len(self.table.view):
            return ""
        link = self._feed.line.now() if self._feed is not None else None
        if link is not None and link.state is not LinkState.LIVE:
            return link.reason or f"Asking the {link.service}…"
        if self.query_text:
            return "Nothing matches the filter."
        return self.resource.empty or f"No {self.resource.title.lower()} yet."

    # The filter

    def fault_in(self, text: str) -> str:
        """What is wrong with ``text`` as a filter of this list; empty: nothing."""
        try:
            filter_of(self.resource, text, datetime.now(UTC))
        except QueryFault as fault:
            return str(fault)
        return ""

    def filter(self, text: str) -> str:
        """Keep what ``text`` asks for; what is wrong with it, and then the list stays as it was."""
        now = datetime.now(UTC)
        try:
            wanted = filter_of(self.resource, text, now)
        except QueryFault as fault:
            return str(fault)
        if wanted.server != self._filter.server:
            self._ask_service(wanted.server)
        self._filter, self._filtered_at = wanted, now.timestamp()
        if self._view is not None:
            self._view.choose(wanted.keeps)
            # At once: the next key is for what the filter keeps.
            self.table.flush(self._filtered_at)
        self.query_one(FilterChips).show(wanted.text, wanted.server_terms)
        return ""

    def _ask_service(self, query: str) -> None:
        """Follow the list that the service keeps for ``query``; empty: the whole one."""
        if self.resource.source is None or self._view is None:
            return
        before, self._feed = self._feed, self._attention.open(self.resource.source, query)
        self._view.turn_to(self._feed.collection)
        if before is not None:
            self._attention.close(before)

    # What is done to rows

    def _pending(self, record: Any) -> str:
        """What was asked for a row and is not yet so."""
        pending = self.console.session.pending
        if not len(pending):
            return ""
        state = self.resource.state(record)
        return pending.word(self.resource.name, record.id, state, time.monotonic())

    def mark(self, ids: Iterable[str]) -> None:
        """Mark these rows, and no others."""
        self.table.marks = set(ids)
        self.table.marks_changed()

    def records(self) -> list[Any]:
        """What an action is about: the marked rows, or that under the cursor."""
        if self._table is None:
            return []
        found = [self.table.view.record(id_) for id_ in self.table.selected_ids()]
        return [record for record in found if record is not None]

    def out_of_sight(self, records: Sequence[Any]) -> int:
        return self.table.view.hidden([record.id for record in records])

    def done_to(self, records: Sequence[Any]) -> None:
        """They are marked no more: the next key would be done to them once again."""
        if self.is_attached and self.table.marks:
            self.mark(self.table.marks - {record.id for record in records})

    def query_of(self, action: Action[Any], records: list[Any]) -> str:
        """The filter, where it keeps no others."""
        if self.out_of_sight(records):
            return ""
        kept = self.table.view.shown() if len(records) > 1 else ()
        if sum(map(action.applies, kept)) != len(records):
            return ""
        return self.query_text or "id:*"

    def all_records(self) -> list[Any]:
        """All that there is, whatever the filter keeps: a line is completed with it."""
        return list(self._view.all_records()) if self._view is not None else []

    def action_view(self, number: int) -> None:
        views = list(self.console.commanding.views)
        if number <= len(views):
            self.console.command(views[number - 1])

    def action_yank(self) -> None:
        if records := self.records():
            # Those of this moment: the rows go on moving.
            self.app.push_screen(YankScreen(), partial(self._yank, records))

    def _yank(self, records: Sequence[Any], what: str | None) -> None:
        if not what:
            return
        name = self.resource.name
        addresses = [str(Address(name, record.id)) for record in records]
        text = yanked(what, name, records, addresses)
        if len(text) > MOST_COPIED:
            self.console.tell(f"{len(text):,} characters are too many to copy; mark fewer rows.")
            return
        self.app.copy_to_clipboard(text)
        count = f" of {len(records):,}" if len(records) > 1 else ""
        self.console.tell(f"Copied: {what}{count}.", "information")

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        record = self.table.view.record(message.id)
        if self.resource.opens is not None and record is not None:
            self._lead_to(self.resource.opens(record))
        elif self.resource.tabs:
            self.console.open(Address(self.resource.name, message.id))

    def _lead_to(self, place: str | Address) -> None:
        if isinstance(place, Address):
            self.console.open(place)
        else:
            self.console.command(place)

    def on_live_table_state_changed(self, message: LiveTable.StateChanged) -> None:
        table = message.table
        self._tell_state(table)
        self.refresh_bindings()

    def on_live_table_cursor_moved(self, message: LiveTable.CursorMoved) -> None:
        self.refresh_bindings()

    def _tell_state(self, table: LiveTable) -> None:
        parts = [f"{len(table.view):,}"]
        if table.marks:
            hidden = table.view.hidden(table.marks)
            unseen = f", {hidden:,} out of sight" if hidden else ""
            parts.append(f"{len(table.marks):,} marked{unseen}")
        if table.view.paused:
            parts.append(f"held · {table.view.pending:,} changed · p goes on")
        parts.extend(filter(None, self._of_feed))
        table.tell(" · ".join(parts))


@cache
def list_pane(resource_name: str) -> type[ListPane]:
    """The class of a resource's list: with bindings of its own, so that keymaps know them."""
    from tui.resources import find

    resource = find(resource_name)
    assert resource is not None
    body = {"resource": resource, "BINDINGS": bindings_of(resource)}
    return type("ListPane", (ListPane,), body)
