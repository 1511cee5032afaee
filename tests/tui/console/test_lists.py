"""The list of executions, as it happens, on a real suite."""

from __future__ import annotations

from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, typed, until, until_shown
from tests.tui.services import Services, put, start
from tui.widgets.live_table import LiveTable

WAITS = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip
QUICK = {"taskReferenceName": "nothing", "name": "nothing", "type": "NOOP"}


async def test_an_execution_shows_as_soon_as_it_is_started(services: Services) -> None:
    await put(services, {"name": "seen-at-once", "version": 1, "tasks": [WAITS]})
    async with console_on(services) as pilot:
        await until_shown(pilot, "LIVE")

        await start(services, "seen-at-once")

        await until_shown(pilot, "seen-at-once", "● running", "hold")


async def test_what_is_terminated_shows_so_when_the_stream_says_so(services: Services) -> None:
    await put(services, {"name": "to-terminate", "version": 1, "tasks": [WAITS]})
    id_ = await start(services, "to-terminate")
    async with console_on(services) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on(id_))

        await pilot.press("t")
        await until_shown(pilot, "Cancel")
        await pilot.press("ctrl+s")

        await until_shown(pilot, "⊘ terminated")


async def test_a_sign_and_what_is_typed_right_behind_it_are_no_keys_of_the_list(
    services: Services,
) -> None:
    await put(services, {"name": "typed-ahead", "version": 1, "tasks": [WAITS]})
    id_ = await start(services, "typed-ahead")
    async with console_on(services) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on(id_))

        await typed(pilot, "slash", *"typed-ahead", "enter")

        await until(pilot, lambda: len(table.view) == 1)
        assert "● running" in screen_text(pilot.app)


async def test_cursor_and_marks_outlive_a_restart_of_the_executor(own_services: Services) -> None:
    await put(own_services, {"name": "stays", "version": 1, "tasks": [WAITS]})
    first, second = [await start(own_services, "stays") for _ in range(2)]
    async with console_on(own_services) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on(first))
        await pilot.press("space")
        await pilot.press("up")

        await own_services.stop("executor")
        await until_shown(pilot, "RECONNECTING", "● running")
        await own_services.start("executor")
        await pilot.press("ctrl+r")
        await until_shown(pilot, "LIVE")

        assert table.marks == {first}
        assert table.cursor_id == second
        assert len(table.view) == 2
