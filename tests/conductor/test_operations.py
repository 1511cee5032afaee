from __future__ import annotations

import json

import httpx
import pytest

from podium.executor.v1 import executor_pb2 as pb
from tests.conductor.executions import NOWHERE, Making, error, fault, not_there
from tests.conductor.rows import Row, exchanged

PAUSE = "PUT /api/workflow/{workflowId}/pause"
RESUME = "PUT /api/workflow/{workflowId}/resume"
DECIDE = "PUT /api/workflow/decide/{workflowId}"
TERMINATE = "DELETE /api/workflow/{workflowId}"
RESTART = "POST /api/workflow/{workflowId}/restart"
RETRY = "POST /api/workflow/{workflowId}/retry"
RERUN = "POST /api/workflow/{workflowId}/rerun"
SKIP = "PUT /api/workflow/{workflowId}/skiptask/{taskReferenceName}"
RESET = "POST /api/workflow/{workflowId}/resetcallbacks"
REMOVE = "DELETE /api/workflow/{workflowId}/remove"
END = "DELETE /api/workflow/{workflowId}/terminate-remove"
VARIABLES = "POST /api/workflow/{workflowId}/variables"
STATE = "POST /api/workflow/{workflowId}/state"
ONE, BULK = "/api/workflow", "/api/workflow/bulk"
CONFLICT = {"status": 409, "message": str, "instance": str, "retryable": False}
ABSENT = not_there()
DONE = "Bulk Request has been processed."


def _bulk(good: list[str], bad: dict[str, object]) -> dict[str, object]:
    return {"bulkSuccessfulResults": good, "bulkErrorResults": bad, "message": DONE}


ROWS = (
    Row(PAUSE, "of one that runs", f"{ONE}/<running>/pause", 200, {}, ""),
    Row(PAUSE, "of one that is paused", f"{ONE}/<paused>/pause", 200, {}, ""),
    Row(PAUSE, "of one that has ended", f"{ONE}/<done>/pause", 409, {}, CONFLICT),
    Row(PAUSE, "of none", f"{ONE}/<nowhere>/pause", 404, {}, ABSENT),
    Row(RESUME, "of one that is paused", f"{ONE}/<paused>/resume", 200, {}, ""),
    Row(RESUME, "of one that runs", f"{ONE}/<running>/resume", 409, {}, CONFLICT),
    Row(RESUME, "of none", f"{ONE}/<nowhere>/resume", 404, {}, ABSENT),
    Row(DECIDE, "of one that runs", f"{ONE}/decide/<running>", 200, {}, ""),
    Row(DECIDE, "of one that has ended", f"{ONE}/decide/<done>", 200, {}, ""),
    Row(DECIDE, "of none", f"{ONE}/decide/<nowhere>", 404, {}, ABSENT),
    Row(TERMINATE, "of one that runs", f"{ONE}/<running>?reason=enough", 200, {}, ""),
    Row(TERMINATE, "of one that was terminated", f"{ONE}/<terminated>", 200, {}, ""),
    Row(TERMINATE, "of one that has failed", f"{ONE}/<failed>", 200, None, ""),
    Row(TERMINATE, "of one that ended well", f"{ONE}/<done>", 409, {}, CONFLICT),
    Row(TERMINATE, "of none", f"{ONE}/<nowhere>", 404, {}, ABSENT),
    Row(TERMINATE, "with a flag that is none", f"{ONE}/<running>?triggerFailureWorkflow=x", 400,
        {}, {"status": 400}),
    Row(RESTART, "of one that has ended", f"{ONE}/<done>/restart", 204, {}, ""),
    Row(RESTART, "by the newest version", f"{ONE}/<terminated>/restart?useLatestDefinitions=True",
        204, {}, ""),
    Row(RESTART, "of one that runs", f"{ONE}/<running>/restart", 409, {}, CONFLICT),
    Row(RESTART, "of one that must not be", f"{ONE}/<once>/restart", 409, {}, CONFLICT),
    Row(RESTART, "of none", f"{ONE}/<nowhere>/restart", 404, {}, ABSENT),
    Row(RETRY, "of one that has failed",
        f"{ONE}/<failed>/retry?resumeSubworkflowTasks=True&retryIfRetriedByParent=false", 204,
        {}, ""),
    Row(RETRY, "of one that runs", f"{ONE}/<running>/retry", 409, {}, CONFLICT),
    Row(RETRY, "of one that ended well", f"{ONE}/<done>/retry", 409, {}, CONFLICT),
    Row(RETRY, "of none", f"{ONE}/<nowhere>/retry", 404, {}, ABSENT),
    Row(RERUN, "of the whole", f"{ONE}/<done>/rerun", 200, {}, "<done>"),
    Row(RERUN, "of the whole on other input", f"{ONE}/<done>/rerun", 200,
        {"reRunFromWorkflowId": "<done>", "workflowInput": {"n": 2}, "correlationId": "again",
         "taskInput": {}}, "<done>"),
    Row(RERUN, "of one that runs", f"{ONE}/<running>/rerun", 409, {}, CONFLICT),
    Row(RERUN, "from an unknown task", f"{ONE}/<done>/rerun", 404,
        {"reRunFromTaskId": NOWHERE}, error(404, f"Task {NOWHERE} not found")),
    Row(RERUN, "from a task on other input of the whole", f"{ONE}/<done>/rerun", 400,
        {"reRunFromTaskId": NOWHERE, "workflowInput": {"n": 2}},
        error(400, "workflowInput goes with no task.")),
    Row(RERUN, "from a task by another correlation id", f"{ONE}/<done>/rerun", 400,
        {"reRunFromTaskId": NOWHERE, "correlationId": "c"},
        error(400, "correlationId goes with no task.")),
    Row(RERUN, "with an input that is none", f"{ONE}/<done>/rerun", 400, {"workflowInput": 1},
        fault("workflowInput", "must be an object")),
    Row(RERUN, "of none", f"{ONE}/<nowhere>/rerun", 404, {}, ABSENT),
    Row(SKIP, "with a body", f"{ONE}/<running>/skiptask/later", 200,
        {"taskInput": {"a": 1}, "taskOutput": {"b": 2}}, ""),
    Row(SKIP, "with nothing", f"{ONE}/<running>/skiptask/later", 200, None, ""),
    Row(SKIP, "of a task that was reached", f"{ONE}/<running>/skiptask/wait", 409, {}, CONFLICT),
    Row(SKIP, "of an unknown task", f"{ONE}/<running>/skiptask/nope", 404, {}, {"status": 404}),
    Row(SKIP, "of one that has ended", f"{ONE}/<done>/skiptask/noop", 409, {}, CONFLICT),
    Row(SKIP, "of none", f"{ONE}/<nowhere>/skiptask/later", 404, {}, ABSENT),
    Row(SKIP, "with a query that is none",
        f"{ONE}/<running>/skiptask/later?skipTaskRequest=open('x')", 400, {},
        fault("skipTaskRequest", "must be a JSON object")),
    Row(SKIP, "with a query that is no text",
        f"{ONE}/<running>/skiptask/later?taskInput={{'a':'\\ud800'}}", 400, {},
        fault("taskInput", "must be a JSON object")),
    Row(RESET, "of one that runs", f"{ONE}/<running>/resetcallbacks", 204, {}, ""),
    Row(RESET, "of one that has ended", f"{ONE}/<done>/resetcallbacks", 409, {}, CONFLICT),
    Row(RESET, "of none", f"{ONE}/<nowhere>/resetcallbacks", 404, {}, ABSENT),
    Row(REMOVE, "of one that has ended", f"{ONE}/<done>/remove?archiveWorkflow=True", 200, {}, ""),
    Row(REMOVE, "of one that runs", f"{ONE}/<running>/remove", 409, {}, CONFLICT),
    Row(REMOVE, "of none", f"{ONE}/<nowhere>/remove", 404, {}, ABSENT),
    Row(END, "of one that runs", f"{ONE}/<running>/terminate-remove?reason=enough", 200, {}, ""),
    Row(END, "of one that has ended", f"{ONE}/<done>/terminate-remove", 200, {}, ""),
    Row(END, "of none", f"{ONE}/<nowhere>/terminate-remove", 404, {}, ABSENT),
    Row(VARIABLES, "of one that runs", f"{ONE}/<running>/variables", 200, {"w": [2]},
        {"workflowId": "<running>", "variables": {"v": 1, "w": [2]}, "tasks": [{"seq": 1}]}),
    Row(VARIABLES, "that are none", f"{ONE}/<running>/variables", 400, [1],
        error(400, "The body must be a JSON object: variables by name.")),
    Row(VARIABLES, "of one that has ended", f"{ONE}/<done>/variables", 409, {"w": 2}, CONFLICT),
    Row(VARIABLES, "of none", f"{ONE}/<nowhere>/variables", 404, {"w": 2}, ABSENT),
    Row(STATE, "of variables and a task", f"{ONE}/<running>/state?requestId=r&waitForSeconds=9",
        200,
        {"taskReferenceName": "wait", "variables": {"w": 2},
         "taskResult": {"status": "COMPLETED", "outputData": {"n": 1}}},
        {"requestId": "r", "workflowId": "<running>", "status": "COMPLETED",
         "variables": {"v": 1, "w": 2},
         "tasks": [{"status": "COMPLETED", "outputData": {"n": 1}}, {"seq": 2}]}),
    Row(STATE, "until a task has ended",
        f"{ONE}/<running>/state?waitUntilTaskRef=later&requestId=None", 200,
        {"taskReferenceName": "wait"}, {"requestId": "", "status": "COMPLETED"}),
    Row(STATE, "of variables alone", f"{ONE}/<running>/state", 200, {"variables": {"w": 2}},
        {"status": "RUNNING", "variables": {"v": 1, "w": 2}}),
    Row(STATE, "of no task", f"{ONE}/<running>/state", 400, {"taskResult": {"status": "FAILED"}},
        fault("taskReferenceName", "must be given, or taskResult.taskId")),
    Row(STATE, "of an unknown task", f"{ONE}/<running>/state", 404,
        {"taskReferenceName": "nope"}, {"status": 404}),
    Row(STATE, "of an unknown status", f"{ONE}/<running>/state", 400,
        {"taskReferenceName": "wait", "taskResult": {"status": "X"}},
        {"message": str, "validationErrors": [{"path": "taskResult.status", "message": str}]}),
    Row(STATE, "of one that has ended", f"{ONE}/<done>/state", 409, {"variables": {"w": 2}},
        CONFLICT),
    Row(STATE, "of a task that has ended", f"{ONE}/<done>/state", 409,
        {"taskReferenceName": "noop", "taskResult": {"status": "FAILED"}}, CONFLICT),
    Row(STATE, "with too long a wait", f"{ONE}/<done>/state?waitForSeconds=99999", 200, {},
        {"status": "COMPLETED"}),
    Row(STATE, "with a wait that is none", f"{ONE}/<running>/state?waitForSeconds=x", 400, {},
        {"status": 400}),
    Row(STATE, "of none", f"{ONE}/<nowhere>/state", 404, {"variables": {"w": 2}}, ABSENT),
    Row("POST /api/workflow/{workflowId}/upgrade", "of one", f"{ONE}/<running>/upgrade", 501,
        {"name": "x"}, {"status": 501, "message": str}),
    Row("POST /api/workflow/{workflowId}/jump/{taskReferenceName}", "of one",
        f"{ONE}/<running>/jump/later", 501, {}, {"status": 501, "message": str}),
    Row("PUT /api/workflow/bulk/pause", "of several", f"{BULK}/pause", 200,
        ["<running>", "<paused>", "<nowhere>", "<done>"],
        _bulk(["<running>", "<paused>"],
              {"<nowhere>": f"Workflow with id: {NOWHERE} not found.", "<done>": str})),
    Row("PUT /api/workflow/bulk/pause", "of one twice", f"{BULK}/pause", 200,
        ["<running>", "<running>"], _bulk(["<running>"], {})),
    Row("PUT /api/workflow/bulk/pause", "of none", f"{BULK}/pause", 400, [],
        fault("", "WorkflowIds list cannot be null")),
    Row("PUT /api/workflow/bulk/pause", "of too many", f"{BULK}/pause", 400,
        [str(number) for number in range(1001)],
        fault("", "Cannot process more than 1000 workflows. Please use multiple requests")),
    Row("PUT /api/workflow/bulk/pause", "of no list", f"{BULK}/pause", 400, {},
        fault("", "The body must be a JSON list: ids of workflows")),
    Row("PUT /api/workflow/bulk/pause", "of no ids", f"{BULK}/pause", 400, ["x", 1],
        fault("[1]", "must be an id")),
    Row("PUT /api/workflow/bulk/resume", "of several", f"{BULK}/resume", 200,
        ["<paused>", "<running>"],
        _bulk(["<paused>"], {"<running>": "The execution is not paused: it is RUNNING."})),
    Row("POST /api/workflow/bulk/restart", "of several",
        f"{BULK}/restart", 200, ["<done>", "<running>"],
        _bulk(["<done>"], {"<running>": "Workflow is still running.  status=RUNNING"})),
    Row("POST /api/workflow/bulk/retry", "of several", f"{BULK}/retry", 200,
        ["<failed>", "<done>", "<running>"],
        _bulk(["<failed>"],
              {"<done>": str, "<running>": "Workflow is still running.  status=RUNNING"})),
    Row("POST /api/workflow/bulk/terminate", "of several",
        f"{BULK}/terminate?reason=enough&triggerFailureWorkflow=True", 200,
        ["<running>", "<terminated>", "<done>"],
        _bulk(["<running>", "<terminated>"], {"<done>": str})),
    Row("DELETE /api/workflow/bulk/remove", "of several", f"{BULK}/remove", 200,
        ["<done>", "<running>"], _bulk(["<done>"], {"<running>": str})),
    Row("POST /api/workflow/bulk/delete", "of one", f"{BULK}/delete", 200, ["<done>"],
        _bulk(["<done>"], {})),
    Row("DELETE /api/workflow/bulk/terminate-remove", "of several",
        f"{BULK}/terminate-remove?reason=enough", 200, ["<done>", "<running>"],
        _bulk(["<done>", "<running>"], {})),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(api: httpx.AsyncClient, making: Making, row: Row) -> None:
    await exchanged(api, row, await making.world_of(row))


@pytest.mark.parametrize(
    "query",
    [
        {"skipTaskRequest": '{"taskInput": {"a": null}, "taskOutput": {"b": [true, "ü\'"]}}'},
        {"skipTaskRequest": str({"taskInput": {"a": None}, "taskOutput": {"b": [True, "ü'"]}})},
        {"taskInput": '{"a": null}', "taskOutput": '{"b": [true, "ü\'"]}'},
    ],
    ids=["JSON", "Python's", "by field"],
)
async def test_what_a_skipped_task_has_is_taken_from_the_query(
    api: httpx.AsyncClient, making: Making, query: dict[str, str]
) -> None:
    id_ = await making.running()
    skipped = await api.put(f"/api/workflow/{id_}/skiptask/later", params=query)
    assert skipped.status_code == 200, skipped.text
    await making.executor.UpdateTask(
        pb.UpdateTaskRequest(execution_id=id_, ref="wait", status=pb.TASK_STATUS_COMPLETED)
    )
    tasks = (await api.get(f"/api/workflow/{id_}")).json()["tasks"]
    assert [task["status"] for task in tasks] == ["COMPLETED", "SKIPPED"]
    assert tasks[1]["inputData"] == {"a": None}
    assert tasks[1]["outputData"] == {"b": [True, "ü'"]}


async def test_a_state_is_not_all_or_nothing(api: httpx.AsyncClient, making: Making) -> None:
    id_ = await making.running()
    body = {"variables": {"w": 2}, "taskReferenceName": "nope"}
    assert (await api.post(f"/api/workflow/{id_}/state", json=body)).status_code == 404
    assert (await api.get(f"/api/workflow/{id_}")).json()["variables"] == {"v": 1, "w": 2}


async def test_a_state_is_waited_for_only_until_somebody_is(
    api: httpx.AsyncClient, making: Making
) -> None:
    id_ = await making.running()
    told = await api.post(f"/api/workflow/{id_}/state?waitForSeconds=200", json={})
    assert told.json()["status"] == "RUNNING"


HOSTILE = ("%00", "%ED%A0%80", "..%2f", "*" * 30, "%27%22", "x" * 3000, "-1")


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: name[:9])
async def test_what_makes_no_sense_breaks_nothing(api: httpx.AsyncClient, name: str) -> None:
    for method, path, body in (
        ("GET", f"{name}", None), ("GET", f"{name}/tasks?start=2147483647", None),
        ("GET", f"running/{name}", None), ("GET", f"{name}/correlated/{name}", None),
        ("POST", f"{name}/correlated", [name, "\0", "\ud800"]), ("PUT", f"{name}/pause", None),
        ("PUT", f"{NOWHERE}/skiptask/{name}", None), ("DELETE", f"{name}?reason={name}", None),
        ("POST", f"{name}/rerun", {"reRunFromTaskId": "\0", "workflowInput": {}}),
        ("POST", f"{name}/state", {"taskReferenceName": "\0", "taskResult": {"status": 1}}),
        ("PUT", "bulk/pause", ["\0", "\ud800", "x" * 100_000, ""]),
        ("POST", "correlated/batch", {"workflowNames": ["\0", "*" * 20], "correlationIds": ["x"]}),
        ("POST", "test", {"name": "\0", "taskRefToMockOutput": {"\0": [{"status": "\ud800"}]}}),
    ):  # fmt: skip
        # As ASCII, which lone surrogates are only escaped.
        content = None if body is None else json.dumps(body)
        answer = await api.request(method, f"/api/workflow/{path}", content=content)
        assert answer.status_code < 500, (method, path, answer.text)


@pytest.mark.parametrize("page", ["one", "bulk"])
@pytest.mark.parametrize("triggers", [True, False])
async def test_a_failure_workflow_is_started_where_that_is_asked_for(
    api: httpx.AsyncClient, making: Making, page: str, triggers: bool
) -> None:
    id_ = await making.running()
    query = f"reason=enough&triggerFailureWorkflow={triggers}"
    if page == "one":
        await api.delete(f"/api/workflow/{id_}?{query}")
    else:
        await api.post(f"/api/workflow/bulk/terminate?{query}", json=[id_])
    ended = (await api.get(f"/api/workflow/{id_}")).json()
    assert (ended["status"], ended["reasonForIncompletion"]) == ("TERMINATED", "enough")
    child = ended["output"].get("conductor.failure_workflow")
    assert (child is not None) is triggers
    if child:
        told = (await api.get(f"/api/workflow/{child}")).json()
        assert told["workflowName"] == "ops-done"
        assert told["input"]["workflowId"] == id_
        assert told["input"]["failureStatus"] == "TERMINATED"


async def test_a_task_is_run_again_on_other_input(api: httpx.AsyncClient, making: Making) -> None:
    id_ = await making.failed()
    (task,) = (await api.get(f"/api/workflow/{id_}")).json()["tasks"]
    body = {"reRunFromTaskId": task["taskId"], "taskInput": {"x": 1}, "workflowInput": {}}
    again = await api.post(f"/api/workflow/{id_}/rerun", json=body)
    assert (again.status_code, again.text) == (200, id_)
    whole = (await api.get(f"/api/workflow/{id_}")).json()
    assert whole["status"] == "RUNNING"
    assert whole["tasks"][-1]["inputData"] == {"x": 1}
