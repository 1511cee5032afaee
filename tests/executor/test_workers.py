"""Workers: what they are pushed and poll, what their word does, what a crash leaves."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2
from podium.worker.v1 import worker_pb2 as pb
from services.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ServiceError,
)
from services.rpc import on_behalf_of, raising_ours
from tests.executor.rig import ADMIN, Rig, executing, replica_of, secret, step, workflow
from tests.executor.working import (
    BACK,
    CANCELED,
    FAILED,
    has_workers,
    poll,
    queue,
    result,
    update,
    working,
)

ONE = workflow("one", step("a", "SIMPLE", n="${workflow.input.n}"))
TWO = workflow("two", {**step("a", "SIMPLE"), "name": "x"}, {**step("b", "SIMPLE"), "name": "x"})
QUICK = {"kind": "task", "name": "a", "retryCount": 3, "retryDelaySeconds": 0,
         "responseTimeoutSeconds": 1}  # fmt: skip


def output(result: executor_pb2.Result) -> Any:
    return json.loads(result.output)


async def test_a_worker_is_pushed_what_comes_while_it_is_free(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig, working(rig, "a") as worker:
        id = await rig.begin("one", input={"n": 7}, correlation_id="c", priority=3)
        task = await worker.task()
        worker.result(task, output={"receipt": 1})

        assert (task.execution_id, task.ref, task.task_type) == (id, "a", "a")
        assert (json.loads(task.input), task.correlation_id, task.priority) == ({"n": 7}, "c", 3)
        assert (task.attempt, task.poll_count) == (0, 1)
        assert task.response_timeout.seconds == 3600
        ended = await rig.ended(id)
        assert output(ended) == {"receipt": 1}
        assert (await worker.answer()).code == 0
        shown = json.loads((await rig.get(id)).document)["tasks"][0]
        assert (shown["taskType"], shown["workerId"], shown["status"]) == ("a", "w1", "COMPLETED")


async def test_a_task_that_is_due_while_a_worker_is_free_takes_one_commit(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [TWO]) as rig, working(rig, "x", slots=2) as worker:
        await rig.begin("two")
        first = await worker.task()
        before = rig.runtime.engine.decisions
        worker.result(first)
        second = await worker.task()

        assert second.ref == "b"
        # The result, and with it the turn of what follows.
        assert rig.runtime.engine.decisions == before + 1


async def test_what_waits_is_pushed_by_priority_and_then_in_order(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        for number, priority in enumerate((0, 5, 0, 99)):
            await rig.begin("one", input={"n": number}, priority=priority)
        assert (await queue(rig, "a")).size == 4
        async with working(rig, "a") as worker:
            seen = []
            for _ in range(4):
                task = await worker.task()
                seen.append(json.loads(task.input)["n"])
                worker.result(task)

    assert seen == [3, 1, 0, 2]


async def test_a_worker_has_no_more_than_it_has_room_for(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig, working(rig, "a", slots=2) as worker:
        ids = [await rig.begin("one") for _ in range(3)]
        first, _ = await worker.task(), await worker.task()
        assert worker.tasks.empty()
        assert (await queue(rig, "a")).size == 1
        worker.result(first)

        assert (await worker.task()).execution_id in ids


async def until_nobody_is_connected(rig: Rig) -> None:
    async with asyncio.timeout(20):
        while True:
            standing = await queue(rig, "a")
            if not any(each.connected for each in standing.workers):
                return
            await asyncio.sleep(0.005)


async def test_who_polls_works_for_a_queue_and_who_has_ended_its_stream_does_not(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        async with working(rig, "a"):
            pass
        await until_nobody_is_connected(rig)
        assert await poll(rig, "a", worker="polls") == []
        standing = await queue(rig, "a")

    assert {each.worker_id: (each.connected, each.active) for each in standing.workers} == {
        "w1": (False, False), "polls": (False, True),
    }  # fmt: skip


async def test_workers_are_given_tasks_in_turns(tmp_path: Path) -> None:
    async with (
        executing(tmp_path / "e.db", [ONE]) as rig,
        working(rig, "a", slots=9) as one,
        working(rig, "a", slots=9, worker="w2") as other,
    ):
        for _ in range(4):
            await rig.begin("one")
        for _ in range(2):
            await one.task()
            await other.task()
        standing = await queue(rig, "a")

    assert (standing.size, standing.running) == (0, 4)
    assert all(each.active for each in standing.workers)
    assert {(each.worker_id, each.running, each.connected) for each in standing.workers} == {
        ("w1", 2, True), ("w2", 2, True),
    }  # fmt: skip


async def test_a_broken_stream_keeps_its_tasks_until_the_response_time_out(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE, QUICK]) as rig:
        async with working(rig, "a") as worker:
            id = await rig.begin("one")
            lost = await worker.task()
        assert await poll(rig, "a", worker="w2") == []
        # A second is the least that a definition can say.
        (task,) = await poll(rig, "a", seconds=5, worker="w2")
        assert (task.execution_id, task.attempt) == (id, 1)
        with pytest.raises(Conflict, match="another one has taken its place"), raising_ours():
            await update(rig, result(lost))
        await update(rig, result(task, output={"by": "w2"}), "w2")

        assert output(await rig.ended(id)) == {"by": "w2"}


async def test_who_lets_a_tasks_time_pass_in_silence_is_given_nothing_until_it_speaks(
    tmp_path: Path,
) -> None:
    async with (
        executing(tmp_path / "e.db", [ONE, QUICK]) as rig,
        working(rig, "a", slots=3) as worker,
    ):
        await rig.begin("one")
        lost = await worker.task()
        assert await asyncio.wait_for(worker.ended.get(), 20) == lost.task_id
        following = await rig.begin("one")
        assert (await queue(rig, "a")).size == 2
        (again,) = await poll(rig, "a", worker="w2")
        assert (again.execution_id, again.attempt) == (lost.execution_id, 1)
        assert worker.tasks.empty()

        worker.say(let_go=[lost.task_id])

        assert (await worker.task()).execution_id == following


async def test_what_a_worker_lets_go_is_another_ones_at_once(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig, working(rig, "a") as one:
        await rig.begin("one")
        task = await one.task()
        async with working(rig, "a", worker="w2") as other:
            one.say(let_go=[task.task_id], stopping=True)
            again = await other.task()

        assert (again.task_id, again.poll_count) == (task.task_id, 2)


async def test_a_stream_ends_well_once_a_stopping_worker_is_done(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig, working(rig, "a", slots=5) as worker:
        await rig.begin("one")
        task = await worker.task()
        worker.say(stopping=True)
        await rig.begin("one")
        worker.result(task)
        await asyncio.wait_for(worker.over.wait(), 5)

        assert (worker.error, worker.tasks.empty()) == (None, True)
        assert (await queue(rig, "a")).size == 1


async def test_a_worker_that_comes_again_says_what_it_still_has(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        async with working(rig, "a", slots=3) as worker:
            ids = [await rig.begin("one") for _ in range(2)]
            kept, _ = await worker.task(), await worker.task()
        async with working(
            rig, "a", slots=2, holds=[kept.task_id, "gone"], exclusive=True
        ) as worker:
            again = await worker.task()
            assert {kept.execution_id, again.execution_id} == set(ids)
            assert again.poll_count == 2
            assert await worker.ended.get() == "gone"
            worker.result(kept)
            assert (await worker.answer()).code == 0


async def test_what_a_worker_is_still_at_takes_a_slot_until_it_lets_go(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        async with working(rig, "a") as worker:
            await rig.begin("one")
            stuck = await worker.task()
        await rig.stub.TerminateExecution(
            executor_pb2.TerminateExecutionRequest(execution_id=stuck.execution_id), metadata=ADMIN
        )
        async with working(rig, "a", at_work=[stuck.task_id]) as worker:
            assert await worker.ended.get() == stuck.task_id
            id = await rig.begin("one")
            assert (await queue(rig, "a")).size == 1
            worker.say(let_go=[stuck.task_id])
            assert (await worker.task()).execution_id == id


async def test_a_kill_gives_no_task_to_two(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig, working(rig, "a", slots=1) as worker:
        ids = [await rig.begin("one", input={"n": n}) for n in range(3)]
        task = await worker.task()
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        standing = await queue(rig, "a")
        assert (standing.size, standing.running) == (2, 1)
        tasks = await poll(rig, "a", count=9, worker="w2")
        assert {each.execution_id for each in tasks} == set(ids) - {task.execution_id}
        await update(rig, result(task, output={"late": True}))

        assert output(await rig.ended(task.execution_id)) == {"late": True}


async def test_a_poll_waits_for_what_comes(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        assert await poll(rig, "a") == []
        waiting = asyncio.create_task(poll(rig, "a", seconds=5, count=5))
        await has_workers(rig, "a")
        id = await rig.begin("one")

        assert [task.execution_id for task in await waiting] == [id]


async def test_a_batch_has_all_that_are_there(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        for _ in range(5):
            await rig.begin("one")

        assert len(await poll(rig, "a", count=3)) == 3
        assert len(await poll(rig, "a", count=3)) == 2


async def test_a_poll_that_is_given_up_has_nothing(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        waiting = asyncio.create_task(poll(rig, "a", seconds=5))
        await has_workers(rig, "a")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        id = await rig.begin("one")
        (task,) = await poll(rig, "a", seconds=5, worker="w2")

        assert task.execution_id == id


async def test_a_lease_is_extended_by_a_word(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE, QUICK]) as rig:
        id = await rig.begin("one")
        (task,) = await poll(rig, "a")
        for _ in range(3):
            # Together longer than the time-out.
            await asyncio.sleep(0.5)
            await update(rig, result(task), extend=True)
        await update(rig, result(task, output={"x": 1}))

        assert output(await rig.ended(id)) == {"x": 1}


async def test_what_is_given_back_comes_again_after_its_time(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        await rig.begin("one")
        (task,) = await poll(rig, "a")
        back = result(task, BACK, {"seen": 1})
        back.callback_after.FromTimedelta(timedelta(milliseconds=50))
        await update(rig, back)
        assert (await queue(rig, "a")).running == 0
        (again,) = await poll(rig, "a", seconds=5, worker="w2")

        assert (again.task_id, json.loads(again.output)) == (task.task_id, {"seen": 1})
        with pytest.raises(Conflict, match="not this worker's"), raising_ours():
            await update(rig, result(task))


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        ({"worker": "w2"}, Conflict, "not this worker's"),
        ({"task_id": "nope"}, NotFound, "no task 'nope'"),
        ({"execution_id": "nope"}, NotFound, "no execution 'nope'"),
        ({"task_id": "nope", "execution_id": ""}, NotFound, "No worker has that task"),
        ({"status": 0}, InvalidRequest, "status must be one of"),
        ({"output": "[1]"}, InvalidRequest, "must be a JSON object"),
        ({"output": "{"}, InvalidRequest, "cannot be taken"),
        ({"reason": "a" * 100_001}, InvalidRequest, "longer than 100000"),
        ({"logs": ["x"] * 11}, InvalidRequest, "more than 10 lines"),
        ({"logs": ["x" * 10_241]}, InvalidRequest, "longer than 10240"),
        ({"output": '{"x": "' + "a" * (25 << 20) + '"}'}, Conflict, "25 MiB, and 24 are allowed"),
    ],
)
async def test_a_word_that_cannot_be_taken_changes_nothing(
    tmp_path: Path, change: dict[Any, Any], error: type[ServiceError], why: str
) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        id = await rig.begin("one")
        (task,) = await poll(rig, "a")
        before = (await rig.get(id)).document
        worker = change.pop("worker", "w1")
        said = result(task)
        for name, value in change.items():
            said.ClearField(name)
            said.MergeFrom(pb.TaskResult(**{name: value}))
        with pytest.raises(error, match=why), raising_ours():
            await update(rig, said, worker)

        assert (await rig.get(id)).document == before


async def test_a_word_said_twice_is_taken_and_another_one_refused(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig, working(rig, "a") as worker:
        id = await rig.begin("one")
        task = await worker.task()
        worker.result(task, output={"x": 1})
        worker.result(task, output={"x": 1})
        worker.result(task, FAILED)
        answers = [await worker.answer() for _ in range(3)]

        assert [answer.code for answer in answers[:2]] == [0, 0]
        assert answers[2].detail == "The task has ended already: it is COMPLETED."
        assert output(await rig.ended(id)) == {"x": 1}


@pytest.mark.parametrize(
    ("optional", "status", "task_status"),
    [(False, "TERMINATED", "CANCELED"), (True, "COMPLETED", "COMPLETED_WITH_ERRORS")],
)
async def test_a_task_that_its_worker_cancels_is_not_tried_again(
    tmp_path: Path, optional: bool, status: str, task_status: str
) -> None:
    flow = workflow("one", {**step("a", "SIMPLE"), "optional": optional})
    async with executing(tmp_path / "e.db", [flow, QUICK]) as rig, working(rig, "a") as worker:
        id = await rig.begin("one")
        worker.result(await worker.task(), CANCELED, {"x": 1})
        await rig.ended(id)
        shown = json.loads((await rig.get(id)).document)

    assert shown["status"] == status
    assert [(each["status"], each["outputData"]) for each in shown["tasks"]] == [
        (task_status, {"x": 1})
    ]


async def test_a_worker_hears_of_the_end_of_what_it_has(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig, working(rig, "a") as worker:
        id = await rig.begin("one")
        task = await worker.task()
        await rig.stub.TerminateExecution(
            executor_pb2.TerminateExecutionRequest(execution_id=id), metadata=ADMIN
        )
        assert await asyncio.wait_for(worker.ended.get(), 5) == task.task_id
        following = await rig.begin("one")
        worker.say(let_go=[task.task_id])

        assert (await worker.task()).execution_id == following


async def test_secrets_are_put_in_at_hand_off_and_masked_in_what_comes_back(tmp_path: Path) -> None:
    flow = workflow("hush", step("a", "SIMPLE", token="Bearer ${workflow.secrets.TOKEN}"))
    async with executing(tmp_path / "e.db", [flow, secret("TOKEN", "hunter2!")]) as rig:
        id = await rig.begin("hush")
        (task,) = await poll(rig, "a")
        assert json.loads(task.input) == {"token": "Bearer hunter2!"}
        await update(rig, result(task, output={"echo": "hunter2!"}, logs=["hunter2! it is"]))
        await rig.ended(id)
        logs = await rig.workers.ListTaskLogs(
            pb.ListTaskLogsRequest(execution_id=id, ref="a"), metadata=ADMIN
        )

        assert "hunter2!" not in (await rig.get(id)).document
        assert [line.line for line in logs.lines] == ["*** it is"]


async def test_a_secret_that_is_not_there_fails_the_task(tmp_path: Path) -> None:
    flow = workflow("hush", step("a", "SIMPLE", token="${workflow.secrets.TOKEN}"))
    async with executing(tmp_path / "e.db", [flow]) as rig, working(rig, "a"):
        ended = await rig.run("hush")

        assert ended.reason.endswith("reason: 'There is no secret 'TOKEN', or it has no value.'")


async def test_who_gives_a_task_back_and_has_it_again_loses_no_hand(tmp_path: Path) -> None:
    """With a hand free it is given once more in the commit of its own answer."""
    async with (
        executing(tmp_path / "e.db", [ONE]) as rig,
        working(rig, "a", slots=2) as stream,
    ):
        id = await rig.begin("one")
        stream.result(await stream.task(), BACK)
        stream.result(await stream.task())
        assert (await rig.ended(id)).status == executor_pb2.EXECUTION_STATUS_COMPLETED
        for _ in range(2):
            await rig.begin("one")
        assert (await stream.task()).task_id != (await stream.task()).task_id


async def test_a_task_whose_decision_is_made_again_is_given_once(tmp_path: Path) -> None:
    """What it is decided with starts what another execution has the key of: that is known late."""
    keyed = {"name": "other", "idempotencyKey": "k", "idempotencyStrategy": "RETURN_EXISTING"}
    start = step("s", "START_WORKFLOW", startWorkflow={**keyed})
    fork = {**step("f", "FORK_JOIN"), "forkTasks": [[start], [step("a", "SIMPLE")]]}
    join = {**step("j", "JOIN"), "joinOn": ["s", "a"]}
    other = workflow("other", step("n", "NOOP"))
    async with (
        executing(tmp_path / "e.db", [workflow("both", fork, join), other]) as rig,
        working(rig, "a") as stream,
    ):
        for _ in range(3):
            id = await rig.begin("both")
            stream.result(await stream.task())
            assert (await rig.ended(id)).status == executor_pb2.EXECUTION_STATUS_COMPLETED


async def test_the_log_of_a_task_is_kept_in_order(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        id = await rig.begin("one")
        (task,) = await poll(rig, "a")
        for lines in (["one", "two"], ["three"]):
            await rig.workers.AddTaskLog(
                pb.AddTaskLogRequest(
                    execution_id=id, task_id=task.task_id, worker_id="w1", lines=lines
                ),
                metadata=ADMIN,
            )
        await update(rig, result(task, logs=["done"]))
        logs = await rig.workers.ListTaskLogs(
            pb.ListTaskLogsRequest(execution_id=id, ref="a"), metadata=ADMIN
        )

        assert [line.line for line in logs.lines] == ["one", "two", "three", "done"]
        with pytest.raises(Conflict), raising_ours():
            await rig.workers.AddTaskLog(
                pb.AddTaskLogRequest(execution_id=id, task_id=task.task_id, lines=["late"]),
                metadata=ADMIN,
            )


async def test_the_domain_is_the_first_with_workers(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        domains = {"a": "eu,us,NO_DOMAIN"}
        await rig.begin("one", task_to_domain=domains)
        assert [task.domain for task in await poll(rig, "a")] == [""]
        assert await poll(rig, "a", domain="us") == []
        await rig.begin("one", task_to_domain=domains)

        assert [task.domain for task in await poll(rig, "a", domain="us")] == ["us"]


@pytest.mark.parametrize("domains", [{"a": "x:y"}, {"a": "=x"}, {"a": "x" * 1001}])
async def test_a_domain_that_cannot_be_is_refused(tmp_path: Path, domains: dict[str, str]) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        with pytest.raises(InvalidRequest, match="task_to_domain"), raising_ours():
            await rig.begin("one", task_to_domain=domains)


def limited(**limits: int) -> dict[str, Any]:
    return {"kind": "task", "name": "a", "retryCount": 0, **limits}


async def test_no_more_than_the_limit_are_at_work_and_the_next_begins_at_once(
    tmp_path: Path,
) -> None:
    definitions = [ONE, limited(concurrentExecLimit=2)]
    async with (
        executing(tmp_path / "e.db", definitions) as rig,
        working(rig, "a", slots=9) as worker,
    ):
        for _ in range(4):
            await rig.begin("one")
        first, _ = await worker.task(), await worker.task()
        assert (await queue(rig, "a")).size == 2
        worker.result(first)
        await worker.task()
        assert worker.tasks.empty()
    async with executing(tmp_path / "e.db", definitions) as rig:
        # Two are at work still, whoever has them.
        assert await poll(rig, "a", count=9, worker="w2") == []


async def test_no_more_than_the_rate_begin_and_a_crash_forgets_none(tmp_path: Path) -> None:
    definitions = [ONE, limited(rateLimitPerFrequency=2, rateLimitFrequencyInSeconds=600)]
    for expected in (2, 0):
        async with executing(tmp_path / "e.db", definitions) as rig:
            for _ in range(3):
                await rig.begin("one")

            assert len(await poll(rig, "a", count=9)) == expected


async def test_the_next_begins_when_the_window_has_moved_on(tmp_path: Path) -> None:
    definitions = [ONE, limited(rateLimitPerFrequency=1, rateLimitFrequencyInSeconds=1)]
    async with executing(tmp_path / "e.db", definitions) as rig:
        for _ in range(2):
            await rig.begin("one")
        assert len(await poll(rig, "a", count=9)) == 1

        assert len(await poll(rig, "a", seconds=5, count=9)) == 1


async def test_limits_hold_for_tasks_that_are_built_in(tmp_path: Path) -> None:
    flow = workflow("waits", {**step("w", "WAIT", duration="1 hour"), "name": "a"})
    definitions = [flow, limited(concurrentExecLimit=1)]
    async with executing(tmp_path / "e.db", definitions) as rig:
        first, second = await rig.begin("waits"), await rig.begin("waits")
        statuses = [(await rig.get(id)).tasks[0].status for id in (first, second)]
        assert statuses == [
            executor_pb2.TASK_STATUS_IN_PROGRESS,
            executor_pb2.TASK_STATUS_SCHEDULED,
        ]
    async with executing(tmp_path / "e.db", definitions) as rig:
        await rig.stub.UpdateTask(
            executor_pb2.UpdateTaskRequest(
                execution_id=first, ref="w", status=executor_pb2.TASK_STATUS_COMPLETED
            ),
            metadata=ADMIN,
        )
        async for change in rig.stub.WatchExecution(
            executor_pb2.WatchExecutionRequest(execution_id=second), metadata=ADMIN
        ):
            if any(task.status == executor_pb2.TASK_STATUS_IN_PROGRESS for task in change.tasks):
                break


async def test_tasks_of_workers_that_are_gone_are_put_back(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        async with working(rig, "a", slots=1) as worker:
            for _ in range(2):
                await rig.begin("one")
            await worker.task()
            await poll(rig, "a", worker="w2")
            requeue = pb.RequeueTasksRequest(task_type="a")
            # The one that is connected keeps its own.
            assert (await rig.workers.RequeueTasks(requeue, metadata=ADMIN)).count == 1
        (task,) = await poll(rig, "a", seconds=5, worker="w3")

        assert task.poll_count == 2


async def test_who_is_connected_hears_that_its_task_was_put_back(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig, working(rig, "a") as first:
        await rig.begin("one")
        task = await first.task()
        async with working(rig, "a", worker="w2") as second:
            requeue = pb.RequeueTasksRequest(task_type="a", worker_id="w1")
            assert (await rig.workers.RequeueTasks(requeue, metadata=ADMIN)).count == 1
            async with asyncio.timeout(5):
                assert await first.ended.get() == task.task_id
            assert (await second.task()).task_id == task.task_id
            first.say(let_go=[task.task_id])
            # Its hand is free, and what the other one has stays so.
            second.result(task)
            assert not (await second.answer()).code
            await rig.begin("one")
            await first.task()


@pytest.mark.parametrize(
    ("hello", "error", "why"),
    [
        ({"worker_id": "w"}, InvalidRequest, "1 to 1000 offers"),
        ({"offers": [pb.Offer(task_type="a", slots=1)]}, InvalidRequest, "the worker_id"),
        ({"worker_id": "w", "offers": [pb.Offer(task_type="a")]}, InvalidRequest, "slots"),
        ({"worker_id": "w", "offers": [pb.Offer(slots=1)]}, InvalidRequest, "task_type"),
        ({"worker_id": "w", "offers": [pb.Offer(task_type="a", slots=1, domain="a:b")]},
         InvalidRequest, "domain"),
    ],
)  # fmt: skip
async def test_a_hello_that_makes_no_sense_is_refused(
    tmp_path: Path, hello: dict[str, Any], error: type[ServiceError], why: str
) -> None:
    async with executing(tmp_path / "e.db", [ONE]) as rig:
        call = rig.workers.Work(iter([pb.WorkRequest(hello=pb.Hello(**hello))]), metadata=ADMIN)
        with pytest.raises(error, match=why), raising_ours():
            async for _ in call:
                pass


async def test_only_who_may_do_a_task_is_given_it(tmp_path: Path) -> None:
    may = {"access": ["EXECUTE"], "target": {"type": "task", "id": "a"}}
    replica = replica_of(
        ONE,
        {"kind": "application", "id": "worker", "roles": ["WORKER"]},
        {"kind": "application", "id": "granted", "permissions": [may]},
        {"kind": "application", "id": "viewer", "roles": ["VIEWER"]},
    )
    async with executing(tmp_path / "e.db", replica) as rig:

        async def tried(who: str, kind: str) -> None:
            with raising_ours():
                await rig.workers.PollTask(
                    pb.PollTaskRequest(task_type=kind), metadata=on_behalf_of(who)
                )

        await tried("worker", "a")
        await tried("granted", "a")
        for who, kind in (("granted", "b"), ("viewer", "a")):
            with pytest.raises(PermissionDenied):
                await tried(who, kind)
        async with working(rig, "a", application="worker"):
            call = rig.workers.Work(
                iter([pb.WorkRequest(hello=pb.Hello(
                    worker_id="w1", offers=[pb.Offer(task_type="a", slots=1)]
                ))]),
                metadata=on_behalf_of("granted"),
            )  # fmt: skip
            with pytest.raises(AlreadyExists), raising_ours():
                async for _ in call:
                    pass


async def test_who_has_no_task_of_a_worker_writes_nothing_for_it(tmp_path: Path) -> None:
    async with executing(tmp_path / "e.db", [workflow("plain", step("n", "NOOP"))]) as rig:
        await rig.run("plain")

        def counted(db: Any) -> int:
            return int(db.execute("SELECT count(*) FROM tasks WHERE queue != ''").fetchone()[0])

        assert await rig.store.readers.read(counted) == 0


async def test_the_queues_are_read_by_their_index(tmp_path: Path) -> None:
    from services.executor import turn_rows

    async with executing(tmp_path / "e.db", [ONE]) as rig:
        said: list[str] = []

        def plan(db: Any) -> list[str]:
            db.set_trace_callback(said.append)
            turn_rows.in_queues(db)
            db.set_trace_callback(None)
            return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {said[0]}")]

        steps = await rig.store.readers.read(plan)

    assert any("tasks_in_queues" in each for each in steps)


async def test_what_workers_say_of_one_execution_is_stored_together(tmp_path: Path) -> None:
    fork = {**step("f", "FORK_JOIN"), "forkTasks": [[step(f"a{n}", "SIMPLE")] for n in range(40)]}
    for branch in fork["forkTasks"]:
        branch[0]["name"] = "a"
    join = {**step("j", "JOIN"), "joinOn": [f"a{n}" for n in range(40)]}
    async with (
        executing(tmp_path / "e.db", [workflow("wide", fork, join)]) as rig,
        working(rig, "a", slots=40) as worker,
    ):
        id = await rig.begin("wide")
        tasks = [await worker.task() for _ in range(40)]
        before = len(rig.store.writer.commits)
        worker.say(results=[*map(result, tasks), result(tasks[0]), result(tasks[1], FAILED)])
        codes = [(await worker.answer()).code for _ in range(42)]
        await rig.ended(id)

        # One that is refused is tried alone, and so are those that were with it.
        assert codes.count(0) == 41
        assert len(rig.store.writer.commits) - before <= 45
