from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from podium.executor.v1 import executor_pb2 as pb
from podium.worker.v1 import worker_pb2
from tests.conductor.rows import Row, exchanged
from tests.tui.services import Services, put
from tui.clients import Clients, connected

DEFINED = ("working", "working-rows", "working-chain", "working-log", "working-queue")
TASK_DEF = {"retryCount": 0, "responseTimeoutSeconds": 3600}


def _step(name: str, ref: str = "t") -> dict[str, Any]:
    given = {"n": "${workflow.input.n}"}
    return {"name": name, "taskReferenceName": ref, "type": "SIMPLE", "inputParameters": given}


@pytest.fixture(scope="session", autouse=True)
async def defined(services: Services) -> None:
    await put(
        services,
        *({"kind": "task", "name": name, **TASK_DEF} for name in DEFINED),
        *({"kind": "workflow", "name": name, "version": 1, "tasks": [_step(name)]}
          for name in DEFINED),
        {"kind": "workflow", "name": "working-two", "version": 1,
         "tasks": [_step("working-chain", "a"), _step("working-chain", "b")]},
        *({"kind": "workflow", "name": f"working-{kind}", "version": 1,
           "tasks": [{"name": "w", "taskReferenceName": "w", "type": kind}]}
          for kind in ("WAIT", "HUMAN")),
    )  # fmt: skip


@pytest.fixture(scope="session")
async def world(api: httpx.AsyncClient, defined: None) -> dict[str, str]:
    """A task that a worker has, and one that has ended."""
    found: dict[str, str] = {}
    for name in ("open", "logged", "late", "ended"):
        id_ = await started(api, "working-rows")
        task = (await polled(api, "working-rows"))[0]
        assert task["workflowInstanceId"] == id_
        found |= {f"{name}-task": task["taskId"], f"{name}-workflow": id_}
    await api.post(f"/api/tasks/{found['logged-task']}/log", content="a line")
    for name in ("logged", "late", "ended"):
        await api.post("/api/tasks", json=result(found[f"{name}-task"], found[f"{name}-workflow"]))
    return found


async def started(api: httpx.AsyncClient, workflow: str, **input: object) -> str:
    answer = await api.post(f"/api/workflow/{workflow}", json=input)
    assert answer.status_code == 200, answer.text
    return answer.text


async def polled(api: httpx.AsyncClient, type_: str, **query: object) -> list[dict[str, Any]]:
    params: Any = {"workerid": "w1", "count": 1, "timeout": 5000, **query}
    answer = await api.get(f"/api/tasks/poll/batch/{type_}", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def result(task_id: str, workflow: str, status: str = "COMPLETED", **more: object) -> Any:
    return {"taskId": task_id, "workflowInstanceId": workflow, "status": status,
            "workerId": "w1", **more}  # fmt: skip


def _error(status: int, message: str) -> dict[str, object]:
    return {"status": status, "message": message, "instance": str, "retryable": False}


def _fault(path: str, said: str) -> dict[str, object]:
    faults = [{"path": path, "message": said}]
    return {**_error(400, f"There is a fault: {path}: {said}."), "validationErrors": faults}


ABSENT = "00000000-0000-4000-8000-000000000000"
POLL, BATCH = "GET /api/tasks/poll/{tasktype}", "GET /api/tasks/poll/batch/{tasktype}"
UPDATE, NEXT = "POST /api/tasks", "POST /api/tasks/update-v2"
BY_REF = "POST /api/tasks/{workflowId}/{taskRefName}/{status}"
TASK, LOG = "GET /api/tasks/{taskId}", "POST /api/tasks/{taskId}/log"
LOGS, POLLS = "GET /api/tasks/{taskId}/log", "GET /api/tasks/queue/polldata"
NOT_FOUND = _error(404, f"Task not found for taskId: {ABSENT}")
OF_OPEN = {"taskId": "<open-task>", "workflowInstanceId": "<open-workflow>"}
OF_ENDED = {"taskId": "<ended-task>", "workflowInstanceId": "<ended-workflow>"}
STATUSES = "IN_PROGRESS, COMPLETED, FAILED, FAILED_WITH_TERMINAL_ERROR, CANCELED"

ROWS = (
    Row(POLL, "where nothing waits", "/api/tasks/poll/working-none?workerid=w", 204, None, ""),
    Row(POLL, "with what Python prints for nothing",
        "/api/tasks/poll/working-none?workerid=w&domain=None", 204, None, ""),
    Row(POLL, "of a domain that cannot be", "/api/tasks/poll/working-none?domain=a:b", 400, None,
        _error(400, "domain must hold none of ':', '=' and ','.")),
    Row(BATCH, "where nothing waits", "/api/tasks/poll/batch/working-none?workerid=w&timeout=0",
        200, None, []),
    Row(BATCH, "with all there is",
        "/api/tasks/poll/batch/working-none?workerid=w&domain=d&count=7&timeout=0", 200, None, []),
    Row(BATCH, "of more than may be", "/api/tasks/poll/batch/x?count=1001&timeout=0", 400, None,
        _fault("count", "must be a whole number from 0 to 1000, not '1001'")),
    Row(BATCH, "of fewer than none", "/api/tasks/poll/batch/x?count=-1", 400, None,
        _fault("count", "must be a whole number from 0 to 1000, not '-1'")),
    Row(BATCH, "with a count that is none", "/api/tasks/poll/batch/x?count=x", 400, None,
        _fault("count", "must be a whole number from 0 to 1000, not 'x'")),
    Row(BATCH, "with a time that is none", "/api/tasks/poll/batch/x?timeout=-1", 400, None,
        {"status": 400}),
    Row(UPDATE, "of a task that has ended", "/api/tasks", 200,
        {**OF_ENDED, "status": "FAILED", "outputData": {"x": 1}}, "<ended-task>"),
    Row(UPDATE, "of an unknown task", "/api/tasks", 404,
        {"taskId": ABSENT, "workflowInstanceId": "<open-workflow>", "status": "COMPLETED"},
        NOT_FOUND),
    Row(UPDATE, "of an unknown execution", "/api/tasks", 404,
        {"taskId": ABSENT, "workflowInstanceId": ABSENT, "status": "COMPLETED"}, NOT_FOUND),
    Row(UPDATE, "without a task", "/api/tasks", 400, {"workflowInstanceId": "x"},
        _fault("taskId", "must be given, and not be empty")),
    Row(UPDATE, "without an execution", "/api/tasks", 400, {"taskId": "x"},
        _fault("workflowInstanceId", "must be given, and not be empty")),
    Row(UPDATE, "without a status", "/api/tasks", 400, OF_OPEN,
        _fault("status", f"must be one of {STATUSES}")),
    Row(UPDATE, "with a status that is none of a worker's", "/api/tasks", 400,
        {**OF_OPEN, "status": "TIMED_OUT"},
        _fault("status", f"must be one of {STATUSES}, not 'TIMED_OUT'")),
    Row(UPDATE, "with an output that is no object", "/api/tasks", 400,
        {**OF_OPEN, "status": "COMPLETED", "outputData": [1]},
        _fault("outputData", "must be an object")),
    Row(UPDATE, "with logs that are none", "/api/tasks", 400,
        {**OF_OPEN, "status": "COMPLETED", "logs": [1]},
        _fault("logs", "must be a list of objects with a log")),
    Row(UPDATE, "with a line that is no text", "/api/tasks", 400,
        {**OF_OPEN, "status": "COMPLETED", "logs": [{"log": 5}, {"log": {}}]},
        _fault("logs[1].log", "must be a text")),
    Row(UPDATE, "with an output elsewhere", "/api/tasks", 400,
        {**OF_OPEN, "status": "COMPLETED", "externalOutputPayloadStoragePath": "s3://x"},
        {"status": 400}),
    Row(UPDATE, "by another worker", "/api/tasks", 409,
        {**OF_OPEN, "status": "COMPLETED", "workerId": "w2"},
        _error(409, "The task 't' (<open-task>) is another worker's: 'w1' has it.")),
    Row(UPDATE, "that it is at it still, by nobody", "/api/tasks", 200,
        {**OF_OPEN, "status": "IN_PROGRESS", "extendLease": True}, "<open-task>"),
    Row(UPDATE, "with a body that is no JSON", "/api/tasks", 400, "{", {"status": 400}),
    Row(UPDATE, "with a body that is no object", "/api/tasks", 400, [],
        _error(400, "The body must be a JSON object: a TaskResult.")),
    Row(NEXT, "of a task that has ended", "/api/tasks/update-v2", 204,
        {**OF_ENDED, "status": "COMPLETED"}, ""),
    Row(NEXT, "that it is at it still", "/api/tasks/update-v2", 204,
        {**OF_OPEN, "status": "IN_PROGRESS", "extendLease": True}, ""),
    Row(NEXT, "of an unknown task", "/api/tasks/update-v2", 404,
        {"taskId": ABSENT, "workflowInstanceId": ABSENT, "status": "COMPLETED"}, NOT_FOUND),
    Row(NEXT, "with a body that is no object", "/api/tasks/update-v2", 400, "1", {"status": 400}),
    Row(BY_REF, "that it is at it still", "/api/tasks/<open-workflow>/t/IN_PROGRESS?workerid=w1",
        200, {}, "<open-task>"),
    Row(BY_REF, "of a task that has ended", "/api/tasks/<ended-workflow>/t/COMPLETED", 200, {},
        "<ended-task>"),
    Row(BY_REF, "of an unknown execution", f"/api/tasks/{ABSENT}/t/COMPLETED", 404, {},
        {"status": 404}),
    Row(BY_REF, "with a status that is none", "/api/tasks/<open-workflow>/t/DONE", 400, {},
        _fault("status", f"must be one of {STATUSES}, not 'DONE'")),
    Row(TASK, "that a worker has", "/api/tasks/<open-task>", 200, None,
        {"taskId": "<open-task>", "workflowInstanceId": "<open-workflow>",
         "status": "IN_PROGRESS", "workerId": "w1", "taskType": "working-rows"}),
    Row(TASK, "that has ended", "/api/tasks/<ended-task>", 200, None,
        {"taskId": "<ended-task>", "status": "COMPLETED", "outputData": {}}),
    Row(TASK, "that there is not", f"/api/tasks/{ABSENT}", 404, None, NOT_FOUND),
    Row(TASK, "that is no id", "/api/tasks/x", 404, None,
        _error(404, "Task not found for taskId: x")),
    Row(LOG, "of a task that a worker has", "/api/tasks/<open-task>/log", 200, "a line", ""),
    Row(LOG, "of a task that has ended", "/api/tasks/<late-task>/log", 200, "late", ""),
    Row(LOG, "of an unknown task", f"/api/tasks/{ABSENT}/log", 404, "x", NOT_FOUND),
    Row(LOG, "of nothing", "/api/tasks/<open-task>/log", 400, None,
        _error(400, "The body must be the line to log, as text.")),
    Row(LOGS, "of a task without any", "/api/tasks/<ended-task>/log", 204, None, ""),
    Row(LOGS, "of a task with a line", "/api/tasks/<logged-task>/log", 200, None,
        [{"log": "a line", "taskId": "<logged-task>", "createdTime": int}]),
    Row(LOGS, "of an unknown task", f"/api/tasks/{ABSENT}/log", 404, None, NOT_FOUND),
    Row("GET /api/tasks/queue/sizes", "of several",
        "/api/tasks/queue/sizes?taskType=working-none&taskType=working-nope", 200, None,
        {"working-none": 0, "working-nope": 0}),
    Row("GET /api/tasks/queue/sizes", "of none", "/api/tasks/queue/sizes", 200, None, {}),
    Row("GET /api/tasks/queue/size", "of none", "/api/tasks/queue/size?taskType=nope", 200, None,
        0),
    Row("GET /api/tasks/queue/size", "without a type", "/api/tasks/queue/size", 400, None,
        _fault("taskType", "must be given in the query")),
    Row("GET /api/tasks/queue/all", "of all", "/api/tasks/queue/all", 200, None,
        {"working-rows": 0}),
    Row("GET /api/tasks/queue/all/verbose", "of all", "/api/tasks/queue/all/verbose", 200, None,
        {"working-rows": {"default": {"size": 0, "uacked": 1}}}),
    Row(POLLS, "of a type", "/api/tasks/queue/polldata?taskType=working-rows", 200, None,
        [{"queueName": "working-rows", "domain": None, "workerId": "w1", "lastPollTime": int}]),
    Row(POLLS, "of an unknown type", "/api/tasks/queue/polldata?taskType=nope", 200, None, []),
    Row(POLLS, "without a type", "/api/tasks/queue/polldata", 400, None,
        _fault("taskType", "must be given in the query")),
    Row("GET /api/tasks/queue/polldata/all", "of all", "/api/tasks/queue/polldata/all", 200, None,
        list),
    Row("POST /api/tasks/queue/requeue/{taskType}", "of none",
        "/api/tasks/queue/requeue/working-none", 200, None, "0"),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(
    api: httpx.AsyncClient, world: dict[str, str], row: Row
) -> None:
    await exchanged(api, row, world)


async def test_a_worker_is_given_all_that_conductor_s_workers_read(api: httpx.AsyncClient) -> None:
    text = '{"n":{"big":123456789012345678901234567890,"ü":"\\u2028","deep":[1.50,null]}}'
    id_ = (await api.post("/api/workflow/working?correlationId=c&priority=7", content=text)).text
    answer = await api.get("/api/tasks/poll/working?workerid=w1")
    assert answer.status_code == 200
    assert "123456789012345678901234567890" in answer.text
    task = answer.json()
    expected = {
        "taskType": "working", "status": "IN_PROGRESS", "referenceTaskName": "t",
        "taskDefName": "working", "retryCount": 0, "seq": 1, "pollCount": 1, "iteration": 0,
        "workflowInstanceId": id_, "workflowType": "working", "correlationId": "c",
        "workflowPriority": 7, "responseTimeoutSeconds": 3600, "callbackAfterSeconds": 0,
        "workerId": "w1", "outputData": {}, "workflowTask": _step("working"), "endTime": 0,
        "inputData": json.loads(text), "loopOverTask": False, "retried": False,
    }  # fmt: skip
    assert {name: task[name] for name in expected} == expected
    assert 0 < task["scheduledTime"] <= task["startTime"] <= task["updateTime"]
    # The same as whoever looks at it is told.
    looked = (await api.get(f"/api/tasks/{task['taskId']}")).json()
    assert {name: looked[name] for name in looked if name in task and name != "executed"} == {
        name: task[name] for name in looked if name in task and name != "executed"
    }
    done = result(task["taskId"], id_, outputData={"ok": 10**30})
    assert (await api.post("/api/tasks", json=done)).text == task["taskId"]
    assert (await api.get(f"/api/tasks/{task['taskId']}")).json()["outputData"] == {"ok": 10**30}


async def test_what_a_word_makes_due_is_the_worker_s_next_task(api: httpx.AsyncClient) -> None:
    id_ = await started(api, "working-two")
    first = (await polled(api, "working-chain"))[0]
    answer = await api.post("/api/tasks/update-v2", json=result(first["taskId"], id_))
    assert answer.status_code == 200
    second = answer.json()
    assert (second["referenceTaskName"], second["workflowInstanceId"]) == ("b", id_)
    assert (second["workerId"], second["status"]) == ("w1", "IN_PROGRESS")
    last = await api.post("/api/tasks/update-v2", json=result(second["taskId"], id_))
    assert (last.status_code, last.text) == (204, "")


async def test_a_poll_that_waits_has_the_task_that_comes(api: httpx.AsyncClient) -> None:
    waiting = asyncio.ensure_future(polled(api, "working", count=5))
    await asyncio.sleep(0)
    id_ = await started(api, "working")
    (task,) = await waiting
    assert task["workflowInstanceId"] == id_
    await api.post("/api/tasks", json=result(task["taskId"], id_))


async def test_a_task_that_is_given_back_comes_again_and_may_be_done_by_anybody(
    api: httpx.AsyncClient,
) -> None:
    id_ = await started(api, "working")
    task = (await polled(api, "working"))[0]
    later = result(task["taskId"], id_, "IN_PROGRESS", callbackAfterSeconds=60, outputData={"a": 1})
    assert (await api.post("/api/tasks", json=later)).status_code == 200
    told = (await api.get(f"/api/tasks/{task['taskId']}")).json()
    assert (told["status"], told["callbackAfterSeconds"]) == ("SCHEDULED", 60)
    # As with Conductor, whoever hears of its end may say so, under no name or another one.
    done = {**result(task["taskId"], id_, outputData={"b": 2}), "workerId": "somebody-else"}
    assert (await api.post("/api/tasks", json=done)).status_code == 200
    told = (await api.get(f"/api/tasks/{task['taskId']}")).json()
    assert (told["status"], told["outputData"]) == ("COMPLETED", {"a": 1, "b": 2})


async def test_a_task_given_back_at_once_is_the_next_one(api: httpx.AsyncClient) -> None:
    id_ = await started(api, "working")
    task = (await polled(api, "working"))[0]
    answer = await api.post("/api/tasks/update-v2", json=result(task["taskId"], id_, "IN_PROGRESS"))
    again = (await polled(api, "working"))[0] if answer.status_code == 204 else answer.json()
    assert (again["taskId"], again["pollCount"]) == (task["taskId"], 2)
    await api.post("/api/tasks", json=result(task["taskId"], id_))


@pytest.mark.parametrize("kind", ["WAIT", "HUMAN"])
async def test_a_task_that_waits_for_a_word_is_told_by_its_id(
    api: httpx.AsyncClient, kind: str
) -> None:
    id_ = await started(api, f"working-{kind}")
    whole = await api.get(f"/api/tasks/{await _task_id(api, id_)}")
    task_id = whole.json()["taskId"]
    progress = result(task_id, id_, "IN_PROGRESS", outputData={"seen": True})
    assert (await api.post("/api/tasks", json=progress)).status_code == 200
    assert (await api.post("/api/tasks", json=result(task_id, id_))).status_code == 200
    told = (await api.get(f"/api/tasks/{task_id}")).json()
    assert (told["status"], told["outputData"]) == ("COMPLETED", {"seen": True})


async def _task_id(api: httpx.AsyncClient, id_: str) -> str:
    # Whose words a task by its reference takes tells its id.
    path = f"/api/tasks/{id_}/w/IN_PROGRESS"
    return (await api.post(path, json={})).text


@pytest.mark.parametrize(
    "line",
    ["plain", 'it says "x"', '"quoted"', "C:\\new\\", "two\nlines\t→ 😀", '\\"', '""', "{}"],
)
async def test_what_was_logged_is_kept_as_conductor_s_client_sends_it(
    api: httpx.AsyncClient, line: str
) -> None:
    id_ = await started(api, "working-log")
    task_id = (await polled(api, "working-log"))[0]["taskId"]
    # Conductor's client writes JSON and takes the quotes off, its own among them.
    body = json.dumps(line).strip('"')
    assert (await api.post(f"/api/tasks/{task_id}/log", content=body)).status_code == 200
    in_result = [{"log": "x" * 20_000, "taskId": task_id, "createdTime": 1}] * 12
    await api.post("/api/tasks", json=result(task_id, id_, logs=in_result))
    lines = (await api.get(f"/api/tasks/{task_id}/log")).json()
    assert lines[0]["log"] == line
    assert (lines[0]["taskId"], type(lines[0]["createdTime"])) == (task_id, int)
    assert [len(each["log"]) for each in lines[1:]] == [10 << 10] * 12


async def test_what_is_logged_for_a_task_after_its_end_is_kept(api: httpx.AsyncClient) -> None:
    id_ = await started(api, "working-log")
    task_id = (await polled(api, "working-log"))[0]["taskId"]
    assert (await api.post("/api/tasks", json=result(task_id, id_))).status_code == 200
    told = (await api.get(f"/api/tasks/{task_id}")).json()
    assert (await api.post(f"/api/tasks/{task_id}/log", content="late")).status_code == 200
    other = result(task_id, id_, "FAILED", logs=[{"log": "later"}], outputData={"n": 1})
    assert (await api.post("/api/tasks", json=other)).status_code == 200
    assert [each["log"] for each in (await api.get(f"/api/tasks/{task_id}/log")).json()] == [
        "late", "later",
    ]  # fmt: skip
    assert (await api.get(f"/api/tasks/{task_id}")).json() == told
    assert (await api.delete(f"/api/workflow/{id_}/remove")).status_code == 200
    gone = await api.post(f"/api/tasks/{task_id}/log", content="too late")
    assert (gone.status_code, gone.json()["message"]) == (
        404, f"Task not found for taskId: {task_id}",
    )  # fmt: skip


async def test_queues_tell_of_workers_over_http_as_of_others(
    services: Services, api: httpx.AsyncClient
) -> None:
    ids = [await started(api, "working-queue") for _ in range(3)]
    sizes = "/api/tasks/queue/sizes?taskType=working-queue"
    assert (await api.get(sizes)).json() == {"working-queue": 3}
    assert (await api.get("/api/tasks/queue/size?taskType=working-queue")).json() == 3
    tasks = await polled(api, "working-queue", count=2, workerid="over-http")
    assert len(tasks) == 2
    async with connected(services.suite) as clients:
        queue = await _queue(clients, "working-queue")
        assert (queue.size, queue.running) == (1, 2)
        assert [(each.worker_id, each.running) for each in queue.workers] == [("over-http", 2)]
    verbose = (await api.get("/api/tasks/queue/all/verbose")).json()
    assert verbose["working-queue"] == {"default": {"size": 1, "uacked": 2}}
    assert (await api.post("/api/tasks/queue/requeue/working-queue")).text == "2"
    tasks = await polled(api, "working-queue", count=3, workerid="over-http")
    while len(tasks) < 3:
        tasks += await polled(api, "working-queue", count=3, workerid="over-http")
    assert {each["workflowInstanceId"] for each in tasks} == set(ids)
    for task in tasks:
        done = {**result(task["taskId"], task["workflowInstanceId"]), "workerId": None}
        assert (await api.post("/api/tasks", json=done)).status_code == 200


async def _queue(clients: Clients, name: str) -> worker_pb2.Queue:
    told = await clients.workers.ListQueues(worker_pb2.ListQueuesRequest())
    return next(each for each in told.queues if each.task_type == name)


async def test_a_task_of_an_ended_workflow_takes_words_and_changes_nothing(
    services: Services, api: httpx.AsyncClient
) -> None:
    id_ = await started(api, "working")
    task_id = (await polled(api, "working"))[0]["taskId"]
    async with connected(services.suite) as clients:
        await clients.executor.TerminateExecution(pb.TerminateExecutionRequest(execution_id=id_))
    assert (await api.post("/api/tasks", json=result(task_id, id_))).status_code == 200
    assert (await api.get(f"/api/tasks/{task_id}")).json()["status"] == "CANCELED"
