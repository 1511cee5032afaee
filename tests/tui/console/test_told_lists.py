"""What the services tell of themselves: logs and audit, as it comes."""

from __future__ import annotations

from typing import Any

from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, until, until_shown
from tests.tui.services import Services, put, start
from tui.views.addresses import Address
from tui.widgets.live_table import LiveTable


async def test_what_is_logged_shows_and_opens_whole(services: Services) -> None:
    async with console_on(services, "log") as pilot:
        await until_shown(pilot, "LIVE")

        services.log("edge", "Something odd.", execution_id="e-17")

        await until_shown(pilot, "Something odd.", "! warning", "e-17")
        table = pilot.app.screen.query_one(LiveTable)
        row = next(row for row in table.view.shown() if row.message == "Something odd.")
        await until(pilot, lambda: table.put_cursor_on(row.id))
        await pilot.press("enter")
        await until_shown(pilot, '"logger": "services.edge.tests"')


async def test_who_changed_what_shows_as_it_happens(services: Services) -> None:
    nothing = {"taskReferenceName": "nothing", "name": "nothing", "type": "NOOP"}
    async with console_on(services, "audit") as pilot:
        await until_shown(pilot, "LIVE")

        await put(services, {"name": "audited", "version": 1, "tasks": [nothing]})

        await until_shown(pilot, "audited", "create", "application:admin")


async def test_what_was_done_to_an_execution_shows_the_end_of_its_id(services: Services) -> None:
    waits = {
        "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
        "inputParameters": {"duration": "600 seconds"},
    }  # fmt: skip
    await put(services, {"name": "ended-by-hand", "version": 1, "tasks": [waits]})
    id_ = await start(services, "ended-by-hand")
    async with console_on(services, "executions wf:ended-by-hand") as pilot:
        await until_shown(pilot, "● running")
        await pilot.press("t")
        await until_shown(pilot, "Terminate ended-by-hand")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "terminated")
        console: Any = pilot.app

        console.command("actions")
        await until_shown(pilot, f"podium terminate …{id_[-8:]}")
        await pilot.press("y", "c")
        await until(pilot, lambda: pilot.app.clipboard == f"podium terminate {id_}")

        console.command(f"audit name:{id_} action:terminate")
        await until(pilot, lambda: console.frame.place.address.resource == "audit")
        table = pilot.app.screen.query(LiveTable).last()
        await until(pilot, lambda: len(table.view) == 1)
        await until(pilot, lambda: f"{id_[-8:]} application:admin" in screen_text(pilot.app))


async def test_the_log_goes_on_when_a_service_is_back(own_services: Services) -> None:
    async with console_on(own_services, "log") as pilot:
        await until_shown(pilot, "LIVE")
        await own_services.stop("edge")
        own_services.log("executor", "Not alone.")
        await until_shown(pilot, "edge away", "Not alone.", "● executor", "○ edge")
        await until_shown(pilot, "RECONNECTING")

        await own_services.start("edge")
        await pilot.press("ctrl+r")
        await until_shown(pilot, "LIVE")
        own_services.log("edge", "Still here.")

        await until_shown(pilot, "Still here.")


async def test_what_a_change_made_different_shows_beside_its_entry(services: Services) -> None:
    task = {"taskReferenceName": "nothing", "name": "nothing", "type": "NOOP"}
    flow = {"name": "differing", "version": 1, "description": "As it was.", "tasks": [task]}
    await put(services, flow)
    await put(services, {**flow, "description": "As it is."})
    async with console_on(services, "audit name:differing action:change", size=(140, 40)) as pilot:
        await until_shown(pilot, "LIVE", "differing")
        table = pilot.app.screen.query_one(LiveTable)
        (row,) = table.view.shown()

        console: Any = pilot.app
        console.open(Address("audit", row.id, "change"))

        await until_shown(pilot, "As it was.", "As it is.", f"revision {row.revision}")
