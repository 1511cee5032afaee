"""A workflow as it flows."""

from __future__ import annotations

from textual.app import ComposeResult

from tui.screens.detail_pane import DetailPane, TabPane
from tui.views.addresses import Address
from tui.widgets.flow_graph import FlowGraph


class GraphTab(TabPane):
    """Drawn again whenever the definition changes."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._graph = FlowGraph("Graph", ascii=detail.console.ascii)
        self._revision = -1

    def compose(self) -> ComposeResult:
        yield self._graph

    def entered(self) -> None:
        self._graph.focus()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if record is not None and record.definition.revision != self._revision:
            self._revision = record.definition.revision
            self._graph.show(dict(record.document))

    def on_flow_graph_workflow_opened(self, message: FlowGraph.WorkflowOpened) -> None:
        self.console.open(Address("workflows", message.name, "graph"))
