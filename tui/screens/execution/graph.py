"""The graph of an execution: its workflow as it flows, and where it stands in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from textual.app import ComposeResult

from tui.screens.detail_pane import DetailPane
from tui.screens.execution.tab import ExecutionTab
from tui.screens.execution.timeline import TimelineTab
from tui.views.addresses import Address
from tui.views.graph.overlay import of_document
from tui.views.nesting import definition_in
from tui.views.statuses import look_of_execution
from tui.widgets.flow_graph import FlowGraph


class GraphTab(ExecutionTab):
    """Drawn once, and coloured again as tasks go on; Enter on a task leads to its row."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._graph = FlowGraph("Graph", ascii=detail.console.ascii)
        self._changed: set[str] = set()
        self._why_empty = ""

    def compose(self) -> ComposeResult:
        yield self._graph

    def on_mount(self) -> None:
        self._heard(list(self.tasks.records))
        self.tasks.listen(self._heard)

    def on_unmount(self) -> None:
        self.tasks.forget(self._heard)

    def _heard(self, ids: Collection[str]) -> None:
        self._changed.update(ids)

    def entered(self) -> None:
        self._graph.focus()

    def show(self, now: float) -> None:
        facts, records = self.facts, self.tasks.records
        if facts.document is None or facts.state is None:
            self._say_why_empty(facts.problem or "Asking the executor…")
            return
        is_new = self.new_definition() is not None
        if is_new or any(id_ not in records for id_ in self._changed):
            self._graph.show(definition_in(facts.document), of_document(facts.document))
        if self._changed:
            changed = [records[id_].state for id_ in self._changed if id_ in records]
            self._graph.apply(changed, look_of_execution(facts.state.status).word)
            self._changed.clear()

    def _say_why_empty(self, why: str) -> None:
        if why != self._why_empty:
            self._why_empty = why
            self._graph.say(why)

    def given(self, action_id: str) -> Mapping[str, str]:
        drawing = self._graph.drawing
        region = drawing.regions.get(self._graph.cursor) if drawing is not None else None
        if action_id not in ("executions.rerun", "executions.skip_task") or region is None:
            return {}
        return {"ref": region.step.ref}

    async def on_flow_graph_task_opened(self, message: FlowGraph.TaskOpened) -> None:
        task_id = self._newest(message)
        if not task_id or self.open_started(task_id):
            return
        timeline = await self.detail.go_to_tab("timeline")
        if isinstance(timeline, TimelineTab):
            timeline.select(task_id, back="graph")

    def on_flow_graph_workflow_opened(self, message: FlowGraph.WorkflowOpened) -> None:
        """What the task has started, else what it would run."""
        if not self.open_started(self._newest(message)):
            self.console.open(Address("workflows", message.name, "graph"))

    def _newest(self, message: FlowGraph.TaskMessage) -> str:
        """The id of a task's latest attempt; empty: it has none yet."""
        names = (message.ref, f"{message.ref}__{message.iteration}")
        found = [task.state for task in self.tasks.records.values() if task.state.ref in names]
        return max(found, key=lambda state: state.sequence).task_id if found else ""
