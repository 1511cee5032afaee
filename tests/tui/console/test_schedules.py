"""Schedules in the console: listed, paused, their runs as they come."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from tests.tui.console.conftest import console_on
from tests.tui.screen import until, until_shown
from tests.tui.services import Services, put
from tui.screens.list_pane import ListPane


async def test_a_schedule_is_listed_paused_and_resumed_and_its_runs_are_shown(
    services: Services,
) -> None:
    await put(
        services,
        {"kind": "workflow", "name": "ticked", "tasks": [
            {"name": "n", "taskReferenceName": "n", "type": "NOOP"}]},
        {"kind": "schedule", "name": "ticking", "cronExpression": "* * * * * *",
         "startWorkflowRequest": {"name": "ticked"}},
    )  # fmt: skip
    async with console_on(services, "schedules", size=(160, 30)) as pilot:
        await until_shown(pilot, "ticking", "* * * * * *", "ticked", "on", "NEXT", "LAST")
        # A run takes a second to come, and is told of within three.
        await until(pilot, lambda: _stands(pilot) == ["STARTED"])

        await pilot.press("enter")
        # A run takes a second to come.
        await until_shown(pilot, "DUE (UTC)", "✔ started", "✔ completed", "read 0 s ago")

        await pilot.press("escape", "P")
        await until_shown(pilot, "paused")
        await until(pilot, lambda: _stands(pilot) == [])
        await pilot.press("u")
        await until(pilot, lambda: _stands(pilot) == ["STARTED"])


def _stands(pilot: Pilot[Any]) -> list[str]:
    """What the last runs came to of the schedules in the list that come again."""
    rows = pilot.app.screen.query_one(ListPane).all_records()
    beside = [row.beside for row in rows if row.id == "ticking" and row.beside is not None]
    return [each.outcome for each in beside if each.next_at is not None]
