"""What task definitions ask of workers: whose they are, what they get beside the input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podium.executor.v1 import executor_pb2 as pb
from podium.worker.v1 import worker_pb2
from tests.executor.rig import ADMIN, Rig, executing, secret, step, workflow

VALUE = "s3cr3t-value"


def defined(**fields: Any) -> dict[str, Any]:
    return {"kind": "task", "name": "charge", "retryCount": 0, **fields}


async def polled(rig: Rig, task_type: str, domain: str = "") -> worker_pb2.Task:
    request = worker_pb2.PollTaskRequest(task_type=task_type, worker_id="w", domain=domain)
    return (await rig.workers.PollTask(request, metadata=ADMIN)).task


async def completed(rig: Rig, task: worker_pb2.Task, **output: Any) -> None:
    result = worker_pb2.TaskResult(
        task_id=task.task_id,
        execution_id=task.execution_id,
        status=worker_pb2.RESULT_STATUS_COMPLETED,
        output=json.dumps(output),
    )
    await rig.workers.UpdateTask(
        worker_pb2.UpdateTaskRequest(result=result, worker_id="w"), metadata=ADMIN
    )


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"executionNameSpace": "eu"}, "charge@eu"),
        ({"isolationGroupId": "big"}, "charge-big"),
        ({"executionNameSpace": "eu", "isolationGroupId": "big"}, "charge@eu-big"),
    ],
)
async def test_tasks_wait_for_workers_of_their_own(
    tmp_path: Path, fields: dict[str, Any], asked: str
) -> None:
    flow = workflow("pay", step("charge", "SIMPLE"))
    async with executing(tmp_path / "x.db", [flow, defined(**fields)]) as rig:
        execution_id = await rig.begin("pay", task_to_domain={"charge": "vip"})
        assert (await polled(rig, "charge", "vip")).task_id == ""
        task = await polled(rig, asked, "vip")
        assert (task.ref, task.name, task.task_type) == ("charge", "charge", asked)
        await completed(rig, task, paid=True)
        assert (await rig.ended(execution_id)).status == pb.EXECUTION_STATUS_COMPLETED
        (told,) = json.loads((await rig.get(execution_id)).document)["tasks"]
        assert fields.items() <= told.items()


async def test_workers_are_given_secrets_that_nobody_stores(tmp_path: Path) -> None:
    flow = workflow("pay", step("charge", "SIMPLE", a=1))
    definition = defined(runtimeMetadata=["TOKEN", "STAGE"])
    async with executing(
        tmp_path / "x.db",
        [flow, definition, secret("TOKEN", VALUE)],
        environment={"STAGE": {"name": "test"}},
    ) as rig:
        execution_id = await rig.begin("pay")
        task = await polled(rig, "charge")
        assert dict(task.runtime_metadata) == {"TOKEN": VALUE, "STAGE": '{"name":"test"}'}
        assert json.loads(task.input) == {"a": 1}
        await completed(rig, task, echo=f"with {VALUE}")

        result = await rig.ended(execution_id)
        assert json.loads(result.output) == {"echo": "with ***"}
        assert VALUE not in (await rig.get(execution_id)).document
    assert VALUE.encode() not in (tmp_path / "x.db").read_bytes()


async def test_metadata_that_is_not_there_fails_the_task(tmp_path: Path) -> None:
    flow = workflow("pay", step("charge", "SIMPLE"))
    async with executing(tmp_path / "x.db", [flow, defined(runtimeMetadata=["NOPE"])]) as rig:
        execution_id = await rig.begin("pay")
        assert (await polled(rig, "charge")).task_id == ""
        result = await rig.ended(execution_id)
        assert result.status == pb.EXECUTION_STATUS_FAILED
        assert "runtimeMetadata names 'NOPE'" in result.reason


async def test_the_environment_is_read_where_it_is_allowed(tmp_path: Path) -> None:
    output = {"stage": "${workflow.env.STAGE}", "url": "at ${workflow.env.APP.url}",
              "home": "${workflow.env.HOME}"}  # fmt: skip
    flow = workflow("reads", step("t", "NOOP"), outputParameters=output)
    environment = {"STAGE": "test", "APP": {"url": "http://a"}}
    async with executing(tmp_path / "x.db", [flow], environment=environment) as rig:
        result = await rig.run("reads")
        assert json.loads(result.output) == {"stage": "test", "url": "at http://a", "home": None}

        given = {**flow, "name": "given"}
        own = await rig.run("given", workflow_definition=json.dumps(given))
        assert own.status == pb.EXECUTION_STATUS_COMPLETED
