"""Tags of definitions, and limits of workflows, as Orkes' clients have them."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.conductor.rows import Row, exchanged_in_order
from tests.tui.services import Services, put

OF_WORKFLOW = "/api/metadata/workflow/tg_flow/tags"
OF_TASK = "/api/metadata/task/tg_task/tags"
OF_SECRET = "/api/secrets/TG_SECRET/tags"
LIMIT = "/api/metadata/workflow/tg_flow/rate-limit"
GET, POST, PUT, DELETE = (
    f"{method} /api/metadata/workflow/{{name}}/tags" for method in ("GET", "POST", "PUT", "DELETE")
)
LIMITED, UNLIMITED, LIMITING = (
    f"{method} /api/metadata/workflow/{{name}}/rate-limit" for method in ("GET", "DELETE", "PUT")
)


def tag(key: str, value: object, type_: str = "METADATA") -> dict[str, object]:
    return {"key": key, "type": type_, "value": value}


ROWS = (
    Row(GET, "tells of those of the latest version", OF_WORKFLOW, 200,
        answer=[tag("team", "shop"), tag("plain", "")]),
    Row(POST, "adds one", OF_WORKFLOW, 200, tag("env", "prod"), ""),
    Row(POST, "adds none twice", OF_WORKFLOW, 200, [{"key": "env", "value": "prod"}]),
    Row(GET, "tells of it, too", OF_WORKFLOW, 200,
        answer=[tag("team", "shop"), tag("plain", ""), tag("env", "prod")]),
    Row(DELETE, "takes those of the key and value", OF_WORKFLOW, 200,
        [tag("env", "prod"), tag("team", "other"), tag("plain", "")]),
    Row(GET, "leaves the others", OF_WORKFLOW, 200, answer=[tag("team", "shop")]),
    Row(PUT, "takes the place of all", OF_WORKFLOW, 200, [tag("a", "b"), tag("a", "c")]),
    Row(GET, "tells of those alone", OF_WORKFLOW, 200, answer=[tag("a", "b"), tag("a", "c")]),
    Row(PUT, "tells what is none", OF_WORKFLOW, 400, [tag("a", "b"), 7, tag("", "x"), tag("a", 1)],
        {"validationErrors": [
            {"path": "[1]", "message": "must be a tag: {key, value, type}"},
            {"path": "[2].key", "message": "must be given: a text that is not empty"},
            {"path": "[3].value", "message": "must be given: a text"}]}),
    Row(PUT, "tells what one alone lacks", OF_WORKFLOW, 400, {"key": "a"},
        {"validationErrors": [{"path": "value", "message": "must be given: a text"}]}),
    Row(PUT, "wants no more than can be told of", OF_WORKFLOW, 400, [1] * 1001,
        {"message": "At most 1000 tags are taken at once."}),
    Row(GET, "knows no such workflow", "/api/metadata/workflow/tg_none/tags", 404,
        answer={"message": "No such workflow found by name: tg_none"}),
    Row(POST, "knows no such workflow", "/api/metadata/workflow/tg_none/tags", 404,
        tag("a", "b"), {"message": "No such workflow found by name: tg_none"}),
    Row(LIMITED, "knows none", LIMIT, 404, answer={"status": 404, "message": str}),
    Row(POST, "limits as Python does", OF_WORKFLOW, 200, tag("tg_flow", 5, "RATE_LIMIT")),
    Row(GET, "tells of the limit", OF_WORKFLOW, 200,
        answer=[tag("a", "b"), tag("a", "c"), tag("tg_flow", 5, "RATE_LIMIT")]),
    Row(LIMITED, "tells of the same", LIMIT, 200, answer={"concurrentExecLimit": 5}),
    Row(PUT, "leaves the limit", OF_WORKFLOW, 200, []),
    Row(GET, "tells of it still", OF_WORKFLOW, 200, answer=[tag("tg_flow", 5, "RATE_LIMIT")]),
    Row(DELETE, "takes the limit away", OF_WORKFLOW, 200, tag("tg_flow", 5, "RATE_LIMIT")),
    Row(GET, "tells of none", OF_WORKFLOW, 200, answer=[]),
    Row(POST, "wants a number", OF_WORKFLOW, 400, tag("tg_flow", "x", "RATE_LIMIT"),
        {"validationErrors": [
            {"path": "value", "message": "must be given: a whole number from 1"}]}),
    Row(LIMITING, "limits as JavaScript does", LIMIT, 200,
        {"concurrentExecLimit": 3, "rateLimitKey": "${workflow.correlationId}", "id": 1}),
    Row(LIMITED, "tells of it", LIMIT, 200,
        answer={"concurrentExecLimit": 3, "rateLimitKey": "${workflow.correlationId}"}),
    Row(LIMITING, "tells every fault", LIMIT, 400, {"concurrentExecLimit": -3},
        {"validationErrors": [{"path": "concurrentExecLimit", "message": str}]}),
    Row(LIMITING, "wants an object", LIMIT, 400, [], {"message": str}),
    Row(LIMITING, "knows no such workflow", "/api/metadata/workflow/tg_none/rate-limit", 404,
        {"concurrentExecLimit": 3}),
    Row(UNLIMITED, "takes it away", LIMIT, 200, {}, ""),
    Row(UNLIMITED, "finds none", LIMIT, 200, {}, ""),
    Row("GET /api/metadata/task/{taskName}/tags", "tells of none", OF_TASK, 200, answer=[]),
    Row("POST /api/metadata/task/{taskName}/tags", "adds one", OF_TASK, 200, tag("a", "b")),
    Row("POST /api/metadata/taskdefs", "leaves them", "/api/metadata/taskdefs", 200,
        [{"name": "tg_task", "retryCount": 1}]),
    Row("PUT /api/metadata/taskdefs", "leaves them", "/api/metadata/taskdefs", 200,
        {"name": "tg_task", "retryCount": 2}),
    Row("GET /api/metadata/task/{taskName}/tags", "tells of it", OF_TASK, 200,
        answer=[tag("a", "b")]),
    Row("POST /api/metadata/task/{taskName}/tags", "limits no tasks", OF_TASK, 400,
        tag("tg_task", 5, "RATE_LIMIT")),
    Row("PUT /api/metadata/task/{taskName}/tags", "takes the place", OF_TASK, 200,
        [tag("c", "d")]),
    Row("DELETE /api/metadata/task/{taskName}/tags", "takes one", OF_TASK, 200, tag("c", "d")),
    Row("GET /api/metadata/task/{taskName}/tags", "knows no such task",
        "/api/metadata/task/tg_none/tags", 404,
        answer={"message": "No such taskType found by name: tg_none"}),
    Row("PUT /api/secrets/{key}/tags", "takes the place", OF_SECRET, 200, [tag("a", "b")]),
    Row("POST /api/secrets/{key}/tags", "adds one", OF_SECRET, 200, tag("c", "d")),
    Row("DELETE /api/secrets/{key}/tags", "takes one", OF_SECRET, 200, [tag("a", "b")]),
    Row("GET /api/secrets/{key}/tags", "tells of it", OF_SECRET, 200, answer=[tag("c", "d")]),
    Row("PUT /api/secrets/{key}", "leaves them", "/api/secrets/TG_SECRET", 200, "other"),
    Row("GET /api/secrets/{key}/tags", "knows no such secret", "/api/secrets/TG_NONE/tags", 404,
        answer={"message": "No such secret found by name: TG_NONE"}),
)  # fmt: skip
TASK = {"name": "tg_task", "taskReferenceName": "t", "type": "SIMPLE"}


@pytest.fixture(scope="module")
async def world(services: Services) -> dict[str, str]:
    flow = {"kind": "workflow", "name": "tg_flow", "tasks": [TASK]}
    tags = [{"key": "team", "value": "shop"}, "plain"]
    await put(
        services,
        {"kind": "task", "name": "tg_task"},
        {**flow, "tags": [{"key": "old", "value": "old"}]},
        {**flow, "version": 2, "tags": tags},
        {"kind": "secret", "name": "TG_SECRET", "value": "shown to nobody"},
    )
    return {}


async def test_exchanges_are_as_recorded(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    await exchanged_in_order(api, ROWS, world)


async def test_a_new_version_has_the_tags_of_the_latest(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    flow = {"name": "tg_next", "tasks": [TASK]}
    await api.post("/api/metadata/workflow", json=flow)
    path = "/api/metadata/workflow/tg_next/tags"
    await api.put(path, json=[tag("team", "shop")])
    await api.put("/api/metadata/workflow", json=[flow, {**flow, "version": 2}])

    assert (await api.get(path)).json() == [tag("team", "shop")]
    first = (await api.get("/api/metadata/workflow/tg_next?version=1")).json()
    assert first["tags"] == [{"key": "team", "value": "shop"}]


async def test_of_many_who_tag_at_once_none_is_lost(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    tags = [tag("n", str(number)) for number in range(8)]
    answers = await asyncio.gather(*(api.post(OF_WORKFLOW, json=each) for each in tags))
    there = (await api.get(OF_WORKFLOW)).json()

    assert [each.status_code for each in answers] == [200] * 8
    assert sorted(there, key=lambda each: str(each["value"])) == tags
