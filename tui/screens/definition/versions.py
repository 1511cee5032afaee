"""The versions of a workflow: each drawn or as JSON, compared with another one, or deleted."""

from __future__ import annotations

from collections.abc import Collection as Many
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import ContentSwitcher

from tui.live.collection import Collection
from tui.live.view import View
from tui.resources.versions import COLUMNS, DELETE, Version, running, versions_of
from tui.screens.detail_pane import DetailPane, TabPane
from tui.views.json_values import json_text
from tui.widgets.diff_view import DiffView
from tui.widgets.flow_graph import FlowGraph
from tui.widgets.json_view import JsonView
from tui.widgets.live_table import LiveTable

# With fewer cells the versions stand above what is shown of them.
WIDE_CELLS = 160
# Executions change often, and counting them takes some milliseconds.
COUNT_SECONDS = 1.0
GRAPH, JSON, DIFF = "versions-graph", "versions-json", "versions-diff"


class VersionsTab(TabPane):
    """All versions, and beside them that under the cursor, or what differs between two."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(DELETE.key, "delete_version", DELETE.title, id=DELETE.id, tooltip=DELETE.help),
        Binding("e", "edit_version", "Edit version", id="versions.edit",
                tooltip="Edit this version as text"),
        Binding("t", "turn", "Graph/JSON", id="versions.turn",
                tooltip="Show the version drawn, or as JSON"),
        Binding("D", "compare", "Compare", id="versions.compare",
                tooltip="Compare the two that are marked, or this one with the one before"),
        Binding("escape", "close", "Close", id="versions.close", show=False,
                tooltip="Back to the versions"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    VersionsTab LiveTable { width: 2fr; }
    VersionsTab ContentSwitcher { width: 3fr; height: 1fr; }
    VersionsTab.-narrow Horizontal { layout: vertical; }
    VersionsTab.-narrow LiveTable { width: 1fr; height: 1fr; }
    VersionsTab.-narrow ContentSwitcher { width: 1fr; height: 2fr; }
    """

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._rows: Collection[Version] = Collection()
        self._view: View[Version] = View(self._rows)
        self._table = LiveTable(self._view, COLUMNS, "version", reverse=True)
        self._graph = FlowGraph("Graph", ascii=detail.console.ascii, id=GRAPH)
        self._json = JsonView("JSON", id=JSON)
        self._diff = DiffView("Difference", id=DIFF)
        self._shown: tuple[object, ...] = ()
        self._record: object = None
        self._counted_at = 0.0
        self._moved = True

    def compose(self) -> ComposeResult:
        self._table.border_title = "Versions"
        with Horizontal():
            yield self._table
            with ContentSwitcher(initial=GRAPH):
                yield self._graph
                yield self._json
                yield self._diff

    def on_mount(self) -> None:
        self.console.executions.collection.listen(self._heard)

    def on_unmount(self) -> None:
        self.console.executions.collection.forget(self._heard)
        self._view.close()

    def _heard(self, ids: Many[str]) -> None:
        self._moved = True

    def on_resize(self) -> None:
        self.set_class(self.size.width < WIDE_CELLS, "-narrow")

    def entered(self) -> None:
        self._table.focus()

    def flush(self, now: float) -> None:
        record = self.detail.record
        due = self._moved and now - self._counted_at >= COUNT_SECONDS
        if record is not None and (record is not self._record or due):
            self._record, self._moved, self._counted_at = record, False, now
            known = self.console.executions.collection.records.values()
            counts = running(known, record.definition.id)
            rows = versions_of(record.definition, counts, self._rows.records)
            self._rows.replace({row.id: row for row in rows})
        self._table.flush(now)
        self._show()

    @property
    def _chosen(self) -> Version | None:
        return self._view.record(self._table.cursor_id)

    def _show(self) -> None:
        """What is beside the versions, where it is another one by now."""
        row, which = self._chosen, self.query_one(ContentSwitcher).current
        if row is None or which == DIFF:
            return
        wanted = (which, row.definition.id, row.id, row.definition.revision)
        if wanted == self._shown:
            return
        self._shown = wanted
        title = f"{row.definition.id} v{row.id}"
        if which == GRAPH:
            self._graph.show(dict(row.definition.document), title=title)
        else:
            self._json.show(dict(row.definition.document), title)

    def on_live_table_cursor_moved(self, message: LiveTable.CursorMoved) -> None:
        message.stop()
        if self.query_one(ContentSwitcher).current == DIFF:
            self.query_one(ContentSwitcher).current = GRAPH
        self._show()
        self.refresh_bindings()

    def on_live_table_row_opened(self, message: LiveTable.RowOpened) -> None:
        message.stop()
        self._focus_shown()

    def on_live_table_state_changed(self, message: LiveTable.StateChanged) -> None:
        message.stop()

    def on_flow_graph_workflow_opened(self, message: FlowGraph.WorkflowOpened) -> None:
        message.stop()

    def _focus_shown(self) -> None:
        for each in (self._graph, self._json, self._diff):
            if each.id == self.query_one(ContentSwitcher).current:
                each.focus()

    def action_turn(self) -> None:
        switcher = self.query_one(ContentSwitcher)
        had_focus = switcher.has_focus_within
        switcher.current = JSON if switcher.current == GRAPH else GRAPH
        self._show()
        if had_focus:
            self._focus_shown()

    def action_compare(self) -> None:
        """The older one of both first."""
        marked = [row for row in map(self._rows.get, self._table.marks) if row is not None]
        row = self._chosen
        if len(marked) != 2 and row is not None:
            before = [each for each in self._rows.records.values() if each.number < row.number]
            marked = [max(before, key=lambda each: each.number), row] if before else []
        if len(marked) != 2:
            self.console.tell("There is no version before it: mark two to compare.", "information")
            return
        one, two = sorted(marked, key=lambda each: each.number)
        self.query_one(ContentSwitcher).current = DIFF
        self._shown = ()
        self._diff.show(
            json_text(dict(one.definition.document)), json_text(dict(two.definition.document)),
            (f"v{one.id}", f"v{two.id}"), f"v{one.id} → v{two.id}",
        )  # fmt: skip
        self._diff.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("delete_version", "edit_version"):
            if self.console.read_only:
                return False
            return True if self._chosen is not None else None
        if action == "close":
            # Elsewhere the key leads out of the workflow.
            return not self._table.has_focus
        return True

    def action_close(self) -> None:
        self._table.focus()

    def action_delete_version(self) -> None:
        if (row := self._chosen) is not None:
            self.console.act(None, DELETE, [row])

    def action_edit_version(self) -> None:
        if (row := self._chosen) is not None:
            self.console.open_pane("workflow-editor", self.detail.resource, row)
