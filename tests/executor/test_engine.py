"""What the engine does when something breaks: one execution is harmed, no other."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.errors import NotFound, Overloaded, ServiceError, Unavailable
from services.executor.actors import Actor, Actors, Told
from services.executor.answers import Answer
from services.executor.core.decide import start
from services.executor.core.events import Paused, Performed, TaskUpdated, Terminated
from services.executor.core.http import HttpFailure
from services.executor.core.model import TaskStatus
from services.executor.rows import Origin
from services.executor.snapshots import Snapshots
from services.rpc import raising_ours
from tests.executor.rig import (
    ADMIN,
    Rig,
    executing,
    http,
    new_id,
    replica_of,
    step,
    upstream,
    workflow,
)

WAITING = workflow("waiting", step("hold", "WAIT"))
_SNAPSHOT = Snapshots(replica_of(WAITING)).of("waiting", 0)
assert _SNAPSHOT is not None
RESTING = start(new_id(), _SNAPSHOT.workflow, {}, datetime.now(UTC))


async def told(rig: Rig, execution_id: str, event: Any) -> Told | ServiceError:
    answer = Answer()
    rig.runtime.engine.tell(execution_id, event, answer)
    try:
        return await answer.told()
    except ServiceError as error:
        return error


async def test_an_event_that_cannot_be_stored_is_told_and_changes_nothing(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        first, other = await rig.begin("waiting"), await rig.begin("waiting")
        unstorable: Any = {"a": object()}
        answers = await asyncio.gather(
            told(rig, first, TaskUpdated(TaskStatus.IN_PROGRESS, unstorable, ref="hold")),
            told(rig, other, Paused()),
        )
        assert type(answers[0]) is ServiceError
        assert isinstance(answers[1], Told)
        await rig.stub.UpdateTask(
            pb.UpdateTaskRequest(
                execution_id=first, ref="hold", status=pb.TASK_STATUS_COMPLETED, output='{"b":1}'
            ),
            metadata=ADMIN,
        )

        assert (await rig.ended(first)).output == '{"b":1}'


# It is tried three times, which takes a few tenths of a second.
async def test_an_outcome_that_can_never_be_stored_ends_its_execution_alone(
    tmp_path: Path,
) -> None:
    async with upstream(item=lambda _: {}) as remote:
        flow = workflow("w", http("call", f"{remote.url}/item"))
        async with executing(tmp_path / "x.db", [flow, WAITING]) as rig:
            other = await rig.begin("waiting")
            held = await rig.begin("waiting")
            task = (await rig.get(held)).tasks[0]
            # No kind of task understands it, whatever it is asked.
            rig.runtime.engine.tell(held, Broken(task.task_id))
            result = await rig.ended(held)

            assert result.status == pb.EXECUTION_STATUS_TERMINATED
            assert "could not go on" in result.reason
            assert (await rig.run("w")).status == pb.EXECUTION_STATUS_COMPLETED
            state = (await rig.get(other)).state
            assert state.status == pb.EXECUTION_STATUS_RUNNING


class Broken(Performed):
    """An event that the core has no word for."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id, 1, None)


async def test_units_written_together_fail_alone(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        ids = [await rig.begin("waiting") for _ in range(10)]
        with sqlite3.connect(tmp_path / "x.db") as db:
            db.execute(
                "CREATE TRIGGER refuse BEFORE UPDATE ON executions "
                f"WHEN new.id = '{ids[4]}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        db.close()
        answers = await asyncio.gather(*(told(rig, each, Paused()) for each in ids))
        with sqlite3.connect(tmp_path / "x.db") as db:
            db.execute("DROP TRIGGER refuse")
        db.close()
        again = await told(rig, ids[4], Paused())

        failed = [number for number, each in enumerate(answers) if isinstance(each, Unavailable)]
        assert failed == [4]
        assert isinstance(again, Told)
        assert again.before.status == "RUNNING"
        assert rig.runtime.feed.head == 20


async def test_what_comes_together_for_one_execution_shares_commits(tmp_path: Path) -> None:
    branches = [[http(f"b{number}", "URI")] for number in range(100)]
    async with upstream(item=lambda _: {}) as remote:
        for (branch,) in branches:
            branch["inputParameters"]["http_request"]["uri"] = f"{remote.url}/item"
        fork = {**step("fork", "FORK_JOIN"), "forkTasks": branches}
        join = {**step("join", "JOIN"), "joinOn": [f"b{number}" for number in range(100)]}
        async with executing(tmp_path / "x.db", [workflow("w", fork, join)]) as rig:
            result = await rig.run("w")
            units = sum(number for number, _ in rig.store.writer.commits)
            tasks = (await rig.get(result.execution_id)).tasks

    assert result.status == pb.EXECUTION_STATUS_COMPLETED
    assert units < 50
    assert {task.status for task in tasks} == {pb.TASK_STATUS_COMPLETED}


async def test_of_what_comes_together_only_what_is_at_fault_fails(tmp_path: Path) -> None:
    answered = asyncio.Event()

    async def item(_: object) -> dict[str, bool]:
        await answered.wait()
        return {"done": True}

    async with upstream(item=item) as remote:
        calls = [[http(ref, f"{remote.url}/item")] for ref in ("a", "b")]
        fork = {**step("fork", "FORK_JOIN"), "forkTasks": calls}
        join = {**step("join", "JOIN"), "joinOn": ["a", "b"]}
        flow = workflow("w", fork, join, step("hold", "WAIT"))
        async with executing(tmp_path / "x.db", [flow]) as rig:
            execution_id = await rig.begin("w")
            tasks = {task.ref: task for task in (await rig.get(execution_id)).tasks}
            engine = rig.runtime.engine
            # While the first is written the others gather; no kind understands the second.
            engine.tell(execution_id, Paused(), lambda _: None)
            for event in (
                Performed(tasks["a"].task_id, 1, failed("no")),
                Broken(tasks["b"].task_id),
                Performed(tasks["b"].task_id, 1, failed("no")),
            ):
                engine.tell(execution_id, event)
            answered.set()
            result = await rig.ended(execution_id)
            tasks = {task.ref: task for task in (await rig.get(execution_id)).tasks}

    assert result.status == pb.EXECUTION_STATUS_TERMINATED
    assert "could not go on" in result.reason
    assert tasks["a"].status == tasks["b"].status == pb.TASK_STATUS_FAILED


def failed(reason: str) -> HttpFailure:
    return HttpFailure(reason, unknown=False, transient=False, duration=timedelta())


async def test_events_for_one_execution_are_taken_in_their_order(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        execution_id = await rig.begin("waiting")
        pause = asyncio.ensure_future(told(rig, execution_id, Paused()))
        end = asyncio.ensure_future(told(rig, execution_id, Terminated("now")))
        look = asyncio.ensure_future(told(rig, execution_id, None))
        answers = await asyncio.gather(pause, end, look)

        assert [each.after.status for each in answers if isinstance(each, Told)] == [
            "PAUSED",
            "TERMINATED",
            "TERMINATED",
        ]
        assert isinstance(await told(rig, new_id(), Paused()), NotFound)


SUM = step("sum", "INLINE", evaluatorType="javascript", expression="1 + 1")


# A worker takes a quarter of a second to start; until then the script waits in vain, again and
# again.
async def test_a_script_that_no_worker_takes_is_run_later(tmp_path: Path) -> None:
    async with upstream(item=lambda _: {}) as remote:
        flow = workflow("w", http("call", f"{remote.url}/item"), SUM)
        path, patience = tmp_path / "x.db", timedelta(seconds=0.02)
        async with executing(path, [flow], scripts=1, patience=patience) as rig:
            result = await rig.run("w")

    assert result.status == pb.EXECUTION_STATUS_COMPLETED
    assert json.loads(result.output) == {"result": 2}
    assert len(remote.asked) == 1


async def test_a_start_whose_script_no_worker_takes_is_refused(tmp_path: Path) -> None:
    path, patience = tmp_path / "x.db", timedelta(seconds=0.02)
    async with executing(path, [workflow("w", SUM)], patience=patience) as rig:
        execution_id = new_id()
        with pytest.raises(Overloaded, match="for a worker"), raising_ours():
            await rig.begin("w", execution_id=execution_id)
        with pytest.raises(NotFound), raising_ours():
            await rig.get(execution_id)


def test_few_actors_rest_and_the_longest_at_rest_go_first() -> None:
    actors = Actors()
    made: list[Actor] = []
    for number in range(3000):
        actor = actors.wake(str(number))
        actor.execution, actor.origin = RESTING, Origin()
        actors.rest(actor)
        actors.rest(actor)
        made.append(actor)

    assert actors.active == 0
    assert len(actors) == 1024
    assert actors.get("0") is None
    assert actors.wake("2999") is made[2999]
    assert actors.active == 1


# Texts of megabytes take their time.
async def test_of_executions_with_large_inputs_few_rest_in_memory(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [WAITING]) as rig:
        ids = [await rig.begin("waiting", input={"text": "x" * (9 << 20)}) for _ in range(2)]

        assert [rig.runtime.engine.is_known(each) for each in ids] == [False, True]


def test_large_executions_do_not_rest_in_memory() -> None:
    actors = Actors()
    for number in range(10):
        actor = actors.wake(str(number))
        actor.execution, actor.weight = RESTING, 10 << 20
        actors.rest(actor)

    assert len(actors) == 1
