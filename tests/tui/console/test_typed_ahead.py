"""Keys that come faster than the screen changes are never for what one does not look at."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from podium.executor.v1 import executor_pb2
from tests.tui.console.conftest import console_on
from tests.tui.screen import burst, until, until_shown
from tests.tui.services import Services, put, start
from tui.clients import connected
from tui.views.addresses import Address
from tui.widgets.code_area import CodeArea
from tui.widgets.command_line import CommandLine
from tui.widgets.live_table import LiveTable

WAITS = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip
RUNNING = executor_pb2.EXECUTION_STATUS_RUNNING


async def _started(services: Services, workflow: str) -> str:
    await put(services, {"name": workflow, "version": 1, "tasks": [WAITS]})
    return await start(services, workflow)


async def _status(services: Services, id_: str) -> int:
    async with connected(services.suite) as clients:
        request = executor_pb2.GetExecutionRequest(execution_id=id_)
        return int((await clients.executor.GetExecution(request)).state.status)


def _nothing_sent(pilot: Pilot[Any]) -> bool:
    console: Any = pilot.app
    return not console.session.log.collection.records


async def test_a_deed_typed_behind_a_filter_is_not_for_a_row_that_it_hides(
    services: Services,
) -> None:
    await _started(services, "ahead-shown")
    hidden = await _started(services, "ahead-hidden")
    async with console_on(services, "executions wf:ahead-*") as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on(hidden))
        console: Any = pilot.app
        console.frame.place.filter("wf:ahead-shown")

        # Nothing was flushed since.
        console.frame.place.action_act("executions.pause")

        await until(pilot, lambda: not _nothing_sent(pilot))
        assert await _status(services, hidden) == RUNNING


async def test_enter_holds_for_what_was_typed_before_it(services: Services) -> None:
    id_ = await _started(services, "ahead-entered")
    async with console_on(services, "executions wf:ahead-entered") as pilot:
        await until_shown(pilot, "● running")

        burst(pilot.app, "colon", *"actions", "enter", "P")

        await until_shown(pilot, "COMMAND")
        assert await _status(services, id_) == RUNNING


async def test_a_deed_typed_behind_a_command_is_not_for_the_place_that_is_left(
    services: Services,
) -> None:
    await _started(services, "ahead-left")
    async with console_on(services, "executions wf:ahead-left") as pilot:
        await until_shown(pilot, "● running")
        console: Any = pilot.app
        console.command("actions")

        burst(pilot.app, "P")

        await until_shown(pilot, "COMMAND")
        assert _nothing_sent(pilot)
        await until(pilot, lambda: pilot.app.screen.query(LiveTable).last().has_focus)


async def test_a_place_that_is_ready_late_takes_no_keys_from_the_open_line(
    services: Services,
) -> None:
    id_ = await _started(services, "ahead-late")
    async with console_on(services, "executions wf:ahead-late") as pilot:
        await until_shown(pilot, "● running")
        console: Any = pilot.app
        line = pilot.app.screen.query_one(CommandLine)
        console.open(Address("executions", id_))
        await asyncio.sleep(0)

        burst(pilot.app, "colon", *"act")

        await until_shown(pilot, "Timeline")
        await until(pilot, lambda: line.text == "act")
        assert isinstance(pilot.app.focused, Input)
        await pilot.press("escape")
        await until(pilot, lambda: console.frame.place in (pilot.app.focused or line).ancestors)


async def test_places_gone_to_at_once_are_shown_one_after_the_other(services: Services) -> None:
    async with console_on(services) as pilot:
        await until_shown(pilot, "LIVE")
        console: Any = pilot.app
        for place in ("workflows", "actions", "keys"):
            console.command(place)

        await until(pilot, lambda: console.frame.place.address == Address("keys"))
        shown = [
            each.address.resource for each in console.frame.query("#places > *") if each.display
        ]
        assert shown == ["keys"]
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: console.frame.place.address == Address("actions"))


async def test_a_filter_that_begins_with_a_blank_is_shown_as_it_was_typed(
    services: Services,
) -> None:
    await _started(services, "ahead-blank")
    async with console_on(services, "executions") as pilot:
        await until_shown(pilot, "ahead-blank")

        burst(pilot.app, "slash", "space", *"wf:ahead-blank")

        line = pilot.app.screen.query_one(CommandLine)
        await until(pilot, lambda: line.text.endswith("blank"))
        await until_shown(pilot, "/  wf:ahead-blank")
        table = pilot.app.screen.query_one(LiveTable)
        assert table.marks == set()
        await pilot.press("enter")
        await until(pilot, lambda: len(table.view) == 1)


async def test_letters_do_not_overtake_the_keys_before_them(services: Services) -> None:
    async with console_on(services, "workflows") as pilot:
        await until_shown(pilot, "LIVE")
        await pilot.press("n")
        await until_shown(pilot, '"name": ""')

        await until(pilot, lambda: pilot.app.screen.query_one(CodeArea).has_focus)
        burst(pilot.app, *"ovre", "backspace", "backspace", *"er", "down", "end", "enter", "x")

        area = pilot.app.screen.query_one(CodeArea)
        await until(pilot, lambda: "x" in area.text)
        assert area.text.splitlines()[2:5] == ['  "name": "over",', '  "version": 1,', "  x"]


async def test_a_line_is_written_as_it_was_typed(services: Services) -> None:
    async with console_on(services) as pilot:
        await until_shown(pilot, "LIVE")
        line = pilot.app.screen.query_one(CommandLine)

        burst(
            pilot.app, "colon", *"wrok", "backspace", "left", "backspace", "right", "end", *"kflows"
        )

        await until(pilot, lambda: bool(line.text))
        await until(pilot, lambda: len(line.text) >= 8)
        assert line.text == "wokflows"
