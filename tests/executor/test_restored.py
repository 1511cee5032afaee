"""An executor over a restored store: what was under way waits, and goes on when it is resumed."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlite_utils import Database

from podium.executor.v1 import executor_pb2 as pb
from services.backups import making
from services.executor import restored
from tests.executor.rig import (
    ADMIN,
    Rig,
    executing,
    http,
    replica_of,
    step,
    upstream,
    workflow,
)
from tests.executor.working import working

RUNNING, PAUSED, COMPLETED = (
    pb.EXECUTION_STATUS_RUNNING,
    pb.EXECUTION_STATUS_PAUSED,
    pb.EXECUTION_STATUS_COMPLETED,
)


def restore(source: Path, target: Path, *, hold: bool = True) -> int:
    """As `podium restore` does with this one."""
    making.copy(source, target)
    now = round(time.time() * 1_000_000)
    with closing(Database(target)) as db, db.atomic():
        return restored.renew(db, now, now, held=hold)


async def resume(rig: Rig, execution_id: str) -> None:
    request = pb.ResumeExecutionRequest(execution_id=execution_id)
    await rig.stub.ResumeExecution(request, metadata=ADMIN)


async def terminate(rig: Rig, execution_id: str) -> None:
    request = pb.TerminateExecutionRequest(execution_id=execution_id)
    await rig.stub.TerminateExecution(request, metadata=ADMIN)


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def waiting(rig: Rig) -> pb.Restored | None:
    answer = await rig.stub.GetExecutorStatus(pb.GetExecutorStatusRequest(), metadata=ADMIN)
    return answer.restored if answer.HasField("restored") else None


async def settled(rig: Rig, ids: list[str], ref: str) -> None:
    """Return when all of them are at ``ref``."""

    async def there() -> bool:
        found = [await rig.get(each) for each in ids]
        return all(task.ref == ref for each in found for task in each.tasks[-1:]) and all(
            each.tasks for each in found
        )

    await until(there)


DOCUMENTS = [
    workflow("human", step("h", "HUMAN")),
    workflow("brief", step("v", "SET_VARIABLE", x=1), outputParameters={"x": 1}),
    workflow("timed", step("w", "WAIT", duration="2 seconds"), step("n", "NOOP")),
    workflow("work", step("s", "SIMPLE")),
    workflow(
        "forked",
        {
            **step("f", "FORK_JOIN"),
            "forkTasks": [[step("a", "HUMAN")], [step("b", "WAIT", duration="1 hours")]],
        },
        {**step("j", "JOIN"), "joinOn": ["a", "b"]},
    ),
    workflow("sub", {**step("p", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "human"}}),
]
NAMES = [each["name"] for each in DOCUMENTS]


async def test_what_is_told_of_executions_is_the_same_before_and_after(tmp_path: Path) -> None:
    replica = replica_of(*DOCUMENTS)
    async with executing(tmp_path / "executor.db", replica) as rig:
        ids = [await rig.begin(name) for name in NAMES]
        await rig.ended(ids[1])
        for execution_id, ref in zip(ids, ("h", "v", "w", "s", "b", "p"), strict=True):

            async def there(execution_id: str = execution_id, ref: str = ref) -> bool:
                return ref in {task.ref for task in (await rig.get(execution_id)).tasks}

            await until(there)
        parent = json.loads((await rig.get(ids[-1])).document)
        child = parent["tasks"][0]["outputData"]["subWorkflowId"]
        await settled(rig, [child], "h")
        restore(tmp_path / "executor.db", tmp_path / "held.db")
        restore(tmp_path / "executor.db", tmp_path / "resumed.db", hold=False)
        with closing(Database(tmp_path / "executor.db")) as db:
            children = [row[0] for row in db.execute("SELECT id FROM executions")]
        before = {each: await rig.get(each) for each in children}
    async with executing(tmp_path / "resumed.db", replica) as rig:
        assert {each: await rig.get(each) for each in children} == before
    async with executing(tmp_path / "held.db", replica) as rig:
        for execution_id, told in before.items():
            found = await rig.get(execution_id)
            if told.state.status == RUNNING:
                assert found.state.status == PAUSED
                assert found.document == told.document.replace('"RUNNING"', '"PAUSED"', 1)
            else:
                assert found == told
            assert list(found.tasks) == list(told.tasks)


async def test_calls_and_timers_wait_until_their_execution_is_resumed(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        begun.set()
        if len(up.asked) == 1:
            await asyncio.sleep(60)
        return web.json_response({})

    async with upstream(slow=hang) as up:
        call = http("call", f"{up.url}/slow", method="POST")
        replica = replica_of(*DOCUMENTS, workflow("calls", call))
        async with executing(tmp_path / "executor.db", replica) as rig:
            calls, timed = await rig.begin("calls"), await rig.begin("timed")
            await asyncio.wait_for(begun.wait(), 20)
            await settled(rig, [timed], "w")
            assert restore(tmp_path / "executor.db", tmp_path / "new.db") == 2
        # Whatever it did after its backup was made is not known to it.
        async with executing(tmp_path / "new.db", replica) as rig:
            told = await waiting(rig)
            assert told is not None
            assert told.waiting == 2
            # What begins now is nobody's repetition; its timer is due after the other one.
            other = await rig.begin("timed")
            assert (await rig.ended(other)).status == COMPLETED
            assert (await rig.get(timed)).tasks[-1].ref == "w"
            assert len(up.asked) == 1
            await resume(rig, timed)
            assert (await rig.ended(timed)).status == COMPLETED
            assert len(up.asked) == 1
            await resume(rig, calls)
            assert (await rig.ended(calls)).status == COMPLETED
            assert len(up.asked) == 2
            assert await waiting(rig) is None
        # It is no news to the next process.
        async with executing(tmp_path / "new.db", replica) as rig:
            assert await waiting(rig) is None


async def test_no_worker_is_given_what_waits_until_its_execution_is_resumed(tmp_path: Path) -> None:
    limited = {"kind": "task", "name": "alone", "concurrentExecLimit": 1}
    replica = replica_of(*DOCUMENTS, limited, workflow("limited", step("alone", "SIMPLE")))
    async with executing(tmp_path / "executor.db", replica) as rig:
        ids = [await rig.begin("work"), await rig.begin("limited"), await rig.begin("work")]
        await settled(rig, ids[::2], "s")
        await settled(rig, ids[1:2], "alone")
        restore(tmp_path / "executor.db", tmp_path / "new.db")
    async with executing(tmp_path / "new.db", replica) as rig:
        async with working(rig, "s", "alone", slots=5) as worker:
            # Whoever comes after them is given its task before them.
            other = await rig.begin("work")
            given = await worker.task()
            assert given.execution_id == other
            for execution_id in ids[:2]:
                await resume(rig, execution_id)
                given = await worker.task()
                assert given.execution_id == execution_id
                worker.result(given)
                assert (await rig.ended(execution_id)).status == COMPLETED
            assert worker.tasks.empty()
        await terminate(rig, ids[2])
        assert await waiting(rig) is None


async def test_what_a_worker_lets_go_of_waits_too(tmp_path: Path) -> None:
    replica = replica_of(*DOCUMENTS)
    async with executing(tmp_path / "executor.db", replica) as rig:
        execution_id = await rig.begin("work")
        async with working(rig, "s") as worker:
            assert (await worker.task()).execution_id == execution_id
            restore(tmp_path / "executor.db", tmp_path / "new.db")
    # It was started anew, and knows nothing of what it had.
    async with (
        executing(tmp_path / "new.db", replica) as rig,
        working(rig, "s", exclusive=True) as worker,
    ):
        other = await rig.begin("work")
        given = await worker.task()
        assert given.execution_id == other
        await until(lambda: _waits_for_a_worker(rig, execution_id))
        worker.result(given)
        await resume(rig, execution_id)
        assert (await worker.task()).execution_id == execution_id


async def _waits_for_a_worker(rig: Rig, execution_id: str) -> bool:
    return "SCHEDULED" in (await rig.get(execution_id)).document


async def test_who_waits_still_waits_after_a_restart(tmp_path: Path) -> None:
    replica = replica_of(*DOCUMENTS)
    async with executing(tmp_path / "executor.db", replica) as rig:
        ids = [await rig.begin("timed") for _ in range(3)]
        await settled(rig, ids, "w")
        restore(tmp_path / "executor.db", tmp_path / "new.db")
    async with executing(tmp_path / "new.db", replica) as rig:
        await resume(rig, ids[0])
        assert (await rig.ended(ids[0])).status == COMPLETED
    async with executing(tmp_path / "new.db", replica) as rig:
        told = await waiting(rig)
        assert told is not None
        assert told.waiting == 2
        await terminate(rig, ids[1])
        await resume(rig, ids[2])
        assert (await rig.ended(ids[2])).status == COMPLETED
        assert await waiting(rig) is None


async def test_schedules_and_handlers_wait_for_the_last_of_them(tmp_path: Path) -> None:
    schedule = {
        "kind": "schedule",
        "name": "often",
        "cronExpression": "* * * * * *",
        "runCatchupScheduleInstances": True,
        "startWorkflowRequest": {"name": "brief", "version": 1},
    }
    handler = {
        "kind": "event",
        "name": "told",
        "event": "conductor:tells:paid",
        "active": True,
        "actions": [{"action": "start_workflow", "start_workflow": {"name": "brief"}}],
    }
    tells = workflow("tells", {**step("e", "EVENT"), "sink": "conductor:paid"})
    replica = replica_of(*DOCUMENTS, tells)
    async with executing(tmp_path / "executor.db", replica) as rig:
        human = await rig.begin("human")
        await settled(rig, [human], "h")
        restore(tmp_path / "executor.db", tmp_path / "new.db")
    replica = replica_of(*DOCUMENTS, tells, schedule, handler)
    path = tmp_path / "new.db"
    async with executing(path, replica) as rig:
        await rig.ended(await rig.begin("tells"))
        timed = await rig.begin("timed")
        await rig.ended(timed)
        assert started(path) == []
        released = datetime.now(UTC)
        await resume(rig, human)
        await until(lambda: _both(path))
    # None is made for a time before, though the schedule makes up for what it missed.
    with closing(Database(path)) as db:
        due = [row[0] for row in db.execute("SELECT at FROM schedule_runs")]
    assert min(due) > released.timestamp() * 1_000_000 - 2_000_000


async def _both(path: Path) -> bool:
    return {by.partition(":")[0] for by, _ in started(path)} == {"schedule", "event"}


def started(path: Path) -> list[tuple[str, str]]:
    """Who started what, of what nobody asked for."""
    with closing(Database(path)) as db:
        rows = db.execute("SELECT started_by, id FROM executions WHERE workflow = 'brief'")
        return [(str(by), str(id_)) for by, id_ in rows]


def test_timers_that_wait_are_found_through_an_index(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "x.db")) as db:
        from services.executor.migrations import migrations

        migrations.apply(db)
        plan: list[str] = []
        db.conn.set_trace_callback(plan.append)
        restored.timers(db.conn, 1, 1)
        db.conn.set_trace_callback(None)
        (statement,) = plan
        steps = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert any("timers_by_time" in each for each in steps)
    assert not any(each.startswith("SCAN") for each in steps), steps
