"""A sample beside a schema, judged by the registry as it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Tabs

from podium.registry.v1 import registry_pb2 as pb
from services.errors import Overloaded, ServiceError
from services.home import HomeUnusable
from services.json_example import example
from services.json_text import DocumentError, parse_json
from tui.live import putting
from tui.screens.detail_pane import DetailPane, TabPane
from tui.views.editing import placed_faults
from tui.views.faults import PlacedFault
from tui.views.forms.documents import read_path, written
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.json_view import JsonView
from tui.widgets.working import begin

WIDE = 110
# The registry is away, or judges many others just now.
AGAIN_SECONDS = 2.0


class SampleTab(TabPane):
    """An editor with a sample, which begins as one that the schema's author may have meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "generate", "Generate", id="sample.generate",
                tooltip="Make a sample from the schema, in place of what is written"),
        Binding("escape", "leave", "To the tabs", id="sample.leave", show=False,
                tooltip="From the editor to the tabs"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    SampleTab JsonView { width: 1fr; }
    SampleTab DocumentEditor { width: 1fr; }
    """

    def __init__(self, detail: DetailPane) -> None:
        super().__init__(detail)
        self._schema = JsonView("Schema")
        self._editor = DocumentEditor("Sample")
        self._revision = -1
        self._begun = False
        self._again: Timer | None = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self._editor
            yield self._schema

    def on_resize(self) -> None:
        self._schema.display = self.size.width >= WIDE

    def entered(self) -> None:
        self._editor.focus()

    def flush(self, now: float) -> None:
        record = self.detail.record
        if record is None or record.definition.revision == self._revision:
            return
        self._revision = record.definition.revision
        self._schema.show(self._data())
        if not self._begun:
            self._begun = True
            self.action_generate()
        self._check()

    def _data(self) -> Mapping[str, Any]:
        data = self.detail.record.get("data", {}) if self.detail.record is not None else {}
        return data if isinstance(data, dict) else {}

    def action_generate(self) -> None:
        made = json.dumps(example(self._data()), indent=2, ensure_ascii=False)
        self._editor.load(made, "json")
        self._check()

    def action_leave(self) -> None:
        self.detail.query_one(Tabs).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "leave" or self._editor.has_focus_within

    def on_document_editor_changed(self, message: DocumentEditor.Changed) -> None:
        message.stop()
        self._check()

    def on_document_editor_save_requested(self, message: DocumentEditor.SaveRequested) -> None:
        message.stop()
        self._editor.tell("A sample is stored nowhere: it is judged as you write it.")

    def _check(self) -> None:
        if self._again is not None:
            self._again.stop()
            self._again = None
        text = self._editor.text
        try:
            parse_json(text)
        except DocumentError:
            # The editor itself says why.
            self._editor.border_title = "Sample · cannot be read"
            return
        begin(self, partial(self._judge, text), "judge", exclusive=True)

    async def _judge(self, text: str) -> None:
        record = self.detail.record
        if record is None:
            return
        request = pb.CheckSampleRequest(
            schema_name=record.id, schema_version=record.version, sample=text
        )
        try:
            answer = await putting.called(
                self.console.session.connection,
                lambda each: each.registry.CheckSample(request, timeout=putting.CALL_SECONDS),
            )
        except (ServiceError, HomeUnusable) as error:
            self._editor.border_title = "Sample · not judged yet"
            self._editor.tell(error.detail if isinstance(error, ServiceError) else str(error))
            if isinstance(error, (*putting.AWAY, Overloaded)):
                self._again = self.set_timer(AGAIN_SECONDS, self._check)
            return
        if text == self._editor.text:
            self._tell(text, answer)

    def _tell(self, text: str, answer: pb.CheckSampleResponse) -> None:
        faults = [
            PlacedFault("", written(read_path(each.pointer)), each.detail) for each in answer.faults
        ]
        self._editor.show_faults(placed_faults(text, "json", faults))
        many = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
        self._editor.border_title = f"Sample · ✘ {many}" if faults else "Sample · ✔ valid"
