"""Going on from what is shown: by a part of an id, and back to where one came from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.console.conftest import console_on
from tests.tui.screen import typed, until, until_shown
from tests.tui.services import Services, put, start
from tui.widgets.command_line import Candidates

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


@pytest.mark.parametrize("mark", ["", "\N{HORIZONTAL ELLIPSIS}"])
async def test_the_end_of_an_id_opens_it(services: Services, mark: str) -> None:
    await put(services, {"name": "by-end", "version": 1, "tasks": [WAITS]})
    id_ = await start(services, "by-end")
    await start(services, "by-end")
    async with console_on(services, "executions wf:by-end") as pilot:
        await until_shown(pilot, "● running")
        frame: Any = pilot.app.screen

        console: Any = pilot.app
        console.command(f"executions/{mark}{id_[26:]}/graph")

        await until(pilot, lambda: str(frame.place.address) == f"executions/{id_}/graph")
        await until_shown(pilot, "hold  WAIT  in progress")


async def test_a_console_that_begins_with_the_end_of_an_id_comes_to_it(services: Services) -> None:
    await put(services, {"name": "first-by-end", "version": 1, "tasks": [WAITS]})
    id_ = await start(services, "first-by-end")
    first = f"executions/\N{HORIZONTAL ELLIPSIS}{id_[26:]}/graph"
    async with console_on(services, first) as pilot:
        frame: Any = pilot.app.screen

        await until(pilot, lambda: str(frame.place.address) == f"executions/{id_}/graph")

        await until_shown(pilot, "hold  WAIT  in progress")
        assert frame.earlier_address is None


async def test_enter_opens_the_only_one_that_is_offered(services: Services) -> None:
    await put(services, {"name": "offered-alone", "version": 1, "tasks": [WAITS]})
    id_ = await start(services, "offered-alone")
    async with console_on(services, "executions wf:offered-alone") as pilot:
        await until_shown(pilot, "● running")
        frame: Any = pilot.app.screen

        await typed(pilot, "colon", *f"executions/{id_[25:35]}")
        await until(
            pilot,
            lambda: [each.text for each in frame.query_one(Candidates).candidates] == [id_],
        )
        await pilot.press("enter")

        await until(pilot, lambda: str(frame.place.address) == f"executions/{id_}/timeline")


async def test_of_several_that_end_so_it_is_said_how_many(services: Services) -> None:
    ids = [f"{number}ab5e0ff-386d-4d00-8000-c0ffee5eed00" for number in (1, 2)]
    await put(services, {"name": "end-alike", "version": 1, "tasks": [WAITS]})
    for id_ in ids:
        await start(services, "end-alike", execution_id=id_)
    async with console_on(services, "executions wf:end-alike") as pilot:
        await until_shown(pilot, "● running")
        frame: Any = pilot.app.screen

        console: Any = pilot.app
        console.command("executions/\N{HORIZONTAL ELLIPSIS}5eed00")

        await until(pilot, lambda: str(frame.place.address) == "executions id:*5eed00")
        await until_shown(pilot, "2 end with \N{HORIZONTAL ELLIPSIS}5eed00.")
        await until(pilot, lambda: set(frame.place.table.view.ids()) == set(ids))


async def test_the_newest_executions_are_offered_first(services: Services) -> None:
    await put(services, {"name": "offered-newest", "version": 1, "tasks": [WAITS]})
    before = [await start(services, "offered-newest") for _ in range(3)]
    async with console_on(services, "executions wf:offered-newest") as pilot:
        await until_shown(pilot, "● running")
        frame: Any = pilot.app.screen
        newest = await start(services, "offered-newest")
        await until(pilot, lambda: frame.place.table.put_cursor_on(newest))

        await typed(pilot, "colon", *"executions/")

        await until(pilot, lambda: bool(frame.query_one(Candidates).candidates))
        offered = [each.text for each in frame.query_one(Candidates).candidates]
        assert offered[:4] == [newest, *reversed(before)]
