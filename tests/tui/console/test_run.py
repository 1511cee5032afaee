"""Starting a workflow from the console."""

from __future__ import annotations

from tests.tui.console.conftest import console_on
from tests.tui.screen import until, until_shown
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

        await pilot.press("colon", *"actions", "enter")

        await until_shown(pilot, "Run logged-run", "podium run logged-run --input", "✔ done")
