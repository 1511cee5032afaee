"""Others' text in viewers, graphs and forms never reaches the terminal as something to obey."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.widget import Widget

from tests.tui.screen import screen_text
from tui.views.forms.fields import form_of
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.flow_graph import FlowGraph
from tui.widgets.form import Form
from tui.widgets.json_view import JsonView
from tui.widgets.link import Link
from tui.widgets.text_view import TextView

# A terminal takes the first of it as its own title.
EVIL = "\x1b]2;evil\x07\x9b31m\u202e\u2028\n\t"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
TASKS = [
    {"taskReferenceName": EVIL, "type": EVIL},
    {"taskReferenceName": f"s{EVIL}", "type": "SWITCH", "expression": EVIL, "decisionCases": {
        EVIL: [{"taskReferenceName": f"in{EVIL}", "type": "SUB_WORKFLOW",
                "subWorkflowParam": {"name": EVIL}}]}},
]  # fmt: skip
FIELDS = {
    EVIL: {"type": "string", "title": EVIL, "description": EVIL, "default": EVIL},
    f"z{EVIL}": {"type": "string", "enum": [EVIL, "b"]},
}


def graph() -> FlowGraph:
    shown = FlowGraph(EVIL)
    shown.show({"name": EVIL, "tasks": TASKS}, title=EVIL)
    shown.show_faults({"tasks[0]": EVIL})
    return shown


def form() -> Form:
    made = form_of({"type": "object", "properties": FIELDS, "required": [f"z{EVIL}"]})
    return Form(made, {EVIL: EVIL})


class Shown(App[None]):
    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self._widget = widget

    def compose(self) -> ComposeResult:
        yield self._widget


@pytest.mark.parametrize(
    ("make", "show", "keys"),
    [
        (JsonView, lambda view: view.show({EVIL: {EVIL: EVIL}}, EVIL),
         ("j", "j", "y", "p", "slash", "e", "enter", "n")),
        (TextView, lambda view: view.show(f"{EVIL}abc", title=EVIL), ("j", "y", "l", "W")),
        (graph, lambda view: None, ("j", "j", "y", "slash", "e", "enter", "n", "Z")),
        (form, lambda view: view.refuse([(f"a.{EVIL}", EVIL), ("", EVIL)]),
         ("down", "down", "enter", "escape", "ctrl+s")),
        (DocumentEditor, lambda view: (view.load("{}", "json"), view.tell(EVIL)), ()),
        (Link, lambda view: view.lead(EVIL, EVIL), ()),
    ],
)  # fmt: skip
async def test_nothing_is_shown_that_a_terminal_obeys(
    make: Callable[[], Widget], show: Callable[[Any], None], keys: tuple[str, ...]
) -> None:
    app = Shown(make())
    async with app.run_test(size=(80, 24)) as pilot:
        widget = app._widget
        show(widget)
        widget.focus()
        await pilot.pause()
        for key in ("", *keys):
            if key:
                await pilot.press(key)
            await pilot.pause()

            assert not OBEYED.findall(screen_text(app)), key
