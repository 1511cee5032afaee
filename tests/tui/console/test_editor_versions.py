"""The versions of a workflow in the console, and definitions as text, on a real suite."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from textual.pilot import Pilot

from podium.registry.v1 import registry_pb2
from services.errors import NotFound
from services.rpc import raising_ours
from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, until, until_shown, until_snapshot
from tests.tui.services import Services, put, start
from tui.clients import connected
from tui.screens.definition.editor import DefinitionEditorPane
from tui.widgets.diff_view import DiffView
from tui.widgets.live_table import LiveTable

HOLD = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip


def workflow(name: str, version: int, *refs: str) -> dict[str, Any]:
    tasks = [{"taskReferenceName": ref, "name": ref, "type": "NOOP"} for ref in refs]
    return {"name": name, "version": version, "tasks": [*tasks, HOLD]}


async def stored(services: Services, kind: str, name: str, version: int = 0) -> dict[str, Any]:
    async with connected(services.suite) as clients:
        with raising_ours():
            answer = await clients.registry.GetDefinition(
                registry_pb2.GetDefinitionRequest(kind=kind, name=name, version=version)
            )
    document: dict[str, Any] = json.loads(answer.definition.document)
    return document


def table_in(pilot: Pilot[Any]) -> LiveTable:
    """The table of versions."""
    return next(
        each for each in pilot.app.screen.query(LiveTable) if each.border_title == "Versions"
    )


async def test_every_version_is_shown_with_what_runs_it(services: Services) -> None:
    await put(
        services, workflow("of-three", 1, "one"), workflow("of-three", 2, "two"),
        workflow("of-three", 3, "three"),
    )  # fmt: skip
    await start(services, "of-three", workflow_version=2)
    await start(services, "of-three", workflow_version=2)
    async with console_on(services, "workflows/of-three/versions", size=(120, 40)) as pilot:
        await until_shown(pilot, "of-three v3", "three", "latest")
        await until(pilot, lambda: any(re.search(r"│ +2 +2 \d{4}", row) for row in _rows(pilot)))

        await pilot.press("j")
        await until_shown(pilot, "of-three v2", "two")
        await pilot.press("t")
        await until_shown(pilot, '"taskReferenceName": "two"')


def _timeless(pilot: Pilot[Any]) -> str:
    """The screen without what other tests have running, and without what is of this run alone."""
    text = screen_text(pilot.app).partition("\n")[2]
    dated = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-01-31 12:00:00", text)
    return re.sub(r"[0-9a-f]{10,}", lambda found: "e" * len(found[0]), dated)


def _rows(pilot: Pilot[Any]) -> list[str]:
    return screen_text(pilot.app).split("\n")


async def test_two_versions_are_compared(services: Services) -> None:
    await put(services, *(workflow("differs", n, f"ref{n}") for n in (1, 2, 3)))
    async with console_on(services, "workflows/differs/versions", size=(120, 40)) as pilot:
        await until_shown(pilot, "differs v3")
        await pilot.press("D")
        await until_shown(pilot, "v2 → v3", '"ref2"', '"ref3"')
        await pilot.press("escape", "space", "G", "space", "D")
        await until_shown(pilot, "v1 → v3", '"ref1"', '"ref3"')
        diff = pilot.app.screen.query_one(DiffView)
        await until(pilot, lambda: diff.changes > 0)
        await until_snapshot(pilot, "editor_versions_diff_120x40", _timeless)


async def test_one_version_is_deleted_once_that_is_confirmed(services: Services) -> None:
    await put(services, workflow("shrinks", 1, "a"), workflow("shrinks", 2, "b"))
    async with console_on(services, "workflows/shrinks/versions", size=(80, 24)) as pilot:
        await until_shown(pilot, "shrinks v2")
        await pilot.press("d")
        await until_shown(pilot, "Version 2 of workflow shrinks", "It is the latest")
        await pilot.press("escape")
        assert (await stored(services, "workflow", "shrinks"))["version"] == 2
        await pilot.press("d")
        await until_shown(pilot, "Cancel")
        await pilot.press("ctrl+s")

        await until(pilot, lambda: len(table_in(pilot).view) == 1)
        await until_shown(pilot, "shrinks v1")
        with pytest.raises(NotFound):
            await stored(services, "workflow", "shrinks", 2)
        assert (await stored(services, "workflow", "shrinks"))["version"] == 1


async def test_an_old_version_is_edited_and_confirmed_by_the_stream(services: Services) -> None:
    await put(services, workflow("old-one", 1, "a"), workflow("old-one", 2, "b"))
    async with console_on(services, "workflows/old-one/versions", size=(120, 40)) as pilot:
        await until_shown(pilot, "old-one v2")
        await pilot.press("G", "e")
        await until_shown(pilot, "workflow old-one v1", "✔ fine")
        editor = _editor(pilot)
        editor.rewrite(editor.text.replace('"name": "a"', '"name": "changed"'))
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Save as version 1", "Save as version 3")
        await pilot.press("ctrl+s")

        await until_shown(pilot, "workflow old-one v1 is stored.")
        assert (await stored(services, "workflow", "old-one", 1))["tasks"][0]["name"] == "changed"
        # Nobody else wrote: what is stored now is what is written on from.
        editor.rewrite(editor.text.replace('"name": "changed"', '"name": "again"'))
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Save as version 1")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not editor.is_dirty)
        assert (await stored(services, "workflow", "old-one", 1))["tasks"][0]["name"] == "again"


def _editor(pilot: Pilot[Any]) -> Any:
    console: Any = pilot.app
    assert isinstance(console.frame.place, DefinitionEditorPane)
    return console.frame.place.editor


async def test_history_shows_what_a_revision_changed_side_by_side(services: Services) -> None:
    await put(services, workflow("historic", 1, "before"))
    await put(services, workflow("historic", 1, "after"))
    async with console_on(services, "workflows/historic/history", size=(140, 40)) as pilot:
        await until_shown(pilot, "Revisions", "Change", '"before"', '"after"')
        await until(pilot, lambda: any(_has_both(row) for row in _rows(pilot)))


def _has_both(row: str) -> bool:
    return "- " in row and '"name": "before"' in row and '"name": "after"' in row


async def test_a_schema_is_edited_as_text(services: Services) -> None:
    await put(
        services,
        {"kind": "schema", "name": "as-text", "version": 1, "type": "JSON",
         "data": {"type": "object"}},
    )  # fmt: skip
    async with console_on(services, "schemas as-text", size=(80, 24)) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.cursor_id == "as-text")
        await pilot.press("E")
        await until_shown(pilot, "schema as-text v1", "✔ fine")
        editor = _editor(pilot)
        editor.rewrite(editor.text.replace('"kind": "schema"', '"kind": "task"'))
        await until_shown(pilot, "2!")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "is not schema")
        text = editor.text.replace('"kind": "task"', '"kind": "schema"')
        editor.rewrite(text.replace('"type": "object"', '"type": "array"'))
        await until_shown(pilot, "✔ fine")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Save as version 1")
        await pilot.press("ctrl+s")

        await until_shown(pilot, "schema as-text v1 is stored.")
        assert (await stored(services, "schema", "as-text"))["data"] == {"type": "array"}
