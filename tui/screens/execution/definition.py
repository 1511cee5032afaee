"""The definition that an execution runs: its own snapshot, whatever the registry has by now."""

from __future__ import annotations

from textual.app import ComposeResult

from tui.screens.detail_pane import DetailPane
from tui.screens.execution.tab import ExecutionTab
from tui.widgets.json_view import JsonView


class DefinitionTab(ExecutionTab):
    """As JSON that folds."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._view = JsonView("Definition")

    def compose(self) -> ComposeResult:
        yield self._view

    def entered(self) -> None:
        self._view.focus()

    def show(self, now: float) -> None:
        if (definition := self.new_definition()) is not None:
            self._view.show(dict(definition))
