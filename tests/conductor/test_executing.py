"""Synchronous execution and signals, as Conductor's clients ask for them."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from podium.executor.v1 import executor_pb2 as pb
from tests.conductor.executions import fault
from tests.conductor.rows import Row, exchanged
from tests.tui.services import Services, put
from tui.clients import connected


def _task(ref: str, kind: str, **more: Any) -> dict[str, Any]:
    inputs = more.pop("inputs", {})
    return {
        "name": ref, "taskReferenceName": ref, "type": kind, "inputParameters": inputs, **more
    }  # fmt: skip


def _sub(ref: str, name: str) -> dict[str, Any]:
    return _task(ref, "SUB_WORKFLOW", subWorkflowParam={"name": name})


WORKFLOWS = (
    {"name": "ex-done", "tasks": [_task("n", "NOOP")], "variables": {"v": 1},
     "outputParameters": {"n": "${workflow.input.n}"}},
    {"name": "ex-done", "version": 2, "tasks": [_task("n", "NOOP")],
     "outputParameters": {"two": True}},
    {"name": "ex-failed", "outputParameters": {"why": "because"},
     "tasks": [_task("t", "TERMINATE", inputs={"terminationStatus": "FAILED"})]},
    {"name": "ex-wait", "tasks": [_task("one", "WAIT", inputs={"q": "first?"}),
                                  _task("two", "HUMAN", inputs={"q": "second?"})],
     "outputParameters": {"one": "${one.output}", "two": "${two.output}"}},
    {"name": "ex-parent", "tasks": [_sub("s", "ex-wait"), _task("own", "WAIT")]},
    {"name": "ex-late", "tasks": [_task("hour", "WAIT", inputs={"duration": "1 hour"})]},
    {"name": "ex-ref", "tasks": [
        _task("early", "INLINE", inputs={"evaluatorType": "value-param", "expression": "x",
                                         "x": 7}),
        _task("hour", "WAIT", inputs={"duration": "1 hour"})]},
)  # fmt: skip


@pytest.fixture(scope="module")
async def world(services: Services, api: httpx.AsyncClient) -> dict[str, str]:
    await put(services, *({"kind": "workflow", **each} for each in WORKFLOWS))
    late = await api.post("/api/workflow", json={"name": "ex-late", "idempotencyKey": "known"})
    ended = await api.post("/api/workflow", json={"name": "ex-late", "idempotencyKey": "ended"})
    await api.post(f"/api/tasks/{ended.text}/hour/COMPLETED/sync", json={})
    done = await api.post("/api/workflow", json={"name": "ex-done"})
    return {"late": late.text, "done": done.text, "ended": ended.text}


def _error(status: int, message: str) -> dict[str, object]:
    return {"status": status, "message": message, "instance": str, "retryable": False}


EXECUTE = "POST /api/workflow/execute/{name}/{version}"
AS_API, AS_GET = "POST /api/workflow/execute/{name}", "GET /api/workflow/execute/{name}"
SIGNAL = "POST /api/tasks/{workflowId}/{status}/signal"
SYNC = f"{SIGNAL}/sync"
UPDATE = "POST /api/tasks/{workflowId}/{taskRefName}/{status}/sync"
RUN = "/api/workflow/execute/"
NO_ID = str(uuid.UUID(int=7))
NOT_FOUND = _error(404, f"Workflow with id: {NO_ID} not found.")
ENDED = {
    "responseType": "TARGET_WORKFLOW", "targetWorkflowId": str, "targetWorkflowStatus": "COMPLETED",
    "workflowId": str, "status": "COMPLETED", "input": {"n": 1}, "output": {"n": 1},
    "variables": {"v": 1}, "priority": 0, "createdBy": "application:admin", "createTime": int,
    "updateTime": int, "tasks": [{"referenceTaskName": "n", "status": "COMPLETED"}],
    "signalTimeout": False,
}  # fmt: skip
IN_ONE = {
    "targetWorkflowStatus": "RUNNING", "workflowId": str, "taskType": "WAIT", "taskId": str,
    "referenceTaskName": "one", "taskDefName": "one", "retryCount": 0, "workflowType": "ex-wait",
    "status": "IN_PROGRESS", "input": {"q": "first?"}, "output": {}, "variables": {}, "tasks": [],
    "createTime": int, "updateTime": int, "priority": 0, "signalTimeout": False,
}  # fmt: skip
ROWS = (
    Row(EXECUTE, "to its end", f"{RUN}ex-done/1?requestId=r&waitForSeconds=5", 200,
        {"input": {"n": 1}}, {**ENDED, "requestId": "r"}),
    Row(EXECUTE, "as Python sends it",
        f"{RUN}ex-done/1?requestId=None&waitUntilTaskRef=None&waitForSeconds=10", 200,
        {"name": "ex-done", "version": 1, "input": {"n": 1}, "idempotencyStrategy": "FAIL"}, ENDED),
    Row(EXECUTE, "as JavaScript sends it", f"{RUN}ex-done/1?requestId=x&waitUntilTaskRef=", 200,
        {"input": {"n": 1}, "correlationId": "c", "priority": 3},
        {**ENDED, "correlationId": "c", "priority": 3}),
    Row(EXECUTE, "of the latest version", f"{RUN}ex-done/0", 200, {}, {"output": {"two": True}}),
    Row(EXECUTE, "by its path, whatever the body says", f"{RUN}ex-done/2", 200,
        {"name": "other", "version": 1}, {"output": {"two": True}}),
    Row(EXECUTE, "without a body", f"{RUN}ex-done/2", 200, None, {"output": {"two": True}}),
    Row(EXECUTE, "that fails", f"{RUN}ex-failed/1", 200, {},
        {"targetWorkflowStatus": "FAILED", "reasonForIncompletion": str, "signalTimeout": False}),
    Row(EXECUTE, "until a task waits", f"{RUN}ex-wait/1", 200, {},
        {"responseType": "TARGET_WORKFLOW", "status": "RUNNING", "signalTimeout": False,
         "tasks": [{"referenceTaskName": "one", "status": "IN_PROGRESS"}]}),
    Row(EXECUTE, "with the task that waits",
        f"{RUN}ex-wait/1?returnStrategy=BLOCKING_TASK&consistency=SYNCHRONOUS", 200, {},
        {"responseType": "BLOCKING_TASK", **IN_ONE}),
    Row(EXECUTE, "with its input", f"{RUN}ex-wait/1?returnStrategy=BLOCKING_TASK_INPUT", 200, {},
        {"responseType": "BLOCKING_TASK_INPUT", **IN_ONE}),
    Row(EXECUTE, "with the sub-workflow that waits",
        f"{RUN}ex-parent/1?returnStrategy=BLOCKING_WORKFLOW", 200, {},
        {"responseType": "BLOCKING_WORKFLOW", "targetWorkflowStatus": "RUNNING",
         "tasks": [{"referenceTaskName": "one", "status": "IN_PROGRESS"}]}),
    Row(EXECUTE, "with the task of a sub-workflow that waits",
        f"{RUN}ex-parent/1?returnStrategy=BLOCKING_TASK", 200, {},
        {"responseType": "BLOCKING_TASK", **IN_ONE}),
    Row(EXECUTE, "with a sub-workflow where none waits",
        f"{RUN}ex-done/1?returnStrategy=BLOCKING_WORKFLOW", 200, {"input": {"n": 1}},
        {**ENDED, "responseType": "BLOCKING_WORKFLOW"}),
    Row(EXECUTE, "with a task where none waits", f"{RUN}ex-done/1?returnStrategy=BLOCKING_TASK",
        200, {}, ""),
    Row(EXECUTE, "until a task has ended", f"{RUN}ex-ref/1?waitUntilTaskRef=other,early", 200, {},
        {"status": "RUNNING", "signalTimeout": False}),
    Row(EXECUTE, "of an unknown workflow", f"{RUN}ex-nope/3", 404, {},
        _error(404, "No such workflow defined. name=ex-nope, version=3")),
    Row(EXECUTE, "of an unknown workflow's latest", f"{RUN}ex-nope/0", 404, {},
        _error(404, "No such workflow defined. name=ex-nope, version=null")),
    Row(EXECUTE, "with a key that is known", f"{RUN}ex-late/1", 409, {"idempotencyKey": "known"},
        {"status": 409, "message": str, "retryable": False}),
    Row(EXECUTE, "of what its key is known for", f"{RUN}ex-late/1?waitUntilTaskRef=hour", 200,
        {"idempotencyKey": "ended", "idempotencyStrategy": "RETURN_EXISTING"},
        {"workflowId": "<ended>", "status": "COMPLETED"}),
    Row(EXECUTE, "with a version that is none", f"{RUN}ex-done/x", 400, {},
        {"validationErrors": [{"path": "version", "message": "must be a whole number"}]}),
    Row(EXECUTE, "with a time that is none", f"{RUN}ex-done/1?waitForSeconds=-1", 400, {}),
    Row(EXECUTE, "with an unknown strategy", f"{RUN}ex-done/1?returnStrategy=X", 400, {},
        {"validationErrors": [{"path": "returnStrategy", "message": str}]}),
    Row(EXECUTE, "with an unknown consistency", f"{RUN}ex-done/1?consistency=X", 400, {},
        {"validationErrors": [{"path": "consistency", "message": str}]}),
    Row(EXECUTE, "with a body that is no object", f"{RUN}ex-done/1", 400, [1],
        _error(400, "The body must be a JSON object: a StartWorkflowRequest.")),
    Row(EXECUTE, "with a body that is no JSON", f"{RUN}ex-done/1", 400, "{", {"status": 400}),
    Row(EXECUTE, "with an input that is no object", f"{RUN}ex-done/1", 400, {"input": "x"},
        {"validationErrors": [{"path": "input", "message": "must be an object"}]}),
    Row(EXECUTE, "with a long key", f"{RUN}ex-done/1", 400, {"idempotencyKey": "k" * 1001},
        _error(400, "idempotencyKey is longer than 1000 characters.")),
    Row(AS_API, "with its input", f"{RUN}ex-done?version=1", 200, {"n": [1]}, {"n": [1]}),
    Row(AS_API, "of the latest version", f"{RUN}ex-done", 200, {}, {"two": True}),
    Row(AS_API, "until a task has ended", f"{RUN}ex-ref?waitUntilTaskRef=early", 200, {},
        {"result": 7}),
    Row(AS_API, "that waits", f"{RUN}ex-wait", 202, {}, {}),
    Row(AS_API, "that fails", f"{RUN}ex-failed", 200, {}, {"why": "because"}),
    Row(AS_API, "of an unknown workflow", f"{RUN}ex-nope", 404, {},
        _error(404, "No such workflow found by name: ex-nope, version: null")),
    Row(AS_API, "with an input that is no object", f"{RUN}ex-done", 400, [1], {"status": 400}),
    Row(AS_GET, "with its input in the query", f"{RUN}ex-done?version=1&n=1&requestId=r", 200,
        answer={"n": "1"}),
    Row(AS_GET, "of an unknown workflow", f"{RUN}ex-nope?version=4", 404,
        answer=_error(404, "No such workflow found by name: ex-nope, version: 4")),
    Row(SIGNAL, "of what waits for nobody", "/api/tasks/<late>/COMPLETED/signal", 200, {}, ""),
    Row(SIGNAL, "of what has ended", "/api/tasks/<done>/COMPLETED/signal", 200, {}, ""),
    Row(SIGNAL, "of what there is not", f"/api/tasks/{NO_ID}/COMPLETED/signal", 404, {}, NOT_FOUND),
    Row(SIGNAL, "with an unknown status", "/api/tasks/<late>/DONE/signal", 400, {},
        fault("status", "must be one of IN_PROGRESS, COMPLETED, FAILED, "
            "FAILED_WITH_TERMINAL_ERROR, CANCELED, not 'DONE'")),
    Row(SIGNAL, "with a body that is no object", "/api/tasks/<late>/COMPLETED/signal", 400, [],
        fault("", "The body must be a JSON object: the task's output")),
    Row(SYNC, "of what waits for nobody", "/api/tasks/<late>/COMPLETED/signal/sync", 404, {},
        _error(404, "Found no blocked task in workflow <late> to signal")),
    Row(SYNC, "of what has ended", "/api/tasks/<done>/COMPLETED/signal/sync", 404, {},
        _error(404, "Found no blocked task in workflow <done> to signal")),
    Row(SYNC, "of what there is not", f"/api/tasks/{NO_ID}/COMPLETED/signal/sync", 404, {},
        NOT_FOUND),
    Row(SYNC, "with an unknown strategy",
        "/api/tasks/<late>/COMPLETED/signal/sync?returnStrategy=X", 400, {}, {"status": 400}),
    Row(SYNC, "with a time that is none",
        "/api/tasks/<late>/COMPLETED/signal/sync?timeoutMillis=x", 400, {}, {"status": 400}),
    Row(UPDATE, "of a task that there is not", "/api/tasks/<late>/nope/COMPLETED/sync", 404, {},
        _error(404, "Found no running task nope of workflow <late> to update")),
    Row(UPDATE, "of what there is not", f"/api/tasks/{NO_ID}/t/COMPLETED/sync", 404, {},
        NOT_FOUND),
    Row(UPDATE, "that was said before", "/api/tasks/<ended>/hour/COMPLETED/sync", 200, {},
        {"workflowId": "<ended>", "status": "COMPLETED", "tasks": [{"status": "COMPLETED"}]}),
    Row(UPDATE, "of a task that has ended", "/api/tasks/<done>/n/FAILED/sync", 404, {},
        {"status": 404}),
    Row(UPDATE, "with an unknown status", "/api/tasks/<late>/hour/DONE/sync", 400, {}),
    Row(UPDATE, "with a body that is no object", "/api/tasks/<late>/hour/COMPLETED/sync", 400, 1),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(
    api: httpx.AsyncClient, world: dict[str, str], row: Row
) -> None:
    await exchanged(api, row, world)


async def _status(services: Services, execution_id: str) -> int:
    async with connected(services.suite) as clients:
        asked = pb.GetExecutionRequest(execution_id=execution_id)
        return (await clients.executor.GetExecution(asked)).state.status


async def test_signals_lead_through_a_workflow(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    first = (await api.post(f"{RUN}ex-parent/1", json={})).json()
    base = f"/api/tasks/{first['workflowId']}/COMPLETED/signal"
    url = f"{base}/sync?returnStrategy=BLOCKING_TASK"
    second = (await api.post(url, json={"a": 1})).json()
    assert second["referenceTaskName"] == "two"
    assert second["targetWorkflowId"] == first["workflowId"] != second["workflowId"]
    third = (await api.post(url, json={"b": 2})).json()
    assert (third["referenceTaskName"], third["workflowId"]) == ("own", first["workflowId"])
    last = (await api.post(f"{base}/sync", json={})).json()

    assert last["status"] == "COMPLETED"
    output = last["tasks"][0]["outputData"]
    assert (output["one"], output["two"]) == ({"a": 1}, {"b": 2})


async def test_an_asynchronous_signal_says_nothing(
    services: Services, api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    id_ = (await api.post(f"{RUN}ex-wait/1", json={})).json()["workflowId"]
    answer = await api.post(f"/api/tasks/{id_}/FAILED_WITH_TERMINAL_ERROR/signal", json={})
    assert (answer.status_code, answer.content) == (200, b"")
    assert await _status(services, id_) == pb.EXECUTION_STATUS_FAILED


async def test_an_update_answers_with_the_whole_execution(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    id_ = (await api.post(f"{RUN}ex-wait/1", json={})).json()["workflowId"]
    url = f"/api/tasks/{id_}/one/COMPLETED/sync?workerid=me"
    whole = (await api.post(url, json={"a": 1})).json()

    one, two = whole["tasks"]
    assert (one["outputData"], one["workerId"], one["status"]) == ({"a": 1}, "me", "COMPLETED")
    assert two["status"] == "IN_PROGRESS"
    assert whole["workflowDefinition"]["name"] == "ex-wait"


async def test_a_time_that_is_up_is_told(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    url = f"/api/tasks/{world['late']}/hour/IN_PROGRESS/sync"
    assert (await api.post(url, json={"n": 1})).status_code == 200
    hold = {**_task("hold", "WAIT"), "name": "hold"}
    hour = _task("hour", "WAIT", inputs={"duration": "1 hour"})
    document = {"name": "ex-inline", "tasks": [hold, hour]}
    body = {"workflowDef": document}
    first = (await api.post(f"{RUN}ex-inline/0", json=body)).json()
    url = f"/api/tasks/{first['workflowId']}/COMPLETED/signal/sync?timeoutMillis=20"
    second = (await api.post(url, json={})).json()

    assert (second["status"], second["signalTimeout"]) == ("RUNNING", True)


async def test_a_request_that_is_sent_again_is_the_same_execution(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    async def execute(request_id: str, **more: Any) -> str:
        url = f"{RUN}ex-wait/1?requestId={request_id}"
        return str((await api.post(url, json={"input": {"n": 1}, **more})).json()["workflowId"])

    id_ = str(uuid.uuid4())
    first = await execute(id_)
    assert await execute(id_) == first
    assert await execute(id_, correlationId="another") != first
    # A name that a client gives all its requests is none of one of them.
    assert await execute("mine") != await execute("mine")


async def test_headers_say_it_as_well(
    services: Services, api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    headers = {"requestId": "r", "waitUntilTaskRef": "early", "waitForSeconds": "5"}
    answer = await api.post(f"{RUN}ex-ref", json={}, headers=headers)

    assert answer.json() == {"result": 7}
    assert answer.headers["podium-execution-status"] == "RUNNING"
    id_ = answer.headers["podium-execution-id"]
    assert await _status(services, id_) == pb.EXECUTION_STATUS_RUNNING
