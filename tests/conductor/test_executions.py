from __future__ import annotations

import json

import httpx
import pytest

from services.edge.management.conductor import correlated, executions
from tests.conductor.executions import Making, error, fault, not_there
from tests.conductor.rows import Row, exchanged

GET = "GET /api/workflow/{workflowId}"
STATUS = "GET /api/workflow/{workflowId}/status"
TASKS = "GET /api/workflow/{workflowId}/tasks"
RUNNING = "GET /api/workflow/running/{name}"
CORRELATED = "GET /api/workflow/{name}/correlated/{correlationId}"
OF_MANY = "POST /api/workflow/{name}/correlated"
BATCH = "POST /api/workflow/correlated/batch"
WORKFLOW = {
    "workflowId": "<running>", "workflowName": "ops-wait", "workflowVersion": 1,
    "status": "RUNNING", "createTime": int, "startTime": int, "updateTime": int, "endTime": 0,
    "lastRetriedTime": 0, "correlationId": "ops", "priority": 3, "input": {}, "output": {},
    "variables": {"v": 1}, "taskToDomain": {}, "failedReferenceTaskNames": [],
    "failedTaskNames": [], "history": [], "rateLimited": False, "createdBy": str,
    "workflowDefinition": {"name": "ops-wait", "version": 1},
}  # fmt: skip
TASK = {
    "taskId": str, "taskType": "WAIT", "taskDefName": "wait", "referenceTaskName": "wait",
    "status": "IN_PROGRESS", "workflowInstanceId": "<running>", "workflowType": "ops-wait",
    "correlationId": "ops", "seq": 1, "retryCount": 0, "retried": False, "executed": False,
    "iteration": 0, "loopOverTask": False, "pollCount": 0, "scheduledTime": int,
    "startTime": int, "endTime": 0, "updateTime": int, "firstStartTime": int,
    "queueWaitTime": int, "startDelayInSeconds": 0, "callbackAfterSeconds": 0,
    "callbackFromWorker": True, "responseTimeoutSeconds": 0, "workflowPriority": 3,
    "subworkflowChanged": False, "rateLimitPerFrequency": 0, "rateLimitFrequencyInSeconds": 0,
    "inputData": {}, "outputData": {}, "workflowTask": {"type": "WAIT"},
}  # fmt: skip
ROWS = (
    Row(GET, "of one that runs", "/api/workflow/<running>", 200,
        answer={**WORKFLOW, "tasks": [TASK]}),
    Row(GET, "with its tasks, as Python asks", "/api/workflow/<running>?includeTasks=True", 200,
        answer={**WORKFLOW, "tasks": [TASK]}),
    Row(GET, "without its tasks", "/api/workflow/<running>?includeTasks=false", 200,
        answer={**WORKFLOW, "tasks": []}),
    Row(GET, "of one that has failed, without its tasks",
        "/api/workflow/<failed>?includeTasks=false", 200,
        answer={"status": "FAILED", "tasks": [], "reasonForIncompletion": str, "endTime": int,
                "failedReferenceTaskNames": ["work"], "failedTaskNames": ["ops-work"]}),
    Row(GET, "of one with work", "/api/workflow/<working>", 200, answer={"tasks": [
        {"taskType": "ops-work", "status": "SCHEDULED", "startTime": 0, "endTime": 0,
         "responseTimeoutSeconds": 60, "rateLimitPerFrequency": 7,
         "rateLimitFrequencyInSeconds": 5}]}),
    Row(GET, "with what is passed over", "/api/workflow/<running>?summarize=true&x=1", 200,
        answer={**WORKFLOW, "tasks": [TASK]}),
    Row(GET, "of one that is not there", "/api/workflow/<nowhere>", 404, answer=not_there()),
    Row(GET, "with a flag that is none", "/api/workflow/<running>?includeTasks=maybe", 400,
        answer=fault("includeTasks", "must be true or false, not 'maybe'")),
    Row(STATUS, "of one that runs", "/api/workflow/<running>/status", 200,
        answer={"workflowId": "<running>", "correlationId": "ops", "status": "RUNNING"}),
    Row(STATUS, "with all there is",
        "/api/workflow/<done>/status?includeOutput=True&includeVariables=True", 200,
        answer={"status": "COMPLETED", "output": {"n": 1}, "variables": {}}),
    Row(STATUS, "of one that is not there", "/api/workflow/<nowhere>/status", 404,
        answer=not_there()),
    Row(TASKS, "of one", "/api/workflow/<running>/tasks", 200,
        answer={"totalHits": 1, "results": [TASK]}),
    Row(TASKS, "of a page", "/api/workflow/<ended_by_task>/tasks?start=1&count=1", 200,
        answer={"totalHits": 2, "results": [{"taskType": "TERMINATE", "seq": 2}]}),
    Row(TASKS, "by status", "/api/workflow/<failed>/tasks?status=FAILED&status=TIMED_OUT", 200,
        answer={"totalHits": 1, "results": [{"status": "FAILED"}]}),
    Row(TASKS, "by a status of none", "/api/workflow/<running>/tasks?status=SKIPPED", 200,
        answer={"totalHits": 0, "results": []}),
    Row(TASKS, "by a status that there is not", "/api/workflow/<running>/tasks?status=X", 400,
        answer=fault("status", "must be one of SCHEDULED, IN_PROGRESS, COMPLETED, "
            "COMPLETED_WITH_ERRORS, SKIPPED, FAILED, TIMED_OUT, FAILED_WITH_TERMINAL_ERROR, "
            "CANCELED, not 'X'")),
    Row(TASKS, "too many", "/api/workflow/<running>/tasks?count=1001", 400,
        answer=fault("count", "must be a whole number from 0 to 1000, not '1001'")),
    Row(TASKS, "of one that is not there", "/api/workflow/<nowhere>/tasks", 404,
        answer=not_there()),
    Row(RUNNING, "of none", "/api/workflow/running/ops-done", 200, answer=[]),
    Row(RUNNING, "of a version of none", "/api/workflow/running/ops-wait?version=9", 200,
        answer=[]),
    Row(RUNNING, "of a time of none", "/api/workflow/running/ops-wait?startTime=1&endTime=2", 200,
        answer=[]),
    Row(RUNNING, "of an unknown one", "/api/workflow/running/ops-nope", 200, answer=[]),
    Row(RUNNING, "with a time that is none", "/api/workflow/running/ops-wait?startTime=x", 400,
        answer={"status": 400}),
    Row(CORRELATED, "of none", "/api/workflow/ops-wait/correlated/nobody", 200, answer=[]),
    Row(CORRELATED, "with a flag that is none",
        "/api/workflow/ops-wait/correlated/nobody?includeClosed=2", 400, answer={"status": 400}),
    Row(OF_MANY, "of none", "/api/workflow/ops-wait/correlated", 200, ["nobody", "none"],
        {"nobody": [], "none": []}),
    Row(OF_MANY, "of no list", "/api/workflow/ops-wait/correlated", 400, {},
        error(400, "The body must be a JSON list: correlation ids.")),
    Row(OF_MANY, "of what is no text", "/api/workflow/ops-wait/correlated", 400, [1],
        fault("", "The body must be a list of texts that are not empty")),
    Row(OF_MANY, "of too many", "/api/workflow/ops-wait/correlated", 400,
        [str(number) for number in range(1001)], {"status": 400}),
    Row(BATCH, "of none", "/api/workflow/correlated/batch", 200,
        {"workflowNames": ["ops-wait", "ops-done"], "correlationIds": ["nobody"]},
        {"nobody": []}),
    Row(BATCH, "of no ids", "/api/workflow/correlated/batch", 200,
        {"workflowNames": ["ops-wait"], "correlationIds": []}, {}),
    Row(BATCH, "of nothing", "/api/workflow/correlated/batch", 400, {},
        fault("workflowNames", "must be given")),
    Row(BATCH, "of names that are none", "/api/workflow/correlated/batch", 400,
        {"workflowNames": 1}, fault("workflowNames", "must be a list")),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(api: httpx.AsyncClient, making: Making, row: Row) -> None:
    await exchanged(api, row, await making.world_of(row))


async def test_those_that_run_are_told_by_version_and_time(
    api: httpx.AsyncClient, making: Making
) -> None:
    first = await making.started(name="ops-wait", version=1)
    second, paused = await making.started(name="ops-wait", version=2), await making.paused()
    ended = await making.terminated()
    path = "/api/workflow/running/ops-wait"
    begun = (await api.get(f"/api/workflow/{first}")).json()["startTime"]

    every = (await api.get(path)).json()
    assert {first, second, paused} <= set(every)
    assert ended not in every
    of_two = (await api.get(f"{path}?version=2")).json()
    assert second in of_two
    assert first not in of_two
    since = (await api.get(f"{path}?startTime={begun}&endTime=None")).json()
    assert {first, second, paused} <= set(since)
    assert first in (await api.get(f"{path}?startTime={begun}&endTime={begun}")).json()
    assert first not in (await api.get(f"{path}?endTime={begun - 1}")).json()


async def test_executions_are_found_by_their_correlation_id(
    api: httpx.AsyncClient, making: Making
) -> None:
    ids = [await making.started(name="ops-wait", correlationId='of "mine"') for _ in range(3)]
    other = await making.started(name="ops-done", correlationId='of "mine"')
    path = '/api/workflow/ops-wait/correlated/of "mine"'
    await api.delete(f"/api/workflow/{ids[0]}")

    open_ones = (await api.get(path)).json()
    assert [each["workflowId"] for each in open_ones] == [ids[2], ids[1]]
    assert all(each["tasks"] == [] for each in open_ones)
    every = (await api.get(f"{path}?includeClosed=true&includeTasks=true")).json()
    assert [each["workflowId"] for each in every] == ids[::-1]
    assert all(len(each["tasks"]) == 1 for each in every)
    many = await api.post("/api/workflow/ops-wait/correlated", json=['of "mine"', "nobody"])
    assert [each["workflowId"] for each in many.json()['of "mine"']] == [ids[2], ids[1]]
    assert many.json()["nobody"] == []
    asked = {"workflowNames": ["ops-wait", "ops-done"], "correlationIds": ['of "mine"']}
    batch = await api.post("/api/workflow/correlated/batch?includeClosed=True", json=asked)
    assert {each["workflowId"] for each in batch.json()['of "mine"']} == {*ids, other}


async def test_more_than_is_told_at_once_is_refused(
    api: httpx.AsyncClient, making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await making.started(name="ops-wait", correlationId="too many")
    paths = ("running/ops-wait", "ops-wait/correlated/too many")
    monkeypatch.setattr(executions, "_PAGE", 1)
    both = (await api.get("/api/workflow/ops-wait/correlated/too many")).json()
    assert len(both) == 2

    monkeypatch.setattr(executions, "_MOST_IDS", 1)
    monkeypatch.setattr(correlated, "_MOST_EXECUTIONS", 1)
    for path in paths:
        refused = await api.get(f"/api/workflow/{path}")
        assert refused.status_code == 413
        assert "by pages" in refused.json()["message"]
    monkeypatch.setattr(correlated, "_MOST_EXECUTIONS", 9)
    monkeypatch.setattr(correlated, "_MOST_CHARS", 100)
    refused = await api.get(f"/api/workflow/{paths[1]}")
    assert refused.status_code == 413
    assert "leave their tasks out" in refused.json()["message"]


async def test_a_sub_workflow_is_named_by_its_task(api: httpx.AsyncClient, making: Making) -> None:
    parent = (await api.get(f"/api/workflow/{await making.started(name='ops-parent')}")).json()
    (task,) = parent["tasks"]
    child = (await api.get(f"/api/workflow/{task['subWorkflowId']}")).json()
    assert task["subWorkflowId"] == task["outputData"]["subWorkflowId"]
    assert child["parentWorkflowId"] == parent["workflowId"]
    assert child["parentWorkflowTaskId"] == task["taskId"]


async def test_an_input_is_kept_as_it_was_sent(api: httpx.AsyncClient, making: Making) -> None:
    text = '{"n":12345678901234567890.125,"ü":"\\u00fc","z":1,"a":[null]}'
    for answer in (
        await api.post("/api/workflow/ops-done", content=text),
        await api.post("/api/workflow", content=f'{{"name":"ops-done","input":{text}}}'),
    ):
        assert answer.headers["content-type"].startswith("text/plain")
        found = (await api.get(f"/api/workflow/{answer.text}")).json()
        assert found["input"] == json.loads(text)


async def test_no_input_is_an_empty_one(api: httpx.AsyncClient, making: Making) -> None:
    id_ = await making.started(name="ops-done", input=None)
    assert (await api.get(f"/api/workflow/{id_}")).json()["input"] == {}
