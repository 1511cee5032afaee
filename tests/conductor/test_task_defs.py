"""``/api/metadata/taskdefs``: each endpoint by what is sent and what comes back."""

from __future__ import annotations

import httpx
import pytest

from tests.conductor.rows import Row, exchanged_in_order
from tests.tui.services import Services, put

POST = "POST /api/metadata/taskdefs"
PUT = "PUT /api/metadata/taskdefs"
ONE = "GET /api/metadata/taskdefs/{tasktype}"
DELETE = "DELETE /api/metadata/taskdefs/{tasktype}"
PATH = "/api/metadata/taskdefs"
FAILED = "Validation failed, check below errors for detail. "
# As conductor-python 2.0.0 sends it where its worker registers itself.
OF_PYTHON = {
    "name": "md_py", "retryCount": 3, "timeoutSeconds": 10, "responseTimeoutSeconds": 5,
    "inputSchema": {"name": "md_py_input", "version": 1},
    "outputSchema": {"name": "md_py_output", "version": 1}, "enforceSchema": False,
}  # fmt: skip
# As a server writes it, sent back.
OF_SERVERS = {
    "name": "md_back", "ownerApp": "", "createTime": 1, "updateTime": 2, "createdBy": "a",
    "updatedBy": "b", "accessPolicy": {}, "description": None, "retryCount": 0, "inputKeys": [],
    "outputKeys": [], "timeoutPolicy": "ALERT_ONLY", "retryLogic": "LINEAR_BACKOFF",
    "inputTemplate": {}, "rateLimitPerFrequency": 0, "rateLimitFrequencyInSeconds": 1,
    "pollTimeoutSeconds": None, "concurrentExecLimit": None, "ownerEmail": "a@example.com",
    "backoffScaleFactor": 2, "baseType": None, "inputSchema": None, "outputSchema": None,
    "enforceSchema": False, "taskStatusListenerEnabled": True, "somethingNew": 1,
}  # fmt: skip
WHOLE = {
    "retryCount": 3, "timeoutSeconds": 0, "timeoutPolicy": "TIME_OUT_WF", "retryLogic": "FIXED",
    "retryDelaySeconds": 60, "responseTimeoutSeconds": 3600, "inputTemplate": {},
    "inputKeys": [], "outputKeys": [], "rateLimitPerFrequency": 0, "backoffScaleFactor": 1,
    "rateLimitFrequencyInSeconds": 1, "enforceSchema": False, "createTime": int,
    "updateTime": int, "updatedBy": str,
}  # fmt: skip
UNKNOWN = "somethingNew: is no field of a task definition: kept and ignored"
VAIN = "backoffScaleFactor: has no effect: retryLogic is FIXED"
ROWS = (
    Row(PUT, "knows none of that name", PATH, 404, OF_PYTHON,
        {"status": 404, "message": "No such task by name md_py", "retryable": False}),
    Row(POST, "stores all", PATH, 200, [OF_PYTHON, OF_SERVERS, {"name": "md_plain"}],
        {"warnings": [f"[1].{UNKNOWN}"]}),
    Row(POST, "stores them again", PATH, 200, [OF_SERVERS], {"warnings": [UNKNOWN]}),
    Row(POST, "takes one alone", PATH, 200, {"name": "md_gone"}, ""),
    Row(POST, "wants some", PATH, 400, [], {"message": "TaskDefList is empty"}),
    Row(POST, "wants objects", PATH, 400, ["md_py"],
        {"message": "There is a fault: [0]: must be a JSON object: a task definition."}),
    Row(POST, "tells every fault", PATH, 400,
        [{"name": "md_bad", "retryCount": -1},
         {"name": "md_bad2", "timeoutSeconds": 5, "responseTimeoutSeconds": 6}],
        {"validationErrors": [
            {"path": "[0].retryCount", "message": "must be at least 0, not -1"},
            {"path": "[1].responseTimeoutSeconds",
             "message": "must be at most timeoutSeconds, 5, not 6"}]}),
    Row(PUT, "changes one", PATH, 200, {**OF_PYTHON, "retryCount": 7}, ""),
    Row(PUT, "warns of what has no effect", PATH, 200,
        {**OF_SERVERS, "retryLogic": "FIXED"}, {"warnings": [UNKNOWN, VAIN]}),
    Row(PUT, "leaves it as a POST does", PATH, 200, OF_SERVERS, {"warnings": [UNKNOWN]}),
    Row(PUT, "tells every fault", PATH, 400, {**OF_PYTHON, "retryLogic": "NEVER"},
        {"message": FAILED + "There is a fault: retryLogic: must be one of FIXED, LINEAR_BACKOFF, "
         "EXPONENTIAL_BACKOFF, not 'NEVER'.", "validationErrors": [dict]}),
    Row(PUT, "wants a name", PATH, 400, {"retryCount": 1},
        {"validationErrors": [
            {"path": "name", "message": "TaskDef name cannot be null or empty"}]}),
    Row(PUT, "wants an object", PATH, 400, [OF_PYTHON], {"status": 400, "message": str}),
    Row(ONE, "tells of one", f"{PATH}/md_py?metadata=false", 200,
        answer={**OF_PYTHON, "retryCount": 7}),
    Row(ONE, "tells what each has", f"{PATH}/md_plain", 200, answer={**WHOLE, "name": "md_plain"}),
    Row(ONE, "keeps what is unknown", f"{PATH}/md_back", 200,
        answer={"somethingNew": 1, "createTime": int, "ownerEmail": "a@example.com"}),
    Row(ONE, "knows no other", f"{PATH}/md_unknown", 404,
        answer={"message": "No such taskType found by name: md_unknown", "status": 404,
                "instance": f"{PATH}/md_unknown"}),
    Row(DELETE, "removes one", f"{PATH}/md_gone", 200, {}, ""),
    Row(DELETE, "knows it no more", f"{PATH}/md_gone", 404,
        answer={"message": "No such taskType found by name: md_gone"}),
    Row(DELETE, "leaves what is used", f"{PATH}/md_followed", 409,
        answer={"status": 409, "message": str}),
)  # fmt: skip


@pytest.fixture(scope="module")
async def world(services: Services) -> dict[str, str]:
    task = {"name": "md_followed", "taskReferenceName": "t", "type": "SIMPLE"}
    await put(
        services,
        {"kind": "task", "name": "md_followed"},
        {"kind": "workflow", "name": "md_follower", "tasks": [task]},
    )
    return {}


async def test_exchanges_are_as_recorded(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    await exchanged_in_order(api, ROWS, world)


async def test_a_list_tells_of_each(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    every = (await api.get(f"{PATH}?access=READ")).json()
    names = [each["name"] for each in every]

    assert "md_followed" in names
    assert names == sorted(names)
    assert not any("kind" in each for each in every)
