"""The data of an execution: what it was given, what it gave, variables, and that of each task."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult

from tui.screens.detail_pane import DetailPane
from tui.screens.execution.tab import ExecutionTab
from tui.widgets.json_view import JsonView
from tui.widgets.titles import as_title

_OWN = ("input", "output", "variables", "reasonForIncompletion")


class DataTab(ExecutionTab):
    """Foldable JSON, read again as the execution goes on."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._view = JsonView("Data")
        self._document: dict[str, Any] | None = None

    def compose(self) -> ComposeResult:
        yield self._view

    def entered(self) -> None:
        self._view.focus()

    def show(self, now: float) -> None:
        facts = self.facts
        if facts.problem:
            self._view.border_subtitle = as_title(facts.problem)
        if facts.document is not None and facts.document is not self._document:
            self._document = facts.document
            self._view.show(data_of(facts.document))


def data_of(document: dict[str, Any]) -> dict[str, Any]:
    """The documents in it: the execution's own, then those of its tasks by reference name."""
    own = {name: document[name] for name in _OWN if document.get(name) not in (None, "")}
    tasks = document.get("tasks")
    return own | {
        "tasks": {
            str(task.get("referenceTaskName")): {
                "input": task.get("inputData"),
                "output": task.get("outputData"),
            }
            for task in (tasks if isinstance(tasks, list) else ())
        }
    }
