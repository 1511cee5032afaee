"""Values of a call that are written in an editor: the body as JSON, a long text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.json_text import parse_json
from tui.screens.write import EditScreen
from tui.views.editing import Language
from tui.views.json_values import json_text
from tui.widgets.form import Form

if TYPE_CHECKING:
    from tui.app import Console

BODY = ("body",)
_WITHOUT_BODY = ("GET", "HEAD", "DELETE")


async def write_body(console: Console, form: Form, method: str) -> None:
    """Write the body of the form's call as JSON; none of it is left where nothing is written."""
    if method in _WITHOUT_BODY:
        console.tell(f"{method} has no body.", "information")
        return
    document = form.document if isinstance(form.document, dict) else {}
    before = json_text(document["body"]) if "body" in document else ""
    text = await console.push_screen_wait(EditScreen("Body", before, "json"))
    if text is None:
        return
    rest = {name: value for name, value in document.items() if name != "body"}
    form.load({**rest, "body": parse_json(text)} if text.strip() else rest)


async def write_value(console: Console, asked: Form.ScriptEditRequested) -> None:
    """Write a value of the form in an editor."""
    title = ".".join(map(str, asked.path))
    language: Language = "json" if asked.language == "json" else "text"
    text = await console.push_screen_wait(EditScreen(title, asked.text, language))
    if text is not None:
        asked.form.put_text(asked.path, text)
