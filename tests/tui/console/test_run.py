"""Starting a workflow from the console."""

from __future__ import annotations

from typing import Any

from tests.tui.console.conftest import console_on
from tests.tui.screen import typed, until, until_shown
from tests.tui.services import Services, put
from tui.widgets.form_lines import FormLines

ADDS = {
    "taskReferenceName": "adds", "name": "adds", "type": "INLINE",
    "inputParameters": {
        "evaluatorType": "javascript", "expression": "$.a + 1", "a": "${workflow.input.a}",
    },
}  # fmt: skip


async def test_a_form_from_the_names_of_its_input_starts_it_and_shows_it_run(
    services: Services,
) -> None:
    await put(
        services,
        {"name": "by-form", "version": 1, "inputParameters": ["a"], "tasks": [ADDS]},
    )
    async with console_on(services, "workflows by-form", size=(80, 24)) as pilot:
        await until_shown(pilot, "LIVE", "by-form")

        await pilot.press("x")
        await until_shown(pilot, "Run by-form", "correlationId", "[ Run ]")
        await until(pilot, lambda: isinstance(pilot.app.focused, FormLines))
        await pilot.press("enter", *"41", "enter", "ctrl+s")

        await until_shown(pilot, "✔ adds", "completed")
        await pilot.press("3")
        await until_shown(pilot, '"result": 42')


async def test_what_was_run_is_in_the_log_as_a_command(services: Services) -> None:
    await put(services, {"name": "logged-run", "version": 1, "tasks": [ADDS]})
    async with console_on(services, "workflows logged-run") as pilot:
        await until_shown(pilot, "LIVE", "logged-run")
        await pilot.press("x")
        await until_shown(pilot, "Run logged-run")
        await until(pilot, lambda: isinstance(pilot.app.focused, FormLines))
        await pilot.press("ctrl+s")
        await until_shown(pilot, "✔ adds")

        await typed(pilot, "colon", *"actions", "enter")

        await until_shown(pilot, "Run logged-run", "podium run logged-run --input", "✔ done")


async def test_whoever_comes_back_and_runs_it_again_has_another_execution(
    services: Services,
) -> None:
    await put(services, {"name": "run-twice", "version": 1, "tasks": [ADDS]})
    async with console_on(services, "workflows run-twice") as pilot:
        console: Any = pilot.app
        await until_shown(pilot, "LIVE", "run-twice")
        await pilot.press("x")
        await until_shown(pilot, "Run run-twice")
        await until(pilot, lambda: isinstance(pilot.app.focused, FormLines))
        await pilot.press("ctrl+s")
        await until_shown(pilot, "✔ adds")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.focused, FormLines))

        await pilot.press("ctrl+s", "ctrl+s")

        def begun() -> set[str]:
            entries = console.session.log.collection.records.values()
            return {each.detail for each in entries if each.title == "Run run-twice"}

        await until(pilot, lambda: len(begun() - {""}) == 2, f"{begun()}")
        await until_shown(pilot, "✔ adds")
