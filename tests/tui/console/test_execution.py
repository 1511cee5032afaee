"""One execution, as it happens, on a real suite."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.pilot import Pilot

from podium.executor.v1 import executor_pb2
from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, until, until_shown
from tests.tui.services import PATIENCE_SECONDS, Services, put, start
from tui.clients import connected
from tui.resources import executions
from tui.screens.execution.graph import GraphTab
from tui.views.kin import children_of
from tui.widgets.crumbs import GAP, Crumbs
from tui.widgets.live_table import LiveTable
from tui.widgets.timeline import Timeline

WAITS = {
    "taskReferenceName": "hold", "name": "hold", "type": "WAIT",
    "inputParameters": {"duration": "600 seconds"},
}  # fmt: skip
ADDS = {
    "taskReferenceName": "adds", "name": "adds", "type": "INLINE",
    "inputParameters": {
        "evaluatorType": "javascript", "expression": "$.a + 1", "a": "${workflow.input.a}",
    },
}  # fmt: skip


async def test_enter_opens_the_timeline_and_esc_goes_back_to_the_same_row(
    services: Services,
) -> None:
    await put(services, {"name": "timed", "version": 1, "tasks": [ADDS, WAITS]})
    id_ = await start(services, "timed", input='{"a": 41}')
    async with console_on(services) as pilot:
        table = pilot.app.screen.query_one(LiveTable)
        await until(pilot, lambda: table.put_cursor_on(id_))

        await pilot.press("enter")
        await until_shown(pilot, "adds", "hold", "1 Timeline", "in progress", "● running")
        await pilot.press("escape")

        await until_shown(pilot, "STATUS")
        assert table.cursor_id == id_
        assert table.has_focus


async def test_the_data_of_an_execution_are_a_key_away(services: Services) -> None:
    await put(services, {"name": "with-data", "version": 1, "tasks": [ADDS, WAITS]})
    id_ = await start(services, "with-data", input='{"a": 41}')
    async with console_on(services, f"executions/{id_}") as pilot:
        await until_shown(pilot, "adds")

        await pilot.press("3")

        await until_shown(pilot, '"result": 42', "data")


async def test_an_ended_execution_that_is_restarted_is_followed_again(services: Services) -> None:
    wait = {**WAITS, "inputParameters": {"duration": "0 seconds"}}
    await put(services, {"name": "again", "version": 1, "tasks": [ADDS, wait]})
    id_ = await start(services, "again", input='{"a": 1}')
    async with console_on(services, f"executions/{id_}") as pilot:
        await until_shown(pilot, "hold", "✔ completed")
        book = pilot.app.screen.query_one(Timeline).book
        before = set(book.attempts)

        await _restarted(services, id_)

        # None of the tasks of before is there any more.
        await until(pilot, lambda: len(book.attempts) == 2 and before.isdisjoint(book.attempts))
        await until_shown(pilot, "✔ completed", "hold")


async def _restarted(services: Services, id_: str) -> None:
    async with connected(services.suite) as clients:
        await clients.executor.RestartExecution(
            executor_pb2.RestartExecutionRequest(execution_id=id_)
        )


def _chosen(pilot: Pilot[Any]) -> str:
    """The task under the timeline's cursor."""
    timelines = pilot.app.screen.query(Timeline)
    row = timelines.first().row if timelines else None
    return row.node.label if row is not None else ""


async def test_events_are_told_as_they_happen(services: Services) -> None:
    await put(services, {"name": "eventful", "version": 1, "tasks": [ADDS, WAITS]})
    id_ = await start(services, "eventful", input='{"a": 1}')
    async with console_on(services, f"executions/{id_}/events") as pilot:
        await until_shown(pilot, "Events", "execution running", "adds", "completed")

        await pilot.press("t")
        await until_shown(pilot, "Cancel")
        await pilot.press("ctrl+s")

        await until_shown(pilot, "execution terminated", "canceled")


async def test_the_definition_is_what_the_execution_began_with(services: Services) -> None:
    await put(services, {"name": "defined", "version": 1, "tasks": [ADDS, WAITS]})
    id_ = await start(services, "defined", input='{"a": 1}')
    async with console_on(services, f"executions/{id_}/definition") as pilot:
        await until_shown(pilot, "Definition", '"name": "defined"', '"taskReferenceName": "adds"')


async def test_definition_and_graph_are_those_of_the_version_that_it_is_restarted_with(
    services: Services,
) -> None:
    await put(services, {"name": "renewed", "version": 1, "tasks": [ADDS]})
    id_ = await start(services, "renewed", input='{"a": 1}')
    async with console_on(services, f"executions/{id_}/graph") as pilot:
        await until_shown(pilot, "✔ adds")
        await pilot.press("5")
        await until_shown(pilot, '"taskReferenceName": "adds"', "✔ completed")
        await put(services, {"name": "renewed", "version": 2, "tasks": [WAITS]})

        async with connected(services.suite) as clients:
            await clients.executor.RestartExecution(
                executor_pb2.RestartExecutionRequest(execution_id=id_, use_latest_definitions=True)
            )

        await until_shown(pilot, '"taskReferenceName": "hold"')
        await pilot.press("2")
        await until_shown(pilot, "● hold")
        assert "adds" not in screen_text(pilot.app)


async def test_the_graph_shows_where_an_execution_stands_and_leads_to_a_task(
    services: Services,
) -> None:
    await put(services, {"name": "drawn", "version": 1, "tasks": [ADDS, WAITS]})
    id_ = await start(services, "drawn", input='{"a": 1}')
    async with console_on(services, f"executions/{id_}/graph") as pilot:
        await until_shown(pilot, "✔ adds", "● hold", "start")

        await pilot.press("G", "enter")

        await until_shown(pilot, "Task hold", "in progress")


async def test_one_that_is_not_there_says_so_and_the_lines_are_live(services: Services) -> None:
    async with console_on(services, "executions/not-there") as pilot:
        await until_shown(pilot, "● LIVE", "'not-there'")


async def test_one_that_is_paused_says_so_among_its_events(services: Services) -> None:
    await put(services, {"name": "paused-event", "version": 1, "tasks": [WAITS]})
    id_ = await start(services, "paused-event")
    async with console_on(services, f"executions/{id_}/events") as pilot:
        await until_shown(pilot, "execution running", "● running")

        await pilot.press("P")

        await until_shown(pilot, "execution paused")


async def test_one_that_is_too_old_for_the_list_is_acted_on_by_its_id(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions, "RECENT", 1)
    fails = {
        "taskReferenceName": "fails", "name": "fails", "type": "TERMINATE",
        "inputParameters": {"terminationStatus": "FAILED", "terminationReason": "no"},
    }  # fmt: skip
    await put(services, {"name": "too-old", "version": 1, "tasks": [fails]})
    old, *_ = [await start(services, "too-old") for _ in range(3)]
    async with console_on(services, f"executions/{old}") as pilot:
        console: Any = pilot.app
        await until_shown(pilot, "● LIVE", f"too-old {old[-8:]}", "✘ failed", "Restart")
        assert old not in console.executions.collection.records
        await pilot.press("R")
        await until_shown(pilot, "Cancel")
        await pilot.press("ctrl+s")

        # It is restarted, which makes it one of the newest.
        await until(pilot, lambda: old in console.executions.collection.records)


async def test_the_cursor_goes_to_a_task_of_the_graph_once_and_stays_where_it_is_put_then(
    services: Services,
) -> None:
    done = {**WAITS, "inputParameters": {"duration": "0 seconds"}}
    await put(services, {"name": "gone-to", "version": 1, "tasks": [ADDS, done]})
    id_ = await start(services, "gone-to", input='{"a": 1}')
    async with console_on(services, f"executions/{id_}/graph") as pilot:
        await until_shown(pilot, "✔ hold", "✔ completed")
        await pilot.press("G", "enter")
        await until(pilot, lambda: _chosen(pilot) == "hold")
        await pilot.press("g")
        assert _chosen(pilot) == "adds"
        book = pilot.app.screen.query_one(Timeline).book
        before = set(book.attempts)

        await _restarted(services, id_)

        await until(pilot, lambda: len(book.attempts) == 2 and before.isdisjoint(book.attempts))
        assert _chosen(pilot) == "adds"


async def test_one_that_is_gone_with_its_database_is_not_said_to_run_on(
    own_services: Services,
) -> None:
    await put(own_services, {"name": "lost", "version": 1, "tasks": [ADDS, WAITS]})
    id_ = await start(own_services, "lost", input='{"a": 1}')
    async with console_on(own_services, f"executions/{id_}") as pilot:
        await until_shown(pilot, "hold", "● running")
        await own_services.stop("executor")
        for file in own_services.home.glob("executor.db*"):
            file.unlink()

        await own_services.start("executor")
        await pilot.press("ctrl+r")

        await until_shown(pilot, "LIVE", "There is no execution")
        assert "● running" not in screen_text(pilot.app)
        # What was known of it can still be read.
        assert "hold" in screen_text(pilot.app)


async def _family(services: Services, name: str) -> tuple[str, str]:
    """An execution whose task `part` started another one, and that one: both wait."""
    part = {
        "taskReferenceName": "part", "name": "part", "type": "SUB_WORKFLOW",
        "subWorkflowParam": {"name": f"{name}-child"},
    }  # fmt: skip
    await put(services, {"name": f"{name}-child", "version": 1, "tasks": [WAITS]})
    await put(services, {"name": name, "version": 1, "tasks": [part]})
    parent = await start(services, name)
    async with connected(services.suite) as clients:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answer = await clients.executor.ListExecutions(
                    executor_pb2.ListExecutionsRequest(query=f"parent:{parent}")
                )
                if answer.executions:
                    return parent, answer.executions[0].execution_id
                await asyncio.sleep(0.01)


async def test_enter_leads_to_the_execution_that_a_task_started_and_p_back_to_the_parent(
    services: Services,
) -> None:
    parent, child = await _family(services, "kin")
    async with console_on(services, f"executions/{parent}") as pilot:
        await until_shown(pilot, "o Sub-workflow")

        await pilot.press("enter")

        await until_shown(
            pilot,
            f"executions{GAP}kin {parent[-8:]}{GAP}kin-child {child[-8:]}{GAP}timeline",
            "hold",
        )
        await pilot.press("p")
        await until_shown(pilot, f"executions{GAP}kin {parent[-8:]}{GAP}timeline", "o Sub-workflow")
        assert "p Parent" not in screen_text(pilot.app)


async def test_the_graph_leads_to_the_execution_that_a_task_started(services: Services) -> None:
    parent, child = await _family(services, "kin-drawn")
    async with console_on(services, f"executions/{parent}/graph") as pilot:
        await until_shown(pilot, "● part")
        # Its document tells of the child.
        tasks: Any = pilot.app.screen.query_one(GraphTab)
        await until(pilot, lambda: bool(children_of(tasks.facts.document)))

        await pilot.press("G", "enter")

        await until_shown(pilot, f"kin-drawn-child {child[-8:]}{GAP}timeline", "hold")


async def test_the_crumb_of_the_parent_leads_to_it(services: Services) -> None:
    parent, child = await _family(services, "kin-crumbs")
    async with console_on(services, f"executions/{child}/data") as pilot:
        await until_shown(
            pilot, f"kin-crumbs {parent[-8:]}{GAP}kin-crumbs-child {child[-8:]}{GAP}data"
        )

        await pilot.click(Crumbs, offset=(len(f" executions{GAP}k"), 0))

        await until_shown(pilot, f"executions{GAP}kin-crumbs {parent[-8:]}{GAP}timeline")
