from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.conductor.rows import Row, exchanged, exchanged_in_order
from tests.tui.services import Services, put

START = {"name": "scheduled", "input": {"region": "eu", "none": None}, "version": 1}
NIGHTLY: dict[str, Any] = {
    "name": "s-nightly", "cronExpression": "0 30 2 * * *", "zoneId": "Europe/Berlin",
    "startWorkflowRequest": START,
}  # fmt: skip
# As conductor-python sends it.
SENT: dict[str, Any] = {
    **NIGHTLY, "paused": False, "runCatchupScheduleInstances": False, "createdBy": "me",
    "scheduleStartTime": 1900000000000, "scheduleEndTime": 1900100000000, "description": "d",
    "startWorkflowRequest": {**START, "correlationId": "c", "priority": 0, "taskToDomain": {},
                             "idempotencyStrategy": "FAIL", "workflowDef": None, "x": 1},
}  # fmt: skip
SHOWN = {**NIGHTLY, "paused": False, "runCatchupScheduleInstances": False, "createTime": int,
         "updatedTime": int, "updatedBy": "application:admin"}  # fmt: skip
REFUSED = {"status": 400, "message": str, "retryable": False}
SCHEDULES = "/api/scheduler/schedules"
NEXT = "/api/scheduler/nextFewSchedules"
RUNS = "/api/scheduler/search/executions"
# 2100-01-01 and a day later, UTC.
THEN, LATER = 4102444800000, 4102531200000


def schedule(name: str, **fields: Any) -> dict[str, Any]:
    return {**NIGHTLY, "name": name, **fields}


def missing(name: str) -> dict[str, Any]:
    return {"status": 404, "message": f"Schedule '{name}' not found", "retryable": False}


def faulty(path: str) -> dict[str, Any]:
    return {**REFUSED, "validationErrors": [{"path": path, "message": str}]}


ROWS = (
    Row("POST /api/scheduler/schedules", "stores what conductor-python sends", SCHEDULES, 200,
        {**SENT, "name": "s-sent"}, {"name": "s-sent", "scheduleStartTime": 1900000000000,
                                     "description": "d", "createTime": int}),
    Row("POST /api/scheduler/schedules", "takes several expressions, which count", SCHEDULES, 200,
        schedule("s-several", cronSchedules=[{"cronExpression": "0 0 9 * * *", "zoneId": "UTC"},
                                             {"cronExpression": "0 0 18 * * *", "zoneId": None}]),
        {"cronSchedules": [{"cronExpression": "0 0 9 * * *"}, {"cronExpression": "0 0 18 * * *"}]}),
    Row("POST /api/scheduler/schedules", "names an expression that is none", SCHEDULES, 400,
        schedule("s-bad", cronExpression="every day"), faulty("cronExpression")),
    Row("POST /api/scheduler/schedules", "names a zone that there is not", SCHEDULES, 400,
        schedule("s-bad", zoneId="Mars/Base"), faulty("zoneId")),
    Row("POST /api/scheduler/schedules", "names a key, which would be lost", SCHEDULES, 400,
        schedule("s-bad", startWorkflowRequest={**START, "idempotencyKey": "k"}),
        faulty("startWorkflowRequest.idempotencyKey")),
    Row("POST /api/scheduler/schedules", "names a definition within it", SCHEDULES, 400,
        schedule("s-bad", startWorkflowRequest={**START, "workflowDef": {"name": "x"}}),
        faulty("startWorkflowRequest.workflowDef")),
    Row("POST /api/scheduler/schedules", "names a workflow that there is not", SCHEDULES, 400,
        schedule("s-bad", startWorkflowRequest={"name": "nowhere"}),
        faulty("startWorkflowRequest.name")),
    Row("POST /api/scheduler/schedules", "names fields of a wrong type", SCHEDULES, 400,
        schedule("s-bad", paused="no"), faulty("paused")),
    Row("POST /api/scheduler/schedules", "wants a start", SCHEDULES, 400,
        {"name": "s-bad", "cronExpression": "@daily"}, faulty("startWorkflowRequest")),
    Row("POST /api/scheduler/schedules", "wants a name", SCHEDULES, 400, {}, faulty("name")),
    Row("POST /api/scheduler/schedules", "wants an object", SCHEDULES, 400, [SENT], REFUSED),
    Row("GET /api/scheduler/schedules/{name}", "has it, and when it runs next",
        f"{SCHEDULES}/s-nightly", 200, answer={**SHOWN, "nextRunTime": int}),
    Row("GET /api/scheduler/schedules/{name}", "knows none of that name", f"{SCHEDULES}/s-none",
        200, answer=""),
    Row("GET /api/scheduler/schedules", "has those of a workflow",
        f"{SCHEDULES}?workflowName=scheduled-once", 200, answer=[{"name": "s-once"}]),
    Row("GET /api/scheduler/schedules", "has none of another", f"{SCHEDULES}?workflowName=x", 200,
        answer=[]),
    Row("GET /api/scheduler/schedules", "has all", f"{SCHEDULES}?workflowName=None", 200,
        answer=list),
    Row("GET /api/scheduler/schedules/search", "finds by all that is asked",
        f"{SCHEDULES}/search?workflowName=scheduled-once&scheduleName=ONC&paused=false&freeText=*",
        200, answer={"totalHits": 1, "results": [{"name": "s-once", "nextRunTime": int}]}),
    Row("GET /api/scheduler/schedules/search", "sorts and pages",
        f"{SCHEDULES}/search?freeText=found-&sort=name:DESC&start=1&size=1", 200,
        answer={"totalHits": 2, "results": [{"name": "found-1"}]}),
    Row("GET /api/scheduler/schedules/search", "finds those that are paused",
        f"{SCHEDULES}/search?paused=true&scheduleName=found", 200,
        answer={"totalHits": 1, "results": [{"name": "found-2", "paused": True}]}),
    Row("GET /api/scheduler/schedules/search", "sorts by no other field",
        f"{SCHEDULES}/search?sort=colour:ASC", 400, answer=faulty("sort")),
    Row("GET /api/scheduler/schedules/tags", "finds by a tag", f"{SCHEDULES}/tags?tag=team:a", 200,
        answer=[{"name": "found-1", "tags": [{"key": "team", "value": "a"}]}]),
    Row("GET /api/scheduler/schedules/tags", "finds by one that is a text",
        f"{SCHEDULES}/tags?tag=team:b", 200, answer=[{"name": "found-2"}]),
    Row("GET /api/scheduler/schedules/tags", "wants one", f"{SCHEDULES}/tags", 400, answer=REFUSED),
    Row("DELETE /api/scheduler/schedules/{name}", "is content when there is none",
        f"{SCHEDULES}/s-none", 204, answer=""),
    Row("PUT /api/scheduler/schedules/{name}/pause", "knows none of that name",
        f"{SCHEDULES}/s-none/pause", 404, answer=missing("s-none")),
    Row("GET /api/scheduler/schedules/{name}/pause", "knows none of that name",
        f"{SCHEDULES}/s-none/pause", 404, answer=missing("s-none")),
    Row("PUT /api/scheduler/schedules/{name}/resume", "knows none of that name",
        f"{SCHEDULES}/s-none/resume", 404, answer=missing("s-none")),
    Row("GET /api/scheduler/schedules/{name}/resume", "knows none of that name",
        f"{SCHEDULES}/s-none/resume", 404, answer=missing("s-none")),
    Row("PUT /api/scheduler/bulk/pause", "wants names", "/api/scheduler/bulk/pause", 400, [7],
        faulty("")),
    Row("PUT /api/scheduler/bulk/resume", "wants a list", "/api/scheduler/bulk/resume", 400, {},
        faulty("")),
    Row("PUT /api/scheduler/bulk/resume", "does not take too many", "/api/scheduler/bulk/resume",
        400, ["s"] * 1001,
        {**faulty(""),
         "message": "Cannot process more than 1000 schedules. Please use multiple requests."}),
    Row("GET /api/scheduler/nextFewSchedules", "tells five from now",
        f"{NEXT}?cronExpression=0+30+2+*+*+*", 200, answer=[int] * 5),
    Row("GET /api/scheduler/nextFewSchedules", "tells those from a time to another",
        f"{NEXT}?cronExpression=0 0 */12 * * *&scheduleStartTime={THEN}&scheduleEndTime={LATER}"
        "&limit=100", 200, answer=[THEN, THEN + 43200000, LATER]),
    Row("GET /api/scheduler/nextFewSchedules", "tells none",
        f"{NEXT}?cronExpression=@daily&limit=0", 200, answer=[]),
    Row("GET /api/scheduler/nextFewSchedules", "tells them in a zone",
        f"{NEXT}?cronExpression=@daily&zoneId=Asia/Tokyo&scheduleStartTime={THEN}&limit=1", 200,
        answer=[THEN + 15 * 3600000]),
    Row("GET /api/scheduler/nextFewSchedules", "says cron where it is none",
        f"{NEXT}?cronExpression=never", 400, answer={**REFUSED, "message": str}),
    Row("GET /api/scheduler/nextFewSchedules", "wants one", NEXT, 400, answer=REFUSED),
    Row("GET /api/scheduler/nextFewSchedules", "wants a moment",
        f"{NEXT}?cronExpression=@daily&scheduleStartTime=today", 400,
        answer=faulty("scheduleStartTime")),
    Row("GET /api/scheduler/nextFewSchedules", "wants a number",
        f"{NEXT}?cronExpression=@daily&limit=-1", 400, answer=faulty("limit")),
    Row("GET /api/scheduler/search/executions", "finds none yet",
        f"{RUNS}?query=scheduleName%20IN%20(s-nightly)&size=10", 200,
        answer={"totalHits": 0, "results": []}),
    Row("GET /api/scheduler/search/executions", "finds none of what there is not",
        f"{RUNS}?query=s-none&sort=&freeText=*", 200, answer={"totalHits": 0, "results": []}),
    Row("GET /api/scheduler/search/executions", "names a condition that it has not",
        f"{RUNS}?query=colour%3Dred", 400, answer=faulty("query")),
    Row("GET /api/scheduler/search/executions", "sorts by no other field",
        f"{RUNS}?query=s-none&sort=colour", 400, answer=faulty("sort")),
    Row("GET /api/scheduler/search/executions", "wants a moment",
        f"{RUNS}?query=scheduledTime%3Enow", 400, answer=faulty("scheduledTime")),
)  # fmt: skip

TAGS = [{"key": "team", "value": "b"}]
STORIES = {
    "what Conductor has none of stays": (
        Row("POST", "", SCHEDULES, 200, schedule("s-kept", overlapPolicy="SKIP", tags=TAGS)),
        Row("POST", "", SCHEDULES, 200, schedule("s-kept", cronExpression="@hourly")),
        Row("GET", "", f"{SCHEDULES}/s-kept", 200,
            answer={"overlapPolicy": "SKIP", "tags": TAGS, "cronExpression": "@hourly"}),
    ),
    "what was read is put back": (
        Row("POST", "", SCHEDULES, 200, schedule("s-back"), {"name": "s-back"}),
        Row("POST", "", SCHEDULES, 200, {**SHOWN, "name": "s-back", "createTime": 1,
                                         "updatedTime": 2, "nextRunTime": 3, "tags": None}),
    ),
    "one is paused and goes on": (
        Row("POST", "", SCHEDULES, 200, schedule("s-halt")),
        Row("PUT", "", f"{SCHEDULES}/s-halt/pause?reason=a%20fire", 200, answer=""),
        Row("GET", "", f"{SCHEDULES}/s-halt", 200,
            answer={"paused": True, "pausedReason": "a fire"}),
        Row("PUT", "", f"{SCHEDULES}/s-halt/resume", 200, answer=""),
        Row("PUT", "", f"{SCHEDULES}/s-halt/resume", 200, answer=""),
        Row("GET", "", f"{SCHEDULES}/s-halt", 200, answer={"paused": False}),
        Row("GET", "", f"{SCHEDULES}/s-halt/pause", 200, answer=""),
        Row("GET", "", f"{SCHEDULES}/s-halt", 200, answer={"paused": True}),
        Row("GET", "", f"{SCHEDULES}/s-halt/resume", 200, answer=""),
    ),
    "several are paused and go on": (
        Row("POST", "", SCHEDULES, 200, schedule("s-bulk")),
        Row("PUT", "", "/api/scheduler/bulk/pause", 200, ["s-bulk", "s-none", "s-bulk"],
            {"bulkSuccessfulResults": ["s-bulk"],
             "bulkErrorResults": {"s-none": "Schedule 's-none' not found"}}),
        Row("GET", "", f"{SCHEDULES}/s-bulk", 200, answer={"paused": True}),
        Row("PUT", "", "/api/scheduler/bulk/resume", 200, ["s-bulk"],
            {"bulkSuccessfulResults": ["s-bulk"], "bulkErrorResults": {}}),
    ),
    "tags are set and taken away": (
        Row("POST", "", SCHEDULES, 200, schedule("s-tags")),
        Row("PUT", "", f"{SCHEDULES}/s-tags/tags", 200, TAGS, ""),
        Row("GET", "", f"{SCHEDULES}/s-tags/tags", 200, answer=TAGS),
        Row("DELETE", "", f"{SCHEDULES}/s-tags/tags", 200, TAGS, ""),
        Row("GET", "", f"{SCHEDULES}/s-tags/tags", 200, answer=[]),
    ),
    "what is there goes": (
        Row("POST", "", SCHEDULES, 200, schedule("s-gone")),
        Row("DELETE", "", f"{SCHEDULES}/s-gone", 204, answer=""),
        Row("GET", "", f"{SCHEDULES}/s-gone", 200, answer=""),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
async def world(services: Services) -> dict[str, str]:
    task = {"name": "noop", "taskReferenceName": "t", "type": "NOOP"}
    once = schedule("s-once", startWorkflowRequest={"name": "scheduled-once"})
    tags = [{"key": "team", "value": "a"}]
    await put(
        services,
        {"kind": "workflow", "name": "scheduled", "tasks": [task]},
        {"kind": "workflow", "name": "scheduled-once", "tasks": [task]},
        *({"kind": "schedule", **each} for each in (
            NIGHTLY, once, schedule("found-1", tags=tags),
            schedule("found-2", paused=True, tags=["team:b"]),
        )),
    )  # fmt: skip
    return {}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(
    api: httpx.AsyncClient, world: dict[str, str], row: Row
) -> None:
    await exchanged(api, row, world)


@pytest.mark.parametrize("story", STORIES)
async def test_one_thing_after_the_other(
    api: httpx.AsyncClient, world: dict[str, str], story: str
) -> None:
    await exchanged_in_order(api, STORIES[story], world)


async def test_a_refused_expression_is_told_by_the_word_that_clients_look_for(
    api: httpx.AsyncClient,
) -> None:
    answer = await api.get(NEXT, params={"cronExpression": "never"})
    assert answer.json()["message"].startswith("Invalid cron expression")
    (fault,) = answer.json()["validationErrors"]
    assert fault["path"] == "cronExpression"
    nowhere = await api.get(NEXT, params={"cronExpression": "@daily", "zoneId": "Nowhere"})
    (fault,) = nowhere.json()["validationErrors"]
    assert fault["path"] == "zoneId"


# Up to a second: schedules run by the second at most.
async def test_a_run_is_found_by_its_schedule(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    query = "scheduleName = s-seconds AND state IN (EXECUTED) AND workflowName=scheduled"
    await api.post(SCHEDULES, json=schedule("s-seconds", cronExpression="* * * * * *"))
    async with asyncio.timeout(60):
        while True:
            if found := (await _runs(api, query))["results"]:
                break
            await asyncio.sleep(0.02)
    await api.put(f"{SCHEDULES}/s-seconds/pause")

    run = found[0]
    execution_id = run["workflowId"]
    assert run == {
        "executionId": execution_id, "scheduleName": "s-seconds", "state": "EXECUTED",
        "workflowName": "scheduled", "workflowId": execution_id, "zoneId": "Europe/Berlin",
        "scheduledTime": run["scheduledTime"], "executionTime": run["executionTime"],
    }  # fmt: skip
    assert run["executionTime"] >= run["scheduledTime"] > 0
    at = run["scheduledTime"]
    assert (await _runs(api, f"s-seconds AND scheduledTime<{at + 1}"))["results"][0] == run
    assert run not in (await _runs(api, f"s-seconds AND scheduledTime>{at}"))["results"]
    assert (await _runs(api, f"executionId={execution_id}"))["results"] == [run]
    await api.delete(f"{SCHEDULES}/s-seconds")


async def _runs(api: httpx.AsyncClient, query: str) -> Any:
    answer = await api.get(RUNS, params={"query": query, "sort": "scheduledTime:DESC"})
    assert answer.status_code == 200, answer.text
    return answer.json()
