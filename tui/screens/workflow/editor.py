"""A workflow written as text, and drawn beside it as it is typed."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from tui.resources.model import Resource
from tui.screens.definition.editor import DefinitionEditorPane
from tui.views.task_spans import TaskSpan, span_at, spans, task_path
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.flow_graph import FlowGraph

# With fewer cells there is room for the text or the drawing.
WIDE_CELLS = 110
# A drawing of more is not made anew while somebody types.
MOST_DRAWN = 1_000_000


class WorkflowEditorPane(DefinitionEditorPane):
    """The text on the left, the drawing on the right; the cursor is on the same task in both."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # In the text tab indents.
        Binding("alt+g,f4,shift+tab,tab", "graph", "Graph", id="write.graph",
                tooltip="To the drawing, or back to the text"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    WorkflowEditorPane DocumentEditor { width: 3fr; }
    WorkflowEditorPane FlowGraph { width: 2fr; }
    WorkflowEditorPane.-narrow DocumentEditor { width: 1fr; }
    WorkflowEditorPane.-narrow FlowGraph { display: none; width: 1fr; }
    WorkflowEditorPane.-narrow.-graph DocumentEditor { display: none; }
    WorkflowEditorPane.-narrow.-graph FlowGraph { display: block; }
    """

    def __init__(self, resource: Resource[Any], record: Any) -> None:
        super().__init__(resource, record)
        self._graph: FlowGraph | None = None
        self._spans: list[TaskSpan] = []
        self._drawn = ""

    def compose(self) -> ComposeResult:
        yield from super().compose()
        self._graph = FlowGraph("Graph", ascii=self.console.ascii)

    def on_mount(self) -> None:
        # Before that of the base, which shows the text.
        if self._graph is not None:
            self.query_one(Horizontal).mount(self._graph)

    def on_resize(self) -> None:
        self.set_class(self.size.width < WIDE_CELLS, "-narrow")

    def entered(self) -> None:
        self._show_graph(False)

    def text_changed(self) -> None:
        super().text_changed()
        self._draw()

    def _draw(self) -> None:
        """Draw what can be read; a half-written text leaves the last drawing, and that is said."""
        graph, text = self._graph, self.editor.text
        if graph is None or len(text) > MOST_DRAWN:
            return
        self._spans = spans(text, self.editor.language)
        document = self.written.document
        if document is None:
            graph.border_title = "Graph, as it was: the text cannot be read now"
        else:
            graph.border_title = "Graph"
            if text != self._drawn:
                self._drawn = text
                graph.show(document)
        self._point(*self.editor.area.cursor_location)

    def _mark(self) -> None:
        super()._mark()
        if self._graph is None:
            return
        by_task: dict[str, str] = {}
        for fault in self.checker.verdict.faults:
            if path := task_path(fault.path):
                by_task.setdefault(path, f"{fault.path}: {fault.detail}")
        self._graph.show_faults(by_task)

    # The same task in both

    def on_document_editor_cursor_moved(self, message: DocumentEditor.CursorMoved) -> None:
        message.stop()
        if self._graph is not None and not self._graph.pane.has_focus:
            self._point(message.row, message.column)

    def _point(self, row: int, column: int) -> None:
        found = span_at(self._spans, (row, column))
        if found is not None and self._graph is not None:
            self._graph.point_at(found.path)

    def on_flow_graph_task_selected(self, message: FlowGraph.TaskSelected) -> None:
        message.stop()
        if message.graph.pane.has_focus:
            self._go_to_text(message.graph.path_of_cursor)

    def on_flow_graph_task_opened(self, message: FlowGraph.TaskOpened) -> None:
        message.stop()
        self._go_to_text(message.graph.path_of_cursor)
        self._show_graph(False)

    def on_flow_graph_workflow_opened(self, message: FlowGraph.WorkflowOpened) -> None:
        message.stop()
        self._go_to_text(message.graph.path_of_cursor)
        self._show_graph(False)

    def _go_to_text(self, path: str) -> None:
        found = next((each for each in self._spans if each.path == path), None)
        if found is not None:
            self.editor.go_to(found.start[0] + 1, found.start[1] + 1)

    def action_graph(self) -> None:
        self._show_graph(self._graph is not None and not self._graph.pane.has_focus)

    def _show_graph(self, wanted: bool) -> None:
        self.set_class(wanted, "-graph")
        if wanted and self._graph is not None:
            self.call_after_refresh(self._graph.focus)
        else:
            self.call_after_refresh(self.editor.focus)

    def action_leave(self) -> None:
        if self._graph is not None and self._graph.pane.has_focus:
            self._show_graph(False)
        else:
            super().action_leave()
