"""Idempotency keys of what tasks start: one of many begins, others attach to it or fail."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.executor import kinship
from tests.executor.rig import ADMIN, Rig, executing, step, workflow
from tests.executor.test_kin import document, sub
from tests.executor.test_operating import delete, signal, until
from tests.executor.test_starting_otherwise import begin

CHILD = workflow("child", step("ask", "HUMAN"), outputParameters={"said": "${ask.output.said}"})


def parent(name: str, strategy: str | None, **more: Any) -> dict[str, Any]:
    return workflow(
        name, sub("s", "child", idempotencyKey="${workflow.input.key}",
                  idempotencyStrategy=strategy), **more)  # fmt: skip


def starts(strategy: str) -> dict[str, Any]:
    start = {"name": "child", "idempotencyKey": "k", "idempotencyStrategy": strategy}
    return workflow("starts", step("s", "START_WORKFLOW", startWorkflow=start))


async def children(rig: Rig) -> list[str]:
    """The ids of all executions of the child, in order."""
    return await rig.store.readers.read(
        lambda db: [row[0] for row in db.execute(
            "SELECT id FROM executions WHERE workflow = 'child' ORDER BY created_at")]
    )  # fmt: skip


async def test_those_who_attach_end_as_the_one_that_began(tmp_path: Path) -> None:
    definitions = [CHILD, parent("flow", "RETURN_EXISTING")]
    async with executing(tmp_path / "x.db", definitions) as rig:
        held = await asyncio.gather(*(rig.begin("flow", input={"key": "k"}) for _ in range(12)))
        other = await rig.begin("flow", input={"key": "l"})
        ids = await children(rig)
        told = await rig.store.readers.read(kinship.unheard)
    async with executing(tmp_path / "x.db", definitions) as rig:
        (first,) = [
            each for each in ids if (await document(rig, each))["parentWorkflowId"] != other
        ]
        await signal(rig, first, output='{"said": "yes"}')
        results = [await rig.ended(each) for each in held]
        stands = (await rig.get(other)).state.status

    assert len(ids) == 2
    assert len(told.followed) == 11
    assert [json.loads(each.output) for each in results] == [
        {"subWorkflowId": first, "said": "yes"}
    ] * 12
    assert stands == pb.EXECUTION_STATUS_RUNNING


async def test_one_that_has_ended_is_attached_to_as_it_ended(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [CHILD, parent("flow", "RETURN_EXISTING")]) as rig:
        first = await begin(rig, "child", workflow_key="k")
        await signal(rig, first.execution_id, output='{"said": "before"}')
        result = await rig.run("flow", input={"key": "k"})

    assert json.loads(result.output)["said"] == "before"
    assert json.loads(result.output)["subWorkflowId"] == first.execution_id


@pytest.mark.parametrize("strategy", [None, "FAIL", "FAIL_ON_RUNNING"])
async def test_others_fail_and_say_who_has_the_key(tmp_path: Path, strategy: str | None) -> None:
    async with executing(tmp_path / "x.db", [CHILD, parent("flow", strategy)]) as rig:
        held = await asyncio.gather(*(rig.begin("flow", input={"key": "k"}) for _ in range(6)))
        found = [await document(rig, each) for each in held]
        (child,) = await children(rig)
        await signal(rig, child)
        again = await rig.begin("flow", input={"key": "k"})
        last = await document(rig, again)

    running = [each for each in found if each["status"] == "RUNNING"]
    failed = [each for each in found if each["status"] == "FAILED"]
    assert (len(running), len(failed)) == (1, 5)
    assert all(f"There is an execution {child} of this workflow" in each["reasonForIncompletion"]
               for each in failed)  # fmt: skip
    assert last["status"] == ("RUNNING" if strategy == "FAIL_ON_RUNNING" else "FAILED")


async def test_two_tasks_of_one_decision_share_what_the_first_starts(tmp_path: Path) -> None:
    param: Any = {"idempotencyKey": "k", "idempotencyStrategy": "RETURN_EXISTING"}
    branches = [[sub(f"s{number}", "child", **param)] for number in range(3)]
    fork = {**step("fork", "FORK_JOIN"), "forkTasks": branches}
    join = {**step("join", "JOIN"), "joinOn": ["s0", "s1", "s2"]}
    async with executing(tmp_path / "x.db", [CHILD, workflow("flow", fork, join)]) as rig:
        held = await rig.begin("flow")
        (child,) = await children(rig)
        await signal(rig, held)
        result = await rig.ended(held)
        found = await document(rig, held)

    assert result.status == pb.EXECUTION_STATUS_COMPLETED
    started = [each["outputData"]["subWorkflowId"] for each in found["tasks"]
               if each["taskType"] == "SUB_WORKFLOW"]  # fmt: skip
    assert started == [child] * 3


async def test_what_others_have_started_goes_on_without_those_who_attached(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [CHILD, parent("flow", "RETURN_EXISTING")]) as rig:
        first = await begin(rig, "child", workflow_key="k")
        held = await rig.begin("flow", input={"key": "k"})
        await rig.stub.TerminateExecution(
            pb.TerminateExecutionRequest(execution_id=held), metadata=ADMIN
        )
        stands = (await rig.get(first.execution_id)).state.status
        second = await rig.begin("flow", input={"key": "k"})
        await delete(rig, first.execution_id, terminate=True)
        await until(rig, second, "status", "TERMINATED")

    assert stands == pb.EXECUTION_STATUS_RUNNING


async def test_what_is_gone_after_a_crash_fails_those_who_wait_for_it(tmp_path: Path) -> None:
    definitions = [CHILD, parent("flow", "RETURN_EXISTING")]
    async with executing(tmp_path / "x.db", definitions) as rig:
        first = await begin(rig, "child", workflow_key="k")
        held = await rig.begin("flow", input={"key": "k"})
        await rig.store.writer.chore(
            lambda db: db.execute(
                "DELETE FROM executions WHERE id = ?", (first.execution_id,)
            ).close()
        )
    async with executing(tmp_path / "x.db", definitions) as rig:
        result = await rig.ended(held)

    assert result.status == pb.EXECUTION_STATUS_FAILED


async def fail(rig: Rig, execution_id: str) -> None:
    request = pb.UpdateTaskRequest(
        execution_id=execution_id, ref="ask", status=pb.TASK_STATUS_FAILED, reason="no"
    )
    await rig.stub.UpdateTask(request, metadata=ADMIN)


async def begun(rig: Rig, count: int) -> str:
    """The newest of so many executions of the child, once there are so many and it asks."""
    for _ in range(1000):
        if len(ids := await children(rig)) == count:
            asking = await document(rig, ids[-1])
            if asking["tasks"]:
                return ids[-1]
        await asyncio.sleep(0.01)
    raise AssertionError(f"{count} are never begun")


@pytest.mark.parametrize("strategy", ["FAIL", "RETURN_EXISTING", "FAIL_ON_RUNNING"])
async def test_a_retry_has_the_key_of_its_own_earlier_starts(tmp_path: Path, strategy: str) -> None:
    policy = {"kind": "task", "name": "s", "retryCount": 2, "retryDelaySeconds": 0}
    other = workflow("other", sub("o", "child", idempotencyKey="k"))
    definitions = [CHILD, policy, parent("flow", strategy), other]
    async with executing(tmp_path / "x.db", definitions) as rig:
        held = await rig.begin("flow", input={"key": "k"})
        seen = [await begun(rig, 1)]
        for count in (2, 3):
            await fail(rig, seen[-1])
            seen.append(await begun(rig, count))
        refused = await document(rig, (await rig.run("other")).execution_id)
        await signal(rig, seen[-1], output='{"said": "yes"}')
        result = await rig.ended(held)

    assert result.status == pb.EXECUTION_STATUS_COMPLETED
    assert f"There is an execution {seen[-1]} of this" in refused["reasonForIncompletion"]


async def test_an_operators_retry_has_it_too_and_what_others_started_stays_theirs(
    tmp_path: Path,
) -> None:
    async with executing(tmp_path / "x.db", [CHILD, parent("flow", "FAIL")]) as rig:
        held = await rig.begin("flow", input={"key": "k"})
        (first,) = await children(rig)
        late = await rig.run("flow", input={"key": "k"})
        await fail(rig, first)
        await until(rig, held, "status", "FAILED")
        for each in (held, late.execution_id):
            request = pb.RetryExecutionRequest(execution_id=each)
            await rig.stub.RetryExecution(request, metadata=ADMIN)
        stands = [(await document(rig, each))["status"] for each in (held, late.execution_id)]
        ids = await children(rig)

    assert stands == ["RUNNING", "FAILED"]
    assert len(ids) == 2


async def test_start_workflow_names_the_one_that_is_there_or_fails(tmp_path: Path) -> None:
    async with executing(tmp_path / "x.db", [CHILD, starts("RETURN_EXISTING")]) as rig:
        results = [await rig.run("starts") for _ in range(3)]
        ids = await children(rig)
    async with executing(tmp_path / "y.db", [CHILD, starts("FAIL")]) as rig:
        first, second = await rig.run("starts"), await rig.run("starts")

    assert [json.loads(each.output) for each in results] == [{"workflowId": ids[0]}] * 3
    assert len(ids) == 1
    assert (first.status, second.status) == (
        pb.EXECUTION_STATUS_COMPLETED, pb.EXECUTION_STATUS_FAILED
    )  # fmt: skip


@pytest.mark.parametrize(
    ("param", "said"),
    [({"idempotencyKey": ["k"]}, "must be text"), ({"idempotencyKey": "k" * 1001}, "longer than"),
     ({"idempotencyKey": "k", "idempotencyStrategy": "NEVER"}, "must be one of FAIL")],
)  # fmt: skip
async def test_a_key_that_is_none_fails_the_task(
    tmp_path: Path, param: dict[str, Any], said: str
) -> None:
    async with executing(
        tmp_path / "x.db", [CHILD, workflow("flow", sub("s", "child", **param))]
    ) as rig:
        result = await rig.run("flow")
        found = await document(rig, result.execution_id)

    assert said in found["reasonForIncompletion"]
