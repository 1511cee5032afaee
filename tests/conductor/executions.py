"""Executions for rows of the record: each row has its own, standing where its name says."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest

from podium.executor.v1 import executor_pb2 as pb
from tests.conductor.rows import Row
from tests.tui.services import Services, put
from tui.clients import connected

WAIT = {"name": "wait", "taskReferenceName": "wait", "type": "WAIT"}
NOOP = {"name": "noop", "taskReferenceName": "noop", "type": "NOOP"}
FAIL = {
    "name": "end", "taskReferenceName": "end", "type": "TERMINATE",
    "inputParameters": {"terminationStatus": "FAILED", "terminationReason": "So it is."},
}  # fmt: skip
LATER = {"name": "later", "taskReferenceName": "later", "type": "NOOP"}
# Workers poll for it; nobody is told here why one fails.
WORK = {"name": "ops-work", "taskReferenceName": "work", "type": "SIMPLE"}
WORKFLOWS = (
    {"name": "ops-work", "kind": "task", "retryCount": 0, "responseTimeoutSeconds": 60,
     "rateLimitPerFrequency": 7, "rateLimitFrequencyInSeconds": 5},
    {"name": "ops-wait", "tasks": [WAIT, LATER], "variables": {"v": 1},
     "failureWorkflow": "ops-done"},
    {"name": "ops-wait", "version": 2, "tasks": [WAIT]},
    {"name": "ops-done", "tasks": [NOOP], "outputParameters": {"n": "${workflow.input.n}"}},
    {"name": "ops-once", "tasks": [NOOP], "restartable": False},
    {"name": "ops-failed", "tasks": [WORK, LATER]},
    {"name": "ops-ended", "tasks": [NOOP, FAIL]},
    {"name": "ops-parent", "tasks": [
        {"name": "child", "taskReferenceName": "child", "type": "SUB_WORKFLOW",
         "subWorkflowParam": {"name": "ops-wait", "version": 1}}]},
)  # fmt: skip
NOWHERE = "00000000-0000-4000-8000-000000000000"
_NAMED = re.compile(r"<([a-z_]+)>")


class Making:
    """Makes executions that stand where they should."""

    def __init__(self, api: httpx.AsyncClient, executor: Any) -> None:
        self._api = api
        self.executor = executor

    async def started(self, **body: Any) -> str:
        answer = await self._api.post("/api/workflow", json=body)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def ended(self, name: str) -> str:
        start = pb.Start(workflow_name=name, input='{"n":1}')
        request = pb.RunExecutionRequest(start=start)
        request.wait.FromSeconds(60)
        return str((await self.executor.RunExecution(request)).result.execution_id)

    async def running(self) -> str:
        return await self.started(name="ops-wait", version=1, correlationId="ops", priority=3)

    async def done(self) -> str:
        return await self.ended("ops-done")

    async def once(self) -> str:
        return await self.ended("ops-once")

    async def ended_by_task(self) -> str:
        return await self.ended("ops-ended")

    async def working(self) -> str:
        return await self.started(name="ops-failed")

    async def failed(self) -> str:
        id_ = await self.working()
        await self.executor.UpdateTask(
            pb.UpdateTaskRequest(execution_id=id_, ref="work", status=pb.TASK_STATUS_FAILED)
        )
        return id_

    async def paused(self) -> str:
        id_ = await self.running()
        await self.executor.PauseExecution(pb.PauseExecutionRequest(execution_id=id_))
        return id_

    async def terminated(self) -> str:
        id_ = await self.running()
        await self.executor.TerminateExecution(pb.TerminateExecutionRequest(execution_id=id_))
        return id_

    async def nowhere(self) -> str:
        return NOWHERE

    async def world_of(self, row: Row) -> Mapping[str, str]:
        """An execution for each name that ``row`` has."""
        written = json.dumps((row.path, row.body))
        names = dict.fromkeys(_NAMED.findall(written))
        makers: dict[str, Callable[[], Awaitable[str]]] = {
            name: getattr(self, name.rstrip("_")) for name in names
        }
        return {name: await make() for name, make in makers.items()}


@pytest.fixture(scope="session")
async def making(services: Services, api: httpx.AsyncClient) -> AsyncGenerator[Making]:
    await put(services, *WORKFLOWS)
    async with connected(services.suite) as clients:
        yield Making(api, clients.executor)


def error(status: int, message: str) -> dict[str, object]:
    """Conductor's error body."""
    return {"status": status, "message": message, "instance": str, "retryable": False}


def not_there(id_: str = NOWHERE) -> dict[str, object]:
    """What is told of an execution that nobody has."""
    return error(404, f"Workflow with id: {id_} not found.")


def fault(path: str, said: str) -> dict[str, object]:
    """What is told of one wrong field."""
    faults = [{"path": path, "message": said}]
    whole = f"There is a fault: {path}: {said}." if path else f"{said}."
    return {**error(400, whole), "validationErrors": faults}
