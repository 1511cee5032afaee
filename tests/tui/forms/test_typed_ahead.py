"""Keys that come together are done one after the other, each where the one before has led."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events
from textual.app import ComposeResult
from textual.pilot import Pilot

from services.json_text import Json
from tests.tui.forms.schemas import object_of
from tests.tui.screen import until
from tui.views.forms.fields import form_of
from tui.widgets.form import Form
from tui.widgets.form_lines import FormLines
from tui.widgets.ordered_keys import OrderedKeys

NAMES = {"workflow": ("invoice", "order")}
TEXT: dict[str, Any] = {"type": "string"}
COLOUR = {"type": "string", "enum": ["red", "green", "blue"]}


class Shown(OrderedKeys[None]):
    def compose(self) -> ComposeResult:
        yield Form(
            form_of(object_of(first=TEXT, second=TEXT, colour=COLOUR, last=TEXT)), names=NAMES
        )

    def on_mount(self) -> None:
        self.query_one(Form).focus()


def typed(pilot: Pilot[None], *keys: str) -> None:
    """All keys at once, as a terminal gives what was typed while it was slow."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        # All of these letters are keys of the form, too.
        (["enter", *"jxkd", "enter"], {"first": "jxkd"}),
        (["enter", *"jx", "enter", "down", "enter", *"kd", "enter"],
         {"first": "jx", "second": "kd"}),
        (["enter", *"jx", "tab", *"kd", "tab", *"gre", "tab", *"end", "enter"],
         {"first": "jx", "second": "kd", "colour": "green", "last": "end"}),
        (["down", "down", "enter", *"blu", "enter", "down", "enter", *"dd", "enter"],
         {"colour": "blue", "last": "dd"}),
        (["enter", *"jx", "escape", "down", "enter", *"c", "enter"], {"second": "c"}),
        (["down", "down", "enter", "down", "down", "enter"], {"colour": "blue"}),
        (["down", "down", "enter", "escape", "down", "enter", "y", "enter"], {"last": "y"}),
    ],
)  # fmt: skip
async def test_what_is_typed_at_once_is_what_is_typed_slowly(
    keys: list[str], wanted: dict[str, Json]
) -> None:
    app = Shown()
    async with app.run_test() as pilot:
        form = app.query_one(Form)
        await until(pilot, lambda: isinstance(app.focused, FormLines))

        typed(pilot, *keys)

        await until(pilot, lambda: form.document == wanted, str(wanted))
        await until(pilot, lambda: isinstance(app.focused, FormLines))
        await until(pilot, lambda: not app.query("FieldInput, Picker"))
