"""What operators of Conductor ask for under /api/admin and /api/queue."""

from __future__ import annotations

import httpx
import pytest

from tests.conductor.rows import Row, exchanged_in_order
from tests.tui.services import Services, put

QUEUE = "/api/queue/update"
BY_REF = "POST /api/queue/update/{workflowId}/{taskRefName}/{status}"
BY_ID = "POST /api/queue/update/{workflowId}/task/{taskId}/{status}"
PENDING = "GET /api/admin/task/{tasktype}"
SWEEP = "POST /api/admin/sweep/requeue/{workflowId}"
VERIFY = "POST /api/admin/consistency/verifyAndRepair/{workflowId}"
UNKNOWN = {"status": 404, "message": "Workflow with id: ad-none not found."}

ROWS = (
    Row("GET /api/admin/config", "tells the version", "/api/admin/config", 200,
        answer={"version": str}),
    Row(SWEEP, "does what is due", "/api/admin/sweep/requeue/<run>", 200, {}, "true.<run>"),
    Row(SWEEP, "knows no such execution", "/api/admin/sweep/requeue/ad-none", 404, {}, UNKNOWN),
    Row(VERIFY, "has nothing to repair", "/api/admin/consistency/verifyAndRepair/<run>", 200, {},
        "false"),
    Row(VERIFY, "knows no such execution", "/api/admin/consistency/verifyAndRepair/ad-none", 404,
        {}, UNKNOWN),
    Row(PENDING, "tells of those that wait", "/api/admin/task/ad_work", 200,
        answer=[{"taskType": "ad_work", "status": "SCHEDULED", "workflowInstanceId": "<run>",
                 "referenceTaskName": "work"}]),
    Row(PENDING, "tells of kinds, too", "/api/admin/task/WAIT?start=0&count=1", 200,
        answer=[{"taskType": "WAIT", "status": "IN_PROGRESS"}]),
    Row(PENDING, "passes over some", "/api/admin/task/ad_work?start=1", 200, answer=[]),
    Row(PENDING, "tells of none", "/api/admin/task/ad_nothing", 200, answer=[]),
    Row(PENDING, "tells of so many at most", "/api/admin/task/ad_work?count=5001", 400,
        answer={"status": 400, "message": str}),
    Row(PENDING, "wants a number", "/api/admin/task/ad_work?start=x", 400,
        answer={"status": 400, "message": str}),
    Row(BY_REF, "knows no such execution", f"{QUEUE}/ad-none/first/COMPLETED", 404, {}, UNKNOWN),
    Row(BY_REF, "knows no such task", f"{QUEUE}/<run>/none/COMPLETED", 404, {},
        {"status": 404, "message": str}),
    Row(BY_REF, "knows no such status", f"{QUEUE}/<run>/first/DONE", 400, {},
        {"status": 400, "message": str}),
    Row(BY_REF, "wants an object", f"{QUEUE}/<run>/first/COMPLETED", 400, [],
        {"status": 400, "message": str}),
    Row(BY_REF, "tells a word", f"{QUEUE}/<run>/first/COMPLETED", 200, {"by": "ref"}, ""),
    Row(BY_ID, "knows no such task", f"{QUEUE}/<run>/task/ad-none/COMPLETED", 404, {},
        {"status": 404, "message": str}),
    Row(BY_ID, "tells a word", f"{QUEUE}/<run>/task/<second>/COMPLETED", 200, {"by": "id"}, ""),
    Row("GET /api/workflow/{workflowId}", "has both", "/api/workflow/<run>", 200,
        answer={"tasks": [
            ..., ..., {"referenceTaskName": "first", "outputData": {"by": "ref"}},
            {"referenceTaskName": "second", "outputData": {"by": "id"}}, ...]}),
)  # fmt: skip


@pytest.fixture(scope="module")
async def world(services: Services, api: httpx.AsyncClient) -> dict[str, str]:
    def task(ref: str, kind: str, name: str = "") -> dict[str, object]:
        return {"name": name or ref, "taskReferenceName": ref, "type": kind}

    fork = {
        "name": "fork", "taskReferenceName": "fork", "type": "FORK_JOIN",
        "forkTasks": [
            [task("work", "SIMPLE", "ad_work")], [task("first", "WAIT")], [task("second", "WAIT")],
        ],
    }  # fmt: skip
    join = {**task("join", "JOIN"), "joinOn": ["work", "first", "second"]}
    await put(services, {"kind": "workflow", "name": "ad_flow", "tasks": [fork, join]})
    run = (await api.post("/api/workflow/ad_flow", json={})).text
    tasks = (await api.get(f"/api/workflow/{run}")).json()["tasks"]
    ids = {each["referenceTaskName"]: each["taskId"] for each in tasks}
    return {"run": run, "second": ids["second"]}


async def test_exchanges_are_as_recorded(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    await exchanged_in_order(api, ROWS, world)
