"""The document of a definition, as JSON or as YAML, and again whenever it changes."""

from __future__ import annotations

from textual.app import ComposeResult

from tui.screens.detail_pane import DetailPane, TabPane
from tui.widgets.json_view import JsonView
from tui.widgets.text_view import TextView


class JsonTab(TabPane):
    """As JSON that folds."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._view = JsonView("JSON")
        self._revision = -1

    def compose(self) -> ComposeResult:
        yield self._view

    def entered(self) -> None:
        self._view.focus()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if record is not None and record.definition.revision != self._revision:
            self._revision = record.definition.revision
            self._view.show(dict(record.document))


class YamlTab(TabPane):
    """As the YAML that `podium apply` takes."""

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._view = TextView("YAML")
        self._revision = -1

    def compose(self) -> ComposeResult:
        yield self._view

    def entered(self) -> None:
        self._view.focus()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if record is not None and record.definition.revision != self._revision:
            # Late: only whoever reads YAML waits for its writer.
            from tui.views.yaml_text import yaml_text

            self._revision = record.definition.revision
            self._view.show(yaml_text(dict(record.document)), "yaml")
