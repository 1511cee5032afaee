"""What schedules and event handlers start goes by the limits of all starts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.executor.runtime import Limits
from tests.executor.eventing.test_dispatcher import handler, runs, starting, until_done
from tests.executor.rig import Rig, executing, replica_of, step, workflow
from tests.executor.scheduling.test_scheduler import (
    runs as runs_of,
    schedule,
    stopped,
    until_run,
)
from tests.executor.test_crowds import begun, limited

# Whatever waits to be written is too much: nothing may begin.
CLOSED = Limits(units=0)

TELLS = workflow(
    "order",
    step("go", "HUMAN"),
    {**step("tell", "EVENT", k="a"), "sink": "conductor:paid"},
)


async def complete(rig: Rig, execution_id: str, ref: str) -> None:
    await rig.stub.UpdateTask(
        pb.UpdateTaskRequest(
            execution_id=execution_id, ref=ref, status=pb.TASK_STATUS_COMPLETED, output="{}"
        )
    )


async def ids_of(rig: Rig, workflow_name: str) -> list[str]:
    rows = await rig.store.readers.read(
        lambda db: db.execute(
            "SELECT id FROM executions WHERE workflow = ? ORDER BY rowid", (workflow_name,)
        ).fetchall()
    )
    return [row[0] for row in rows]


async def until_begun(rig: Rig, workflow_name: str) -> list[bool]:
    """Which executions of a workflow have tasks, as soon as one has."""
    async with asyncio.timeout(20):
        while not any(found := await begun(rig, await ids_of(rig, workflow_name))):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert len(found) > 1
    return found


async def test_an_event_waits_until_there_is_less_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ship = workflow("ship", step("done", "NOOP"))
    replica = replica_of(TELLS, ship, handler(starting()))
    async with executing(tmp_path / "x.db", replica) as rig:
        order = await rig.begin("order")
    async with executing(tmp_path / "x.db", replica, limits=CLOSED) as rig:
        await complete(rig, order, "go")
        await rig.ended(order)
        # It has been tried by then.
        async with asyncio.timeout(20):
            while "has to wait" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await runs(rig) == []
        assert await ids_of(rig, "ship") == []
    async with executing(tmp_path / "x.db", replica) as rig:
        (run,) = await until_done(rig)
        assert await ids_of(rig, "ship") == [run.target]


async def test_a_schedule_waits_until_there_is_less_to_do(tmp_path: Path) -> None:
    quick = workflow("quick", step("done", "NOOP"))
    asked = await stopped(tmp_path / "x.db", replica_of(quick, schedule()))
    async with executing(*asked, limits=CLOSED) as rig:
        entry = rig.runtime.scheduler.entries()[0]
        due = entry.next_at
        async with asyncio.timeout(20):
            while entry.next_at == due or entry.task is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert list(await runs_of(rig)) == []
    async with executing(*asked) as rig:
        assert (await until_run(rig))[-1].execution_id


async def test_what_an_event_starts_is_counted_with_the_others(tmp_path: Path) -> None:
    told = starting("held", input={"k": "${k}"})
    async with executing(tmp_path / "x.db", [TELLS, limited(), handler(told)]) as rig:
        first = await rig.begin("held", input={"k": "a"})
        order = await rig.begin("order")
        await complete(rig, order, "go")
        (run,) = await until_done(rig)

        assert await begun(rig, [first, run.target]) == [True, False]
        await complete(rig, first, "t")
        await rig.ended(first)
        assert await begun(rig, [run.target]) == [True]


async def test_what_a_schedule_starts_is_counted_with_the_others(tmp_path: Path) -> None:
    request: dict[str, Any] = {"startWorkflowRequest": {"name": "held", "input": {"k": "a"}}}
    asked = await stopped(tmp_path / "x.db", replica_of(limited(), schedule(**request)))
    async with executing(*asked) as rig:
        await until_run(rig, 2)

        # Which of them is first is not said: several are due at once.
        assert (await until_begun(rig, "held")).count(True) == 1


async def test_where_its_workflow_refuses_one_more_a_run_is_terminated(tmp_path: Path) -> None:
    told = starting("held", input={"k": "${k}"})
    definitions = [TELLS, limited(policy="REJECT"), handler(told)]
    async with executing(tmp_path / "x.db", definitions) as rig:
        await rig.begin("held", input={"k": "a"})
        order = await rig.begin("order")
        await complete(rig, order, "go")
        (run,) = await until_done(rig)

        refused = await rig.ended(run.target)
        assert refused.status == pb.EXECUTION_STATUS_TERMINATED
        assert "rateLimitConfig" in refused.reason
        assert (await rig.get(run.target)).tasks == []
