"""The lists of queues and of workers, and what a worker's task shows."""

from __future__ import annotations

from typing import Any

from podium.worker.v1 import worker_pb2
from tests.tui.console.conftest import console_on
from tests.tui.screen import screen_text, until, until_shown
from tests.tui.services import Services, put, start
from tui.clients import connected
from tui.widgets.live_table import LiveTable


def rows(pilot: Any) -> list[Any]:
    """What the list in sight shows."""
    (table,) = (each for each in pilot.app.screen.query(LiveTable) if each.is_on_screen)
    return list(table.view.shown())


async def test_queues_show_who_waits_and_workers_who_works(services: Services) -> None:
    task = {"name": "queued-charge", "taskReferenceName": "t", "type": "SIMPLE"}
    await put(services, {"kind": "workflow", "name": "queued", "version": 1, "tasks": [task]})
    async with connected(services.suite) as clients:
        for _ in range(2):
            await start(services, "queued")
        async with console_on(services, "queues type:queued-charge", size=(120, 24)) as pilot:
            await until_shown(pilot, "queued-charge", "never")
            poll = worker_pb2.PollTaskRequest(task_type="queued-charge", worker_id="packer-7")
            task_of_worker = (await clients.workers.PollTask(poll)).task
            await until(pilot, lambda: [row.running for row in rows(pilot)] == [1])
            assert [row.size for row in rows(pilot)] == [1]
            await pilot.press("o")
            await until_shown(pilot, "● in progress", "worker packer-7", "· scheduled")
            await until(pilot, lambda: len(rows(pilot)) == 2)
            assert {row.name for row in rows(pilot)} == {"queued-charge"}
        async with console_on(services, "workers", size=(80, 24)) as pilot:
            await until_shown(pilot, "packer-7", "queued-charge")

        log = worker_pb2.AddTaskLogRequest(
            execution_id=task_of_worker.execution_id, task_id=task_of_worker.task_id,
            worker_id="packer-7", lines=["item 1 is packed", "item 2 \x1b[31mis packed"],
        )  # fmt: skip
        await clients.workers.AddTaskLog(log)
        place = f"executions/{task_of_worker.execution_id}/timeline"
        async with console_on(services, place, size=(80, 24)) as pilot:
            await until_shown(pilot, "worker packer-7 · lease ends in")
            await pilot.press("L")
            await until_shown(
                pilot, "Log of t", "item 1 is packed", "\\x1b[31mis packed", "2 lines"
            )
            log.lines[:] = ["item 3 is packed"]
            await clients.workers.AddTaskLog(log)
            await until_shown(pilot, "item 3 is packed", "line 3 of 3")
            await pilot.press("escape")
            await until(pilot, lambda: "Log of t" not in screen_text(pilot.app))


async def test_a_log_of_which_lines_were_left_out_says_so(services: Services) -> None:
    task = {"name": "tells-much", "taskReferenceName": "t", "type": "SIMPLE"}
    await put(services, {"kind": "workflow", "name": "much", "version": 1, "tasks": [task]})
    await start(services, "much")
    async with connected(services.suite) as clients:
        poll = worker_pb2.PollTaskRequest(task_type="tells-much", worker_id="teller")
        given = (await clients.workers.PollTask(poll)).task
        log = worker_pb2.AddTaskLogRequest(
            execution_id=given.execution_id, task_id=given.task_id, lenient=True,
            lines=[f"line {number}" for number in range(1_200)],
        )  # fmt: skip
        await clients.workers.AddTaskLog(log)
    place = f"executions/{given.execution_id}/timeline"
    async with console_on(services, place, size=(80, 40)) as pilot:
        await until_shown(pilot, "worker teller")
        await pilot.press("L")

        await until_shown(pilot, "the first 1,000 lines, more are not kept", "line 999")
        assert "line 1000" not in screen_text(pilot.app)
