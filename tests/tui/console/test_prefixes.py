"""Going on from what is shown: by the beginning of an id, and back to where one came from."""

from __future__ import annotations

from typing import Any

from tests.tui.console.conftest import console_on
from tests.tui.screen import typed, until, until_shown
from tests.tui.services import Services, put, start

WAITS = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip


async def test_a_row_that_the_graph_opened_leads_back_to_it(services: Services) -> None:
    await put(services, {"name": "by-beginning", "version": 1, "tasks": [WAITS]})
    id_ = await start(services, "by-beginning")
    async with console_on(services, "executions wf:by-beginning") as pilot:
        await until_shown(pilot, "● running")
        frame: Any = pilot.app.screen

        await typed(pilot, "colon", *f"executions/{id_[:13]}/graph", "enter")
        await until(pilot, lambda: str(frame.place.address) == f"executions/{id_}/graph")
        await until_shown(pilot, "hold  WAIT  in progress")
        await pilot.press("enter")
        await until(pilot, lambda: frame.place.tab == "timeline")
        await pilot.press("escape")
        await until(pilot, lambda: frame.place.tab == "graph")
        await pilot.press("escape")
        await until(pilot, lambda: str(frame.place.address) == "executions wf:by-beginning")
