"""Filling in the console's forms as an operator does, and the definitions that tests need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Button, Input

from podium.registry.v1 import registry_pb2
from services.errors import NotFound
from tests.tui.screen import screen_text, typed, until, until_shown
from tests.tui.services import Services
from tui.clients import connected
from tui.screens.definition.form import FormPane
from tui.widgets.form import Form
from tui.widgets.form_lines import FormLines

NOTHING = {"taskReferenceName": "nothing", "name": "nothing", "type": "NOOP"}


def workflow(name: str) -> dict[str, Any]:
    return {"name": name, "version": 1, "tasks": [NOTHING]}


def application(name: str) -> dict[str, Any]:
    return {"kind": "application", "id": name}


def anybody(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    auth = {"kind": "auth", "id": name, "authenticationType": "NONE", "applicationId": name}
    return application(name), auth


def service(name: str, auth: str, *routes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": "service", "id": name, "path": f"/{name}", "authConfigId": auth,
        "routes": list(routes),
    }  # fmt: skip


def route(path: str, runs: str, method: str = "POST") -> dict[str, Any]:
    return {"httpMethod": method, "path": path, "mappedWorkflow": {"name": runs}}


async def stored(services: Services, kind: str, name: str) -> dict[str, Any]:
    async with connected(services.suite) as clients:
        answer = await clients.registry.GetDefinition(
            registry_pb2.GetDefinitionRequest(kind=kind, name=name)
        )
    document: dict[str, Any] = json.loads(answer.definition.document)
    return document


async def is_stored(services: Services, kind: str, name: str) -> bool:
    try:
        await stored(services, kind, name)
    except NotFound:
        return False
    return True


async def form_in(pilot: Pilot[Any]) -> Form:
    """The form that is shown, once it is there and has the keys."""
    await until(pilot, lambda: any(form.row is not None for form in _shown_forms(pilot)))
    await until(pilot, lambda: isinstance(pilot.app.focused, FormLines), "no form has the keys")
    # The line below the tabs is laid out last.
    await until_shown(pilot, "━╺")
    return _shown_forms(pilot)[-1]


def _shown_forms(pilot: Pilot[Any]) -> list[Form]:
    console: Any = pilot.app
    place = console.frame.place
    return list(place.query(Form)) if isinstance(place, FormPane) else []


def pane_text(pilot: Pilot[Any]) -> str:
    """What is shown between the frame's lines, which tell of other things."""
    return "\n".join(screen_text(pilot.app).splitlines()[1:-1])


def cursor_on(form: Form, *path: str | int) -> None:
    assert form.go_to(path), path


async def type_in(pilot: Pilot[Any], form: Form, path: tuple[str | int, ...], text: str) -> None:
    """Type a value, or pick one by some of its letters, as an operator does."""
    cursor_on(form, *path)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.focused, Input))
    await typed(pilot, *text, "enter")
    await until(pilot, lambda: isinstance(pilot.app.focused, FormLines))


async def saved(pilot: Pilot[Any]) -> None:
    await pilot.press("ctrl+s")
    await until_shown(pilot, "Stored → written")
    await pilot.press("enter")


async def press_button(pilot: Pilot[Any], name: str) -> None:
    button = next(each for each in pilot.app.screen.query(Button) if each.name == name)
    button.focus()
    await until(pilot, lambda: button.has_focus)
    await pilot.press("enter")
