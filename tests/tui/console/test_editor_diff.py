"""An execution compared with another one in the console, on a real suite."""

from __future__ import annotations

from typing import Any

from podium.executor.v1 import executor_pb2
from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, typed, until, until_shown
from tests.tui.services import Services, put, start
from tui.clients import connected
from tui.widgets.diff_view import DiffView
from tui.widgets.live_table import LiveTable

ADDS = {
    "taskReferenceName": "adds", "name": "adds", "type": "INLINE",
    "inputParameters": {
        "evaluatorType": "javascript", "expression": "$.a + 1", "a": "${workflow.input.a}",
    },
}  # fmt: skip
CHOOSES = {
    "taskReferenceName": "chooses", "name": "chooses", "type": "SWITCH",
    "inputParameters": {"case": "${workflow.input.way}"}, "evaluatorType": "value-param",
    "expression": "case",
    "decisionCases": {
        "left": [{"taskReferenceName": "leftward", "name": "leftward", "type": "NOOP"}],
        "right": [{"taskReferenceName": "rightward", "name": "rightward", "type": "NOOP"}],
    },
}  # fmt: skip
HOLD = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip


def workflow(name: str, *tasks: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": 1, "tasks": list(tasks)}


async def ended(services: Services, name: str, given: str) -> str:
    """An execution that has ended; its id."""
    id_ = await start(services, name, input=given)
    async with connected(services.suite) as clients:
        async for change in clients.executor.WatchExecution(
            executor_pb2.WatchExecutionRequest(execution_id=id_)
        ):
            if change.execution.HasField("ended_at"):
                return id_
    raise AssertionError(id_)


async def test_at_first_it_is_compared_with_the_last_one_that_completed(
    services: Services,
) -> None:
    await put(services, workflow("compared", ADDS, CHOOSES))
    before = await ended(services, "compared", '{"a": 1, "way": "left"}')
    this = await ended(services, "compared", '{"a": 2, "way": "right"}')
    async with console_on(services, f"executions/{this}", size=(120, 40)) as pilot:
        await until_shown(pilot, "adds")
        await pilot.press("D")
        await until_shown(pilot, before, "leftward", "rightward", "did not run", "differences")
        await until_shown(pilot, "input, output")

        await pilot.press("g", "right_square_bracket", "right_square_bracket")
        table = next(
            each for each in pilot.app.screen.query(LiveTable) if each.cursor_id == "task adds"
        )
        await until_shown(pilot, '"result": 2', '"result": 3')
        await pilot.press("right_square_bracket", "right_square_bracket")
        assert table.cursor_id in ("task leftward", "task rightward")
        await pilot.press("enter")
        diff = pilot.app.screen.query_one(DiffView)
        await until(pilot, lambda: diff.has_focus_within)
        await pilot.press("escape")
        assert table.has_focus


async def test_another_one_is_picked_by_its_id(services: Services) -> None:
    await put(services, workflow("picked", ADDS))
    first = await ended(services, "picked", '{"a": 10}')
    await ended(services, "picked", '{"a": 20}')
    this = await ended(services, "picked", '{"a": 10}')
    async with console_on(services, f"executions/{this}/diff", size=(120, 40)) as pilot:
        await until_shown(pilot, "differences", "20")
        await pilot.press("o")
        await until_shown(pilot, "Compare with", "the run before")
        await typed(pilot, "tab", *first, "enter")

        await until_shown(pilot, f"- {first}", "They went the same way, with the same data")


async def test_the_marked_one_comes_first(services: Services) -> None:
    await put(services, workflow("marked-pair", ADDS))
    first = await ended(services, "marked-pair", '{"a": 1}')
    await ended(services, "marked-pair", '{"a": 2}')
    this = await ended(services, "marked-pair", '{"a": 3}')
    async with console_on(services, "executions wf:marked-pair", size=(120, 40)) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on(first))
        await pilot.press("space")
        await until(pilot, lambda: table.put_cursor_on(this))
        await pilot.press("space", "D")

        await until_shown(pilot, f"- {first}", "+ this one", "differences")


async def test_one_that_runs_is_compared_as_it_goes_on(services: Services) -> None:
    await put(services, workflow("goes-on", ADDS, HOLD))
    first = await start(services, "goes-on", input='{"a": 1}')
    this = await start(services, "goes-on", input='{"a": 1}')
    async with console_on(services, f"executions/{this}/diff", size=(80, 24)) as pilot:
        await until_shown(pilot, "No earlier execution of goes-on has completed")
        await pilot.press("o")
        await until_shown(pilot, "Compare with")
        await pilot.press("down", "enter")
        await until_shown(pilot, "They went the same way")

        async with connected(services.suite) as clients:
            await clients.executor.TerminateExecution(
                executor_pb2.TerminateExecutionRequest(execution_id=first, reason="enough")
            )

        await until_shown(pilot, "TERMINATED", "CANCELED", "2 differences")


async def test_an_id_that_is_none_says_so(services: Services) -> None:
    await put(services, workflow("alone", ADDS))
    this = await ended(services, "alone", '{"a": 1}')
    async with console_on(services, f"executions/{this}/diff", size=(80, 24)) as pilot:
        await until_shown(pilot, "No earlier execution of alone has completed")
        await pilot.press("o")
        await until_shown(pilot, "Compare with")
        await typed(pilot, "tab", *"nonsense", "enter")

        await until(pilot, lambda: "nonsense" in screen_text(pilot.app))
        await until_shown(pilot, "There is no execution")
