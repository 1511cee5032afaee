"""Workflows written as text in the console, beside their drawing, on a real suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from podium.registry.v1 import registry_pb2
from tests.tui.console.conftest import console_on, until_listed
from tests.tui.screen import screen_text, typed, until, until_shown, until_snapshot
from tests.tui.services import Services, put
from tui.clients import connected
from tui.screens.workflow.editor import WorkflowEditorPane
from tui.widgets.document_editor import DocumentEditor
from tui.widgets.flow_graph import FlowGraph

FIRST = {"taskReferenceName": "first", "name": "first", "type": "NOOP"}
CHOOSES = {
    "taskReferenceName": "chooses", "name": "chooses", "type": "SWITCH",
    "inputParameters": {"case": "${workflow.input.case}"}, "evaluatorType": "value-param",
    "expression": "case",
    "decisionCases": {
        "yes": [{"taskReferenceName": "inner", "name": "inner", "type": "NOOP"}],
    },
}  # fmt: skip


def workflow(name: str, *tasks: dict[str, Any], version: int = 1) -> dict[str, Any]:
    return {"name": name, "version": version, "tasks": list(tasks or (FIRST,))}


async def stored(services: Services, name: str, version: int = 0) -> dict[str, Any]:
    async with connected(services.suite) as clients:
        answer = await clients.registry.GetDefinition(
            registry_pb2.GetDefinitionRequest(kind="workflow", name=name, version=version)
        )
    document: dict[str, Any] = json.loads(answer.definition.document)
    return document


def pane_in(pilot: Pilot[Any]) -> WorkflowEditorPane:
    console: Any = pilot.app
    place = console.frame.place
    assert isinstance(place, WorkflowEditorPane)
    return place


async def editing(pilot: Pilot[Any], name: str) -> DocumentEditor:
    """The editor of a workflow that is in the list."""
    await until_listed(pilot, name)
    await pilot.press("e")
    await until_shown(pilot, f"workflow {name}", "✔ fine")
    return pane_in(pilot).editor


def kept_in(state: Path) -> list[Path]:
    return list(state.glob("drafts/*.json"))


def below_the_link(pilot: Pilot[Any]) -> str:
    """The screen without its first line, which counts what other tests have running."""
    return screen_text(pilot.app).partition("\n")[2]


def replace(editor: DocumentEditor, old: str, new: str) -> None:
    """Type ``new`` where ``old`` stands."""
    assert old in editor.text
    editor.rewrite(editor.text.replace(old, new, 1))


async def test_a_new_workflow_is_typed_drawn_and_stored(services: Services) -> None:
    async with console_on(services, "workflows", size=(120, 40)) as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        await until_shown(pilot, "New workflow", '"name": ""', "first")
        await typed(pilot, *"typed-here")
        await until_shown(pilot, "✔ fine")
        await until_snapshot(pilot, "editor_new_120x40", below_the_link)

        await pilot.press("ctrl+s")
        await until_shown(pilot, "Stored → written", "Save as version 1")
        await pilot.press("enter")

        await until_shown(pilot, "workflow typed-here v1 is stored.", "workflow typed-here v1")
        assert (await stored(services, "typed-here"))["version"] == 1
        assert not pane_in(pilot).dirty
        await typed(pilot, "escape", "colon", *"actions", "enter")
        await until_shown(pilot, "Save workflow typed-here v1", "✔ done", "podium apply -")


async def test_the_drawing_follows_the_text_and_stays_while_it_cannot_be_read(
    services: Services,
) -> None:
    await put(services, workflow("drawn-beside", FIRST, CHOOSES))
    async with console_on(services, "workflows drawn-beside", size=(120, 40)) as pilot:
        editor = await editing(pilot, "drawn-beside")
        await until_shown(pilot, "chooses", "inner", "yes")

        replace(editor, '"inner"', '"deeper"')
        replace(editor, '"inner"', '"deeper"')
        graph = pilot.app.screen.query_one(FlowGraph)
        await until(pilot, lambda: "deeper" in graph.drawing.steps)  # type: ignore[union-attr]
        replace(editor, '"tasks": [', '"tasks": ,[')

        await until_shown(pilot, "Graph, as it was", "cannot be read", "1 fault: f8")
        await pilot.press("f8")
        await until_shown(pilot, "A value is missing here")
        assert graph.drawing is not None
        assert "deeper" in graph.drawing.steps
        replace(editor, '"tasks": ,[', '"tasks": [')
        await until(pilot, lambda: "as it was" not in screen_text(pilot.app))


async def test_the_cursor_is_on_the_same_task_in_text_and_drawing(services: Services) -> None:
    await put(services, workflow("both-ways", FIRST, CHOOSES))
    async with console_on(services, "workflows both-ways", size=(120, 40)) as pilot:
        editor = await editing(pilot, "both-ways")
        graph = pilot.app.screen.query_one(FlowGraph)
        rows = editor.text.split("\n")

        editor.go_to(next(n for n, row in enumerate(rows, 1) if '"inner"' in row))
        await until(pilot, lambda: graph.cursor == "inner")
        await pilot.press("f4")
        await until(pilot, lambda: graph.pane.has_focus)
        await pilot.press("g", "enter")

        await until(pilot, lambda: editor.area.has_focus)
        row = editor.area.cursor_location[0]
        assert '"first"' in rows[row + 1]


async def test_a_fault_is_marked_at_its_line_and_at_its_box(services: Services) -> None:
    await put(services, workflow("faulty", FIRST, CHOOSES))
    async with console_on(services, "workflows faulty", size=(120, 40)) as pilot:
        editor = await editing(pilot, "faulty")
        replace(editor, '"type": "NOOP"', '"type": "NOPE"')

        await until_shown(pilot, "✘ 1 fault", "! first", "1 fault: f8")
        await pilot.press("f8")
        await until_shown(pilot, "tasks[0].type")
        graph = pilot.app.screen.query_one(FlowGraph)
        await until(pilot, lambda: graph.cursor == "first")
        await until_snapshot(pilot, "editor_fault_120x40", below_the_link)
        await pilot.press("ctrl+s")
        await until_shown(pilot, "NOPE")
        assert (await stored(services, "faulty"))["tasks"][0]["type"] == "NOOP"


async def test_it_is_stored_as_the_next_version(services: Services) -> None:
    await put(services, workflow("next-one"))
    async with console_on(services, "workflows next-one", size=(80, 24)) as pilot:
        editor = await editing(pilot, "next-one")
        replace(editor, '"name": "first"', '"name": "other"')
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Save as version 1", "Save as version 2", "change 1 of 1")
        await until_shown(pilot, "^s Save")
        await until_snapshot(pilot, "editor_store_80x24", below_the_link)
        await pilot.press("right", "enter")

        await until_shown(pilot, "workflow next-one v2 is stored.")
        assert (await stored(services, "next-one", 2))["tasks"][0]["name"] == "other"
        assert (await stored(services, "next-one", 1))["tasks"][0]["name"] == "first"
        assert '"version": 2' in editor.text


async def test_a_change_by_somebody_else_is_shown_and_nothing_is_lost(services: Services) -> None:
    await put(services, workflow("contested"))
    async with console_on(services, "workflows contested", size=(120, 40)) as pilot:
        editor = await editing(pilot, "contested")
        replace(editor, '"name": "first"', '"name": "mine"')
        await put(services, {**workflow("contested"), "description": "theirs"})
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Changed meanwhile", "do not meet")

        await pilot.press("tab", "tab", "tab", "enter")
        await until(pilot, lambda: '"theirs"' in editor.text and '"mine"' in editor.text)
        await until_shown(pilot, "✔ fine")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Stored → written")
        await pilot.press("ctrl+s")

        await until_shown(pilot, "workflow contested v1 is stored.")
        document = await stored(services, "contested")
        assert document["description"] == "theirs"
        assert document["tasks"][0]["name"] == "mine"


async def test_while_the_registry_is_away_syntax_is_checked_and_the_text_is_kept(
    own_services: Services,
) -> None:
    await put(own_services, workflow("lonely"))
    async with console_on(own_services, "workflows lonely", size=(120, 40)) as pilot:
        editor = await editing(pilot, "lonely")
        await own_services.stop("registry")
        replace(editor, '"type": "NOOP"', '"type": "NOPE"')
        await until_shown(pilot, "only syntax is checked")
        replace(editor, '"tasks": [', '"tasks": ,[')
        await until_shown(pilot, "✘ cannot be read")
        await pilot.press("f8")
        await until_shown(pilot, "A value is missing here")
        replace(editor, '"tasks": ,[', '"tasks": [')
        await pilot.press("ctrl+s")
        await until_shown(pilot, "What was written is kept")

        await own_services.start("registry")

        await until_shown(pilot, "✘ 1 fault", "! first")
        replace(editor, '"NOPE"', '"NOOP"')
        replace(editor, '"name": "first"', '"name": "later"')
        await until_shown(pilot, "✔ fine")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "Stored → written")
        await pilot.press("enter")
        await until_shown(pilot, "workflow lonely v1 is stored.")


async def test_leaving_asks_and_what_was_written_outlives_a_crash(
    services: Services, tmp_path: Path
) -> None:
    await put(services, workflow("unsaved"))
    async with console_on(services, "workflows unsaved", state=tmp_path) as pilot:
        editor = await editing(pilot, "unsaved")
        replace(editor, '"name": "first"', '"name": "written"')
        await pilot.press("escape")
        await until_shown(pilot, "what was written is not stored")
        await pilot.press("escape")
        await until(pilot, lambda: bool(kept_in(tmp_path)))
    [draft] = kept_in(tmp_path)
    assert draft.stat().st_mode & 0o777 == 0o600

    async with console_on(services, "workflows unsaved", state=tmp_path) as pilot:
        await until_listed(pilot, "unsaved")
        await pilot.press("e")
        await until_shown(pilot, "Not stored", "Take it up")
        await pilot.press("tab", "enter")
        editor = pane_in(pilot).editor
        await until(pilot, lambda: '"name": "written"' in editor.text)
        assert editor.is_dirty
        await pilot.press("escape")
        await until_shown(pilot, "Drop what was written")
        await pilot.press("tab", "enter")

        await until_shown(pilot, "KINDS")
        assert not kept_in(tmp_path)


async def test_it_is_written_as_yaml_and_stored(services: Services) -> None:
    await put(services, workflow("as-yaml", FIRST, CHOOSES))
    async with console_on(services, "workflows as-yaml", size=(120, 40)) as pilot:
        editor = await editing(pilot, "as-yaml")
        await pilot.press("f2")
        await until_shown(pilot, "taskReferenceName: first", "yaml")
        assert not editor.is_dirty
        replace(editor, "name: first", "name: from-yaml")
        editor.go_to(1)
        await until_shown(pilot, "✔ fine")
        rows = editor.text.split("\n")
        editor.go_to(next(n for n, row in enumerate(rows, 1) if "name: inner" in row))
        graph = pilot.app.screen.query_one(FlowGraph)
        await until(pilot, lambda: graph.cursor == "inner")

        await pilot.press("ctrl+s")
        await until_shown(pilot, "Stored → written")
        await pilot.press("enter")
        await until_shown(pilot, "workflow as-yaml v1 is stored.")
        assert (await stored(services, "as-yaml"))["tasks"][0]["name"] == "from-yaml"


async def test_what_may_come_is_offered_from_what_there_is(services: Services) -> None:
    await put(services, workflow("foreseen-one"), {**workflow("offers"), "failureWorkflow": ""})
    async with console_on(services, "workflows offers", size=(120, 40)) as pilot:
        editor = await editing(pilot, "offers")
        rows = editor.text.split("\n")
        row = next(n for n, each in enumerate(rows, 1) if "failureWorkflow" in each)
        editor.go_to(row, rows[row - 1].index('""') + 2)
        await typed(pilot, *"foreseen")
        await until_shown(pilot, "workflow that there is")
        await pilot.press("enter")
        assert '"failureWorkflow": "foreseen-one"' in editor.text


async def test_a_document_of_300_tasks_is_typed_in_without_waiting(services: Services) -> None:
    tasks = [{**FIRST, "taskReferenceName": f"task{n}", "name": f"task{n}"} for n in range(300)]
    await put(services, workflow("of-300", *tasks))
    async with console_on(services, "workflows of-300", size=(80, 24)) as pilot:
        editor = await editing(pilot, "of-300")
        editor.go_to(1_000)
        await pilot.press("end", *" " * 20)
        assert editor.is_dirty
        await until_shown(pilot, "✔ fine")
        await pilot.press("f4")
        graph = pilot.app.screen.query_one(FlowGraph)
        await until(pilot, lambda: graph.pane.has_focus and graph.cursor == "task198")
        await pilot.press("escape")
        await until(pilot, lambda: editor.area.has_focus)
        await until_shown(pilot, "task198")


async def test_the_drawing_takes_keys_and_clicks_and_the_text_follows(services: Services) -> None:
    last = {**FIRST, "taskReferenceName": "last", "name": "last"}
    await put(services, workflow("beside", FIRST, last))
    async with console_on(services, "workflows beside", size=(120, 40)) as pilot:
        editor = await editing(pilot, "beside")
        graph = pilot.app.screen.query_one(FlowGraph)

        def row_of(name: str) -> int:
            rows = editor.text.split("\n")
            return next(n for n, row in enumerate(rows) if f'"name": "{name}"' in row)

        def follows(name: str) -> bool:
            return graph.cursor == name and row_of(name) - 3 < editor.area.cursor_location[0] < (
                row_of(name) + 3
            )

        for there, back in (("shift+tab", "tab"), ("f4", "f4"), ("alt+g", "escape")):
            await pilot.press(there)
            await until(pilot, lambda: graph.pane.has_focus, there)
            await pilot.press("down")
            await until(pilot, lambda: follows("last"))
            await pilot.press("up")
            await until(pilot, lambda: follows("first"))
            await pilot.press(back)
            await until(pilot, lambda: editor.area.has_focus, back)

        rows = screen_text(pilot.app).split("\n")
        (place,) = [(row.index(" last "), n) for n, row in enumerate(rows) if " last " in row]
        await pilot.click(offset=place)
        await until(pilot, lambda: graph.pane.has_focus and follows("last"))
