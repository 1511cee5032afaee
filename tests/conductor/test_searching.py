"""Searches, each with each of its answers; the world of this file is put once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from podium.executor.v1 import executor_pb2 as pb
from services.edge.management.conductor import collecting
from tests.conductor.rows import Row, difference, exchanged, named
from tests.tui.services import Services, put, start
from tui.clients import connected


def _workflow(name: str, *tasks: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "workflow", "name": name, "version": 1, "tasks": tasks, **more}


def _task(ref: str, type_: str, **inputs: Any) -> dict[str, Any]:
    return {"name": ref, "taskReferenceName": ref, "type": type_, "inputParameters": inputs}


DEFINITIONS = (
    _workflow(
        "sought-good", _task("quiet", "NOOP"),
        _task("noted", "SET_VARIABLE", sku="${workflow.input.sku}"),
        outputParameters={"sku": "${workflow.input.sku}"},
    ),
    _workflow(
        "sought-ill",
        _task("end", "TERMINATE", terminationStatus="FAILED", terminationReason="No money"),
    ),
    _workflow(
        "sought-bad",
        {**_task("asks", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "sought-ill"}},
    ),
    _workflow("sought-open", _task("sought_work", "SIMPLE", n=1)),
    _workflow(
        "sought-fork",
        {**_task("fork", "FORK_JOIN"), "forkTasks": [[_task("one", "NOOP")]]},
        {**_task("join", "JOIN"), "joinOn": ["one"]},
    ),
    _workflow(
        "sought-parent",
        {**_task("sub", "SUB_WORKFLOW"), "subWorkflowParam": {"name": "sought-fork"}},
    ),
)  # fmt: skip


@pytest.fixture(scope="session")
async def world(services: Services) -> dict[str, str]:
    """Ids by what they are of; all but one have ended."""
    await put(services, {"kind": "task", "name": "sought_work"}, *DEFINITIONS)
    given = {"correlation_id": "sought-c", "input": '{"sku":"größe 7"}', "priority": 3}
    known = {"good": await start(services, "sought-good", **given)}
    for name in ("bad", "open", "parent"):
        known[name] = await start(services, f"sought-{name}")
    async with connected(services.suite) as clients:
        for name in ("good", "bad", "parent"):
            async for told in clients.executor.WatchExecution(
                pb.WatchExecutionRequest(execution_id=known[name])
            ):
                state = told.execution
                if state.HasField("ended_at"):
                    break
        child = await clients.executor.ListExecutions(
            pb.ListExecutionsRequest(query="wf:sought-fork")
        )
    known["fork"] = child.executions[0].execution_id
    known["since"] = str(state.created_at.ToMilliseconds() - 3_600_000)
    return known


def _refused(path: str, said: str) -> dict[str, object]:
    whole = f"There is a fault: {path}: {said}" if path else said
    message = whole if whole.endswith(".") else f"{whole}."
    faults = [{"path": path, "message": said}]
    return {"status": 400, "message": message, "instance": str, "retryable": False,
            "validationErrors": faults}  # fmt: skip


def _found(*results: Any) -> dict[str, object]:
    return {"totalHits": len(results), "results": list(results)}


def _asked(path: str, **fields: str) -> str:
    return (
        path + "?" + "&".join(f"{name}={quote(each, safe='<>')}" for name, each in fields.items())
    )


GOOD = {
    "workflowType": "sought-good", "version": 1, "workflowId": "<good>",
    "correlationId": "sought-c", "startTime": str, "updateTime": str, "endTime": str,
    "status": "COMPLETED", "input": '{"sku":"größe 7"}', "output": '{"sku":"größe 7"}',
    "inputSize": 17, "outputSize": 17, "executionTime": int, "failedReferenceTaskNames": "",
    "failedTaskNames": [], "priority": 3, "createdBy": str, "taskToDomain": {},
}  # fmt: skip
BAD = {
    "workflowId": "<bad>", "status": "FAILED", "reasonForIncompletion": str,
    "failedReferenceTaskNames": "asks", "failedTaskNames": ["asks"], "input": "{}", "output": str,
}  # fmt: skip
OPEN = {"workflowId": "<open>", "status": "RUNNING", "executionTime": 0}
NOTED = {
    "workflowId": "<good>", "workflowType": "sought-good", "correlationId": "sought-c",
    "scheduledTime": str, "startTime": str, "updateTime": str, "endTime": str,
    "status": "COMPLETED", "executionTime": int, "queueWaitTime": int, "taskDefName": "noted",
    "taskType": "SET_VARIABLE", "taskReferenceName": "noted", "input": '{"sku":"größe 7"}',
    "output": "{}", "taskId": str, "workflowPriority": 3,
}  # fmt: skip
WORK = {"workflowId": "<open>", "taskType": "sought_work", "status": "SCHEDULED"}
WHOLE = {
    "workflowId": "<good>", "workflowName": "sought-good", "status": "COMPLETED", "tasks": [],
    "input": {"sku": "größe 7"}, "startTime": int, "workflowDefinition": dict,
}  # fmt: skip
OURS = "workflowType IN (sought-good,sought-bad,sought-open)"
SEARCH, V2 = "/api/workflow/search", "/api/workflow/search-v2"
BY_TASKS, BY_TASKS_V2 = "/api/workflow/search-by-tasks", "/api/workflow/search-by-tasks-v2"
TASKS, TASKS_V2 = "/api/tasks/search", "/api/tasks/search-v2"
BULK = "/api/workflow/bulk/search"
WORDS = _refused(
    "query",
    "there are words that compare nothing. Write workflowType = order*, "
    "status IN (FAILED, TIMED_OUT), startTime > 1700000000000, joined by AND, OR and NOT; "
    "words to look for go into freeText.",
)


def _row(path: str, case: str, status: int, answer: Any, **fields: str) -> Row:
    return Row(f"GET {path}", case, _asked(path, **fields), status, answer=answer)


ROWS = (
    _row(SEARCH, "as Python's client asks", 200, _found(OPEN, BAD, GOOD),
         queryId="None", start="0", size="100", freeText="*", query=OURS),
    _row(SEARCH, "as JavaScript's client asks", 200, _found(GOOD), start="0", size="100",
         sort="", freeText="*", query="workflowId = '<good>'", skipCache="false"),
    _row(SEARCH, "as the UI asks", 200, _found(BAD, GOOD), start="0", size="15",
         sort="startTime:DESC",
         query=f"{OURS} AND status IN (COMPLETED,FAILED) AND startTime><since>"),
    _row(SEARCH, "sorted upwards", 200, _found(GOOD, BAD, OPEN), query=OURS, sort="startTime:ASC"),
    _row(SEARCH, "sorted by a field alone", 200, _found(BAD, GOOD, OPEN), query=OURS,
         sort="workflowType"),
    _row(SEARCH, "a page", 200, {"totalHits": 3, "results": [BAD]}, query=OURS, start="1",
         size="1"),
    _row(SEARCH, "behind the last", 200, {"totalHits": 3, "results": []}, query=OURS, start="9"),
    _row(SEARCH, "of no size", 200, {"totalHits": 3, "results": []}, query=OURS, size="0"),
    _row(SEARCH, "with a star", 200, _found(GOOD), query='workflowType = "sought-go*"'),
    _row(SEARCH, "by correlationId", 200, _found(GOOD), query="correlationId=sought-c"),
    _row(SEARCH, "by priority", 200, _found(GOOD), query=f"{OURS} AND priority = 3"),
    _row(SEARCH, "by less of it", 200, _found(BAD),
         query=f"{OURS} AND priority<1 AND status=FAILED"),
    _row(SEARCH, "sorted by it", 200, {"results": [GOOD]}, query=OURS, sort="priority:DESC",
         size="1"),
    _row(SEARCH, "by what has failed", 200, _found(BAD),
         query=f"{OURS} AND failedReferenceTaskNames = asks"),
    _row(SEARCH, "by whether something has", 200, _found(OPEN, GOOD),
         query=f"{OURS} AND NOT failedReferenceTaskNames = *"),
    _row(SEARCH, "by what only digests are kept of", 400, _refused(
        "query", "Of idempotency keys digests alone are kept: a start with the key and "
        "RETURN_EXISTING answers with its execution. (characters 0 to 14: 'idempotencyKey')"),
         query="idempotencyKey=k"),
    _row(SEARCH, "by times", 200, _found(BAD, GOOD), query=f"{OURS} AND endTime><since> AND "
         "updateTime><since> AND modifiedTime><since> AND startTime<32503680000000"),
    _row(SEARCH, "by a parent", 200, _found({"parentWorkflowId": "<parent>"}),
         query="parentWorkflowId='<parent>'"),
    _row(SEARCH, "at the top only", 200, _found({"workflowId": "<parent>"}),
         query="workflowType=sought-fork OR workflowType=sought-parent", topLevelOnly="true"),
    _row(SEARCH, "by words", 200, _found(GOOD), query=OURS, freeText="größe"),
    _row(SEARCH, "by words of which none has any", 200, _found(), query=OURS, freeText="nowhere"),
    _row(SEARCH, "that finds nothing", 200, _found(), query="workflowType=sought-nope"),
    _row(SEARCH, "of all", 200, {"totalHits": int}, query="*", size="0"),
    _row(SEARCH, "with STARTS_WITH", 400, _refused(
        "query", "STARTS_WITH is no operator here: write workflowType = order*."),
         query="workflowType STARTS_WITH 'a'"),
    _row(SEARCH, "with BETWEEN", 400, _refused(
        "query", "BETWEEN is no operator here: write startTime >= 1700000000000 AND startTime <= "
        "1800000000000."), query=f"{OURS} AND startTime between 1 AND 2"),
    _row(SEARCH, "with words that begin so", 400, WORDS, query="BETWEENS"),
    _row(SEARCH, "with words among others", 400, WORDS, query=f"{OURS} AND endTime IS NOT NULL"),
    _row(SEARCH, "with an unknown attribute", 400,
         {"status": 400, "message": str, "validationErrors": [{"path": "query", "message": str}]},
         query="colour=red"),
    _row(SEARCH, "with a value that is none", 400, _refused(
        "query", "'soon': write a time like 2026-01-31T12:00, or epoch milliseconds. "
        "(characters 10 to 14: 'soon')"), query="startTime>soon"),
    _row(SEARCH, "with a quote that is open", 400, _refused(
        "query", "The quote is never closed. (characters 7 to 10: \"'ab\")"), query="status='ab"),
    _row(SEARCH, "by attributes of tasks", 400, _refused(
        "query", "Tasks are asked for by themselves: /api/tasks/search, or "
        "/api/workflow/search-by-tasks for the workflows that have them. (characters 0 to 8: "
        "'taskType')"), query="taskType=HTTP"),
    _row(SEARCH, "with a start that is none", 400, _refused(
        "start", "must be a whole number from 0 to 10000, not '-1'"), start="-1"),
    _row(SEARCH, "with a size that is none", 400, _refused(
        "size", "must be a whole number from 0 to 5000, not 'abc'"), size="abc"),
    _row(SEARCH, "too deep", 400, _refused(
        "start", "is 10000 at most: ask with a narrower query, as by when they began"),
         start="10001"),
    _row(SEARCH, "of too many", 400, _refused(
        "size", "Cannot return more than 5000 workflows. Please use pagination."), size="5001"),
    _row(SEARCH, "sorted by what there is not", 400, {"status": 400, "message": str},
         sort="colour:DESC"),
    _row(SEARCH, "sorted by several", 400, _refused(
        "sort", "results are sorted by one field, like startTime:DESC"),
         sort="startTime:ASC|endTime:DESC"),
    _row(SEARCH, "by words that are none", 400, {"status": 400}, freeText="..."),
    _row(SEARCH, "by a classifier", 400, _refused(
        "classifier", "executions have none here; ask by workflowType"), classifier="agent"),
    _row(SEARCH, "with a flag that is none", 400, {"status": 400}, topLevelOnly="perhaps"),
    _row(V2, "by an id", 200, _found(WHOLE), query="workflowId='<good>'"),
    _row(V2, "with a fault", 400, {"status": 400, "message": str}, query="colour=red"),
    _row(BY_TASKS, "by a type", 200, _found(GOOD),
         query="taskType=SET_VARIABLE AND workflowType=sought-good"),
    _row(BY_TASKS, "of two tasks of one", 200, _found(GOOD), query="workflowId='<good>'"),
    _row(BY_TASKS, "at the top only", 200, _found(), query="taskType=FORK AND workflowType=sought*",
         topLevelOnly="true"),
    _row(BY_TASKS, "by what is of workflows", 400, _refused(
        "query", "That is of the workflow of a task: ask for it by /api/workflow/search. "
        "(characters 0 to 8: 'priority')"), query="priority=1"),
    _row(BY_TASKS, "with a fault", 400, {"status": 400, "message": str}, query="version=1"),
    _row(BY_TASKS_V2, "by a task's name", 200, _found(WHOLE),
         query="taskDefName='noted' AND status='COMPLETED'"),
    _row(BY_TASKS_V2, "with a fault", 400, {"status": 400}, query="("),
    _row(TASKS, "by a reference", 200, _found(NOTED),
         query="referenceTaskName=noted AND workflowType=sought-good"),
    _row(TASKS, "by what Conductor calls a SIMPLE one", 200, _found(WORK),
         query="taskType IN (sought_work) AND status IN (SCHEDULED, IN_PROGRESS)"),
    _row(TASKS, "by what Conductor calls a fork", 200, _found({"taskType": "FORK"}),
         query="taskType=FORK AND workflowId='<fork>'"),
    _row(TASKS, "but of a type", 200, _found(), query="NOT taskType=sought_work workflowId=<open>"),
    _row(TASKS, "by times", 200, _found({"taskReferenceName": "noted"}),
         query="taskDefName=noted AND startTime><since> AND endTime><since> AND "
         "updateTime><since> AND scheduledTime><since>"),
    _row(TASKS, "by words", 200, _found({"taskReferenceName": "noted"}),
         query="workflowType=sought-good", freeText="größe 7"),
    _row(TASKS, "a page", 200, {"totalHits": 2, "results": [{"taskReferenceName": "quiet"}]},
         query="workflowId='<good>'", sort="taskReferenceName:DESC", size="1"),
    _row(TASKS, "with an unknown status", 400, {"status": 400, "message": str},
         query="status=RUNNING"),
    _row(TASKS_V2, "by a reference", 200,
         _found({"referenceTaskName": "noted", "inputData": {"sku": "größe 7"},
                 "workflowInstanceId": "<good>", "seq": int, "workflowTask": dict}),
         query="referenceTaskName=noted AND workflowType=sought-good"),
    _row(TASKS_V2, "too deep", 400, {"status": 400, "message": str}, start="10001"),
    Row(f"POST {BULK}", "of some", BULK, 200, ["<good>", "nobody", "<bad>", "<good>"],
        {"bulkErrorResults": {"nobody": "Workflow with id: nobody not found."},
         "bulkSuccessfulResults": [{"workflowId": "<good>", "tasks": [dict, dict]},
                                   {"workflowId": "<bad>"}],
         "message": "Bulk Request has been processed."}),
    Row(f"POST {BULK}", "without tasks", f"{BULK}?includeTasks=false", 200, ["<good>"],
        {"bulkErrorResults": {}, "bulkSuccessfulResults": [WHOLE]}),
    Row(f"POST {BULK}", "of none", BULK, 400, [], _refused("", "WorkflowIds list cannot be null")),
    Row(f"POST {BULK}", "without a body", BULK, 400, None, _refused(
        "", "The body must be a JSON list: ids of workflows")),
    Row(f"POST {BULK}", "of what is no id", BULK, 400, ["a", 1],
        _refused("[1]", "must be an id")),
    Row(f"POST {BULK}", "of too many", BULK, 400, ["x"] * 1001, _refused(
        "", "Cannot process more than 1000 workflows. Please use multiple requests")),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(
    api: httpx.AsyncClient, world: dict[str, str], row: Row
) -> None:
    await exchanged(api, row, world)


@pytest.mark.parametrize("path", [SEARCH, V2, BY_TASKS, BY_TASKS_V2, TASKS, TASKS_V2])
async def test_nobody_searches_without_a_token(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path, headers={"x-authorization": "none"})
    assert (answer.status_code, answer.json()["error"]) == (401, "INVALID_TOKEN")


async def test_times_are_to_the_millisecond_in_utc(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    one = (await api.get(_asked(SEARCH, query=f"workflowId={world['good']}"))).json()["results"][0]
    whole = (await api.get(_asked(V2, query=f"workflowId={world['good']}"))).json()["results"][0]

    for name in ("startTime", "endTime"):
        text = one[name]
        assert (text[-5], text[-1]) == (".", "Z")
        assert pb.ExecutionState(created_at=_read(text)).created_at.ToMilliseconds() == whole[name]
    assert one["executionTime"] == whole["endTime"] - whole["startTime"]


def _read(text: str) -> Any:
    message = pb.ExecutionState().created_at
    message.FromJsonString(text)
    return message


async def test_more_than_the_executor_lists_at_once_is_fetched_page_by_page(
    api: httpx.AsyncClient, world: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "_PAGE", 2)

    for path, size in ((SEARCH, 3), (V2, 3), (SEARCH, 2), (SEARCH, 100)):
        told = (await api.get(_asked(path, query=OURS, size=str(size)))).json()
        ids = [each["workflowId"] for each in told["results"]]
        assert ids == [world["open"], world["bad"], world["good"]][:size]
        assert told["totalHits"] == 3
    tasks = (await api.get(_asked(TASKS, query="workflowType=sought*", size="7"))).json()
    assert (tasks["totalHits"], len(tasks["results"])) == (9, 7)
    bulk = await api.post(BULK, content=json.dumps([world[n] for n in ("good", "open", "bad")]))
    assert len(bulk.json()["bulkSuccessfulResults"]) == 3


async def test_an_answer_that_would_be_too_large_is_refused(
    api: httpx.AsyncClient, world: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "_MOST_BYTES", 100)
    said = {"message": "The answer would be larger than 100 bytes: ask for fewer at once."}
    for path in (SEARCH, V2, TASKS, TASKS_V2):
        answer = await api.get(_asked(path, query=f"workflowId={world['good']}"))
        assert answer.status_code == 413
        assert difference(named({**said, "status": 413}, world), answer.json()) == ""
