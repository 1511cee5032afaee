"""Calls that wait: for tasks deep down and of several names, by callers with few rights."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from podium.registry.v1 import registry_pb2
from tests.conductor.rows import Row, difference, exchanged
from tests.tui.services import Services, put
from tui.clients import connected

RUN, TASKS = "/api/workflow/execute/", "/api/tasks"


def _task(ref: str, kind: str, **inputs: Any) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": inputs}


def _sub(name: str) -> dict[str, Any]:
    return {**_task("s", "SUB_WORKFLOW", of=name), "subWorkflowParam": {"name": name}}


def _said(ref: str, value: object) -> dict[str, Any]:
    return _task(ref, "INLINE", evaluatorType="value-param", expression="x", x=value)


WORKFLOWS = (
    {"name": "bl-deep", "variables": {"of": "deep"}, "outputParameters": {"a": "${one.output}"},
     "tasks": [_task("one", "WAIT", q="first?"), _task("two", "HUMAN", q="second?")]},
    {"name": "bl-middle", "tasks": [_said("n", 1), _sub("bl-deep")]},
    {"name": "bl-top", "tasks": [_sub("bl-middle"), _task("own", "WAIT", q="own?")]},
    {"name": "bl-refs", "tasks": [_said("first", 1), _said("second", 2),
                                  _task("hour", "WAIT", duration="1 hour")]},
    {"name": "bl-fork", "tasks": [
        {**_task("f", "FORK_JOIN"), "forkTasks": [
            [_task("hour", "WAIT", duration="1 hour"), _said("late", 1)], [_said("quick", 2)]]},
        {**_task("j", "JOIN"), "joinOn": ["late", "quick"]}]},
)  # fmt: skip


@pytest.fixture(scope="module")
async def world(services: Services, api: httpx.AsyncClient) -> dict[str, str]:
    may = {"target": {"type": "workflow", "id": "bl-top"}, "access": ["EXECUTE"]}
    caller = {"kind": "application", "id": "bl-caller", "permissions": [may]}
    await put(services, *({"kind": "workflow", **each} for each in WORKFLOWS), caller)
    return {}


@pytest.fixture(scope="module")
async def caller(services: Services, world: dict[str, str]) -> AsyncGenerator[httpx.AsyncClient]:
    """Whoever may EXECUTE one workflow, and nothing else."""
    async with connected(services.suite) as clients:
        key = await clients.registry.CreateAccessKey(
            registry_pb2.CreateAccessKeyRequest(application_id="bl-caller")
        )
        token = await clients.registry.IssueToken(
            registry_pb2.IssueTokenRequest(key_id=key.access_key.key_id, key_secret=key.key_secret)
        )
    headers = {"x-authorization": token.token}
    base = services.suite.management
    async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False) as client:
        yield client


EXECUTE, AS_API = "POST /api/workflow/execute/{name}/{version}", "POST /api/workflow/execute/{name}"
COMMON = {"targetWorkflowId": str, "targetWorkflowStatus": "RUNNING", "signalTimeout": False}
WORKFLOW = {**COMMON, "workflowId": str, "status": "RUNNING", "createTime": int,
            "updateTime": int, "createdBy": "application:admin", "priority": 0}  # fmt: skip
# As it is in the task's sub-workflow.
TASK = {
    **COMMON, "taskType": "WAIT", "taskId": str, "referenceTaskName": "one", "taskDefName": "one",
    "retryCount": 0, "workflowType": "bl-deep", "status": "IN_PROGRESS", "output": {},
    "input": {"q": "first?"}, "variables": {"of": "deep"}, "tasks": [],
    "createdBy": "application:admin", "createTime": int, "updateTime": int, "priority": 0,
}  # fmt: skip
DEEP = [{"referenceTaskName": "one", "status": "IN_PROGRESS", "inputData": {"q": "first?"}}]
AWAITED = f"{RUN}bl-refs/1?waitUntilTaskRef="
ROWS = (
    Row(EXECUTE, "two deep, of the target", f"{RUN}bl-top/1?returnStrategy=TARGET_WORKFLOW", 200,
        {"input": {"n": 1}},
        {**WORKFLOW, "responseType": "TARGET_WORKFLOW", "input": {"n": 1}, "variables": {},
         "tasks": [{"taskType": "SUB_WORKFLOW", "status": "IN_PROGRESS"}]}),
    Row(EXECUTE, "two deep, of the workflow that waits",
        f"{RUN}bl-top/1?returnStrategy=BLOCKING_WORKFLOW", 200, {"input": {"n": 1}},
        {**WORKFLOW, "responseType": "BLOCKING_WORKFLOW", "input": {"of": "bl-deep"},
         "variables": {"of": "deep"}, "tasks": DEEP}),
    Row(EXECUTE, "two deep, of the task that waits",
        f"{RUN}bl-top/1?returnStrategy=BLOCKING_TASK", 200, {},
        {**TASK, "responseType": "BLOCKING_TASK"}),
    Row(EXECUTE, "two deep, of its input", f"{RUN}bl-top/1?returnStrategy=BLOCKING_TASK_INPUT", 200,
        {}, {**TASK, "responseType": "BLOCKING_TASK_INPUT"}),
    Row(EXECUTE, "until the first of several", f"{AWAITED}none,second,%20first", 200, {},
        {"status": "RUNNING", "signalTimeout": False, "output": {}}),
    Row(EXECUTE, "until one of several fields", f"{AWAITED}none&waitUntilTaskRef=second", 200, {},
        {"status": "RUNNING", "signalTimeout": False}),
    Row(EXECUTE, "until one of a branch", f"{RUN}bl-fork/1?waitUntilTaskRef=late,quick", 200, {},
        {"status": "RUNNING", "signalTimeout": False}),
    Row(AS_API, "until one of several", f"{RUN}bl-refs?waitUntilTaskRef=none,second", 200,
        {}, {"result": 2}),
    Row(AS_API, "until one of a branch", f"{RUN}bl-fork?waitUntilTaskRef=late,quick", 200, {},
        {"result": 2}),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(
    api: httpx.AsyncClient, world: dict[str, str], row: Row
) -> None:
    await exchanged(api, row, world)


@pytest.mark.parametrize("strategy", ["TARGET_WORKFLOW", "BLOCKING_WORKFLOW", "BLOCKING_TASK"])
async def test_a_signal_two_deep_is_told_by_each_strategy(
    api: httpx.AsyncClient, world: dict[str, str], strategy: str
) -> None:
    top = (await api.post(f"{RUN}bl-top/1", json={})).json()["workflowId"]
    url = f"{TASKS}/{top}/COMPLETED/signal/sync?returnStrategy={strategy}"
    told = (await api.post(url, json={"x": 1})).json()

    target = strategy == "TARGET_WORKFLOW"
    assert (told["responseType"], told["targetWorkflowId"]) == (strategy, top)
    assert (told["workflowId"] == top) is target
    if strategy == "BLOCKING_WORKFLOW":
        [one, two] = told["tasks"]
        assert (one["outputData"], two["referenceTaskName"]) == ({"x": 1}, "two")
    if strategy == "BLOCKING_TASK":
        assert (told["taskType"], told["input"]) == ("HUMAN", {"q": "second?"})


async def test_whoever_may_only_execute_hears_where_it_stands_and_nothing_of_it(
    caller: httpx.AsyncClient,
) -> None:
    answer = await caller.post(f"{RUN}bl-top/1", json={"input": {"secret": 1}})
    told = answer.json()
    assert answer.status_code == 200
    nothing: dict[str, Any] = {"input": {}, "output": {}, "variables": {}, "tasks": []}
    assert difference({**COMMON, **nothing, "status": "RUNNING"}, told) == ""
    for strategy in ("BLOCKING_WORKFLOW", "BLOCKING_TASK_INPUT"):
        url = f"{TASKS}/{told['workflowId']}/IN_PROGRESS/signal/sync?returnStrategy={strategy}"
        blocked = (await caller.post(url, json={"x": 1})).json()
        assert difference({**COMMON, **nothing}, blocked) == ""
        assert blocked["workflowId"] != blocked["targetWorkflowId"] == told["workflowId"]
    assert (blocked["referenceTaskName"], blocked["status"]) == ("one", "IN_PROGRESS")


async def test_whoever_may_only_execute_signals_it_to_its_end(caller: httpx.AsyncClient) -> None:
    told = (await caller.post(f"{RUN}bl-top/1", json={})).json()
    url = f"{TASKS}/{told['workflowId']}"
    for _ in range(2):
        assert (await caller.post(f"{url}/COMPLETED/signal/sync", json={})).status_code == 200
    last = (await caller.post(f"{url}/COMPLETED/signal/sync", json={})).json()
    assert (last["status"], last["tasks"], last["signalTimeout"]) == ("COMPLETED", [], False)
    # A word that is said twice is one word; another one is too late.
    again = await caller.post(f"{url}/own/COMPLETED/sync", json={})
    assert again.json() == {"workflowId": told["workflowId"], "tasks": []}
    other = await caller.post(f"{url}/own/FAILED/sync", json={})
    assert other.status_code == 404
    assert other.json()["message"].startswith("Found no running task own of workflow")


async def test_others_neither_execute_nor_signal(
    api: httpx.AsyncClient, caller: httpx.AsyncClient
) -> None:
    assert (await caller.post(f"{RUN}bl-deep/1", json={})).status_code == 403
    id_ = (await api.post(f"{RUN}bl-deep/1", json={})).json()["workflowId"]
    for path in ("COMPLETED/signal", "COMPLETED/signal/sync", "one/COMPLETED/sync"):
        answer = await caller.post(f"{TASKS}/{id_}/{path}", json={})
        assert answer.status_code in (403, 404), path
