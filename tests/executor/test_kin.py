"""Sub-workflows: what parents and children hear of each other; over crashes in tests/simulation."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import web

from podium.executor.v1 import executor_pb2 as pb
from services.executor.core.events import Retried
from tests.executor.rig import (
    ADMIN,
    Rig,
    executing,
    http,
    put,
    step,
    upstream,
    workflow,
)

COMPLETED = pb.EXECUTION_STATUS_COMPLETED
FAILED = pb.EXECUTION_STATUS_FAILED
TERMINATED = pb.EXECUTION_STATUS_TERMINATED


def sub(ref: str, name: str, *, inputs: dict[str, Any] | None = None, **param: Any) -> Any:
    """A step that runs a workflow."""
    return {
        **step(ref, "SUB_WORKFLOW", **(inputs or {})),
        "subWorkflowParam": {"name": name, **param},
    }


def set_to(value: str) -> Any:
    return step("n", "INLINE", evaluatorType="value-param", expression="x", x=value)


async def document(rig: Rig, execution_id: str) -> dict[str, Any]:
    found = await rig.get(execution_id)
    parsed: dict[str, Any] = json.loads(found.document)
    return parsed


async def child_of(rig: Rig, execution_id: str, ref: str = "s") -> str:
    tasks = (await document(rig, execution_id))["tasks"]
    return str(
        [t for t in tasks if t["referenceTaskName"] == ref][-1]["outputData"]["subWorkflowId"]
    )


async def test_a_sub_workflow_gives_its_output_and_its_id(tmp_path: Path) -> None:
    child = workflow("child", set_to("${workflow.input.x}"))
    parent = workflow("parent", sub("s", "child", inputs={"x": "hello"}))
    async with executing(tmp_path / "x.db", [child, parent]) as rig:
        result = await rig.run("parent", correlation_id="c-1")
        output = json.loads(result.output)
        started = await document(rig, output["subWorkflowId"])

    assert result.status == COMPLETED
    assert output["result"] == "hello"
    assert started["parentWorkflowId"] == result.execution_id
    assert started["correlationId"] == "c-1"


async def test_a_child_is_the_one_that_was_defined_when_its_parent_began(tmp_path: Path) -> None:
    parent = workflow("parent", step("w", "WAIT"), sub("s", "middle"))
    middle = workflow("middle", sub("s", "child"))
    async with executing(
        tmp_path / "x.db", [parent, middle, workflow("child", set_to("old"))]
    ) as rig:
        execution_id = await rig.begin("parent")
        put(rig.replica, workflow("child", set_to("new")), workflow("middle", set_to("none")))
        await rig.stub.UpdateTask(
            pb.UpdateTaskRequest(
                execution_id=execution_id, ref="w", status=pb.TASK_STATUS_COMPLETED
            ),
            metadata=ADMIN,
        )
        result = await rig.ended(execution_id)

    assert json.loads(result.output)["result"] == "old"


async def test_a_workflow_that_is_not_there_fails_the_task(tmp_path: Path) -> None:
    parent = workflow("parent", sub("s", "gone"))
    async with executing(tmp_path / "x.db", [parent]) as rig:
        result = await rig.run("parent")

    assert result.status == FAILED
    assert "There is no workflow 'gone'." in result.reason


async def test_a_definition_within_the_task_runs(tmp_path: Path) -> None:
    inline = {"name": "inner", "tasks": [set_to("${workflow.input.x}")]}
    parent = workflow("parent", sub("s", "", inputs={"x": 1}, workflowDefinition=inline))
    named = workflow("named", sub("s", "", workflowDefinition="${workflow.input.definition}"))
    async with executing(tmp_path / "x.db", [parent, named]) as rig:
        first = await rig.run("parent")
        other = await rig.run("named", input={"definition": {**inline, "name": "another"}})
        broken = await rig.run("named", input={"definition": {"tasks": 7}})

    assert (first.status, other.status, broken.status) == (COMPLETED, COMPLETED, FAILED)
    assert json.loads(first.output)["result"] == 1
    assert "cannot be run" in broken.reason


async def test_a_failed_child_fails_its_parent_and_a_terminated_parent_ends_its_child(
    tmp_path: Path,
) -> None:
    failing = workflow("failing", step("t", "TERMINATE", terminationStatus="FAILED",
                                       terminationReason="no"))  # fmt: skip
    waiting = workflow("waiting", step("w", "WAIT"))
    parents = [workflow("one", sub("s", "failing")), workflow("two", sub("s", "waiting"))]
    async with executing(tmp_path / "x.db", [failing, waiting, *parents]) as rig:
        failed = await rig.run("one")
        execution_id = await rig.begin("two")
        child = await child_of(rig, execution_id)
        await rig.stub.TerminateExecution(
            pb.TerminateExecutionRequest(execution_id=execution_id, reason="enough"),
            metadata=ADMIN,
        )
        ended = await rig.ended(child)

    assert failed.status == FAILED
    assert "Sub workflow failing.1/" in failed.reason
    assert (ended.status, ended.reason) == (
        TERMINATED, "Parent workflow has been terminated with reason: enough",
    )  # fmt: skip


async def test_levels_end_where_they_are_too_many(tmp_path: Path) -> None:
    itself = workflow("itself", sub("s", "${workflow.input.name}", inputs={"name": "itself"}))
    async with executing(tmp_path / "x.db", [itself]) as rig:
        result = await rig.run("itself", input={"name": "itself"}, seconds=20)

    assert result.status == FAILED
    assert "nest deeper than 100 levels" in result.reason


async def test_fifty_levels_end(tmp_path: Path) -> None:
    flows = [workflow(f"level{n}", sub("s", f"level{n + 1}")) for n in range(50)]
    async with executing(tmp_path / "x.db", [*flows, workflow("level50", set_to("deep"))]) as rig:
        result = await rig.run("level0")

    assert (result.status, json.loads(result.output)["result"]) == (COMPLETED, "deep")


async def test_a_child_that_is_retried_takes_its_parent_with_it(tmp_path: Path) -> None:
    answers = iter((500, 200, 200))

    def item(request: web.Request) -> web.Response:
        return web.json_response({}, status=next(answers))

    async with upstream(item=item) as remote:
        child = workflow("child", http("h", f"{remote.url}/item"))
        parent = workflow("parent", sub("s", "child"), step("end", "NOOP"))
        async with executing(tmp_path / "x.db", [child, parent]) as rig:
            failed = await rig.run("parent")
            child_id = await child_of(rig, failed.execution_id)
            await rig.stub.RetryExecution(
                pb.RetryExecutionRequest(execution_id=child_id), metadata=ADMIN
            )
            result = await rig.ended(failed.execution_id)
            tasks = (await document(rig, failed.execution_id))["tasks"]

    assert (failed.status, result.status) == (FAILED, COMPLETED)
    assert [(t["referenceTaskName"], t["retryCount"]) for t in tasks] == [("s", 0), ("end", 0)]


async def test_a_retry_may_go_on_in_the_child(tmp_path: Path) -> None:
    answers = iter((200, 500, 200))

    def item(request: web.Request) -> web.Response:
        return web.json_response({}, status=next(answers))

    async with upstream(item=item) as remote:
        url = f"{remote.url}/item"
        child = workflow("child", http("first", url), http("second", url))
        middle = workflow("middle", sub("s", "child"))
        parent = workflow("parent", sub("s", "middle"))
        async with executing(tmp_path / "x.db", [child, middle, parent]) as rig:
            failed = await rig.run("parent")
            rig.runtime.engine.tell(failed.execution_id, Retried(resume=True))
            result = await rig.ended(failed.execution_id)

    assert (failed.status, result.status) == (FAILED, COMPLETED)
    # The first call was not made again.
    assert len(remote.asked) == 3


async def test_what_is_started_goes_its_own_way(tmp_path: Path) -> None:
    parent = workflow(
        "parent", step("s", "START_WORKFLOW", startWorkflow={"name": "child", "input": {"x": 7}})
    )
    child = workflow("child", set_to("${workflow.input.x}"))
    async with executing(tmp_path / "x.db", [parent, child]) as rig:
        result = await rig.run("parent")
        started = await rig.ended(json.loads(result.output)["workflowId"])
        bad = await rig.run("parent", input={})

    assert (result.status, started.status, bad.status) == (COMPLETED, COMPLETED, COMPLETED)
    assert json.loads(started.output)["result"] == 7


async def test_many_children_end_at_once(tmp_path: Path) -> None:
    branches = [[sub(f"s{n}", "child")] for n in range(200)]
    parent = workflow(
        "parent",
        {**step("fork", "FORK_JOIN"), "forkTasks": branches},
        {**step("join", "JOIN"), "joinOn": [f"s{n}" for n in range(200)]},
    )
    async with executing(tmp_path / "x.db", [parent, workflow("child", step("n", "NOOP"))]) as rig:
        result = await rig.run("parent")
        await asyncio.sleep(0)

    assert (result.status, len(json.loads(result.output))) == (COMPLETED, 200)
