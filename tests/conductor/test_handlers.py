from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conductor.rows import Row, exchanged, exchanged_in_order
from tests.tui.services import Services, put

EVENT = "conductor:handled-order:paid"
START: dict[str, Any] = {
    "action": "start_workflow",
    "start_workflow": {"name": "handled", "input": {"order": "${orderId}", "none": None}},
}
ENDS: dict[str, Any] = {
    "action": "complete_task",
    "complete_task": {"workflowId": "${id}", "taskRefName": "wait", "output": {"by": "event"}},
}
WAITING: dict[str, Any] = {
    "name": "h-waiting", "event": EVENT, "active": False, "actions": [ENDS],
}  # fmt: skip
READY: dict[str, Any] = {
    "name": "h-ready", "event": EVENT, "active": True, "actions": [START],
    "condition": "$.total > 0", "evaluatorType": "javascript",
}  # fmt: skip
REFUSED = {"status": 400, "message": str, "instance": "/api/event", "retryable": False,
           "validationErrors": list}  # fmt: skip


def handler(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "event": f"conductor:of:{name}", "actions": [ENDS], **fields}


def missing(name: str) -> dict[str, Any]:
    message = f"EventHandler with name {name} not found!"
    return {"status": 404, "message": message, "retryable": False}


ROWS = (
    Row("POST /api/event", "stores a list together, as the JavaScript client sends it",
        "/api/event", 200, [handler("h-a"), handler("h-b", tags=[{"key": "k", "value": "v"}])], ""),
    Row("POST /api/event", "refuses what is there", "/api/event", 409, READY,
        {"status": 409, "message": "EventHandler with name h-ready already exists!",
         "retryable": False, "instance": "/api/event"}),
    Row("POST /api/event", "ignores what it does not know, as Jackson does", "/api/event", 200,
        handler("h-more", createdBy="me", orgId="o", condition="", evaluatorType=None,
                actions=[{**ENDS, "fail_task": None, "expandInlineJSON": False, "x": 1}]), ""),
    Row("POST /api/event", "names a sink that there is not", "/api/event", 400,
        handler("h-sqs", event="sqs:orders"),
        {**REFUSED, "validationErrors": [{"path": "event", "message": str}]}),
    Row("POST /api/event", "names an action that there is not", "/api/event", 400,
        handler("h-agent", actions=[{"action": "start_agent", "start_agent": {"name": "a"}}]),
        REFUSED),
    Row("POST /api/event", "names JSON within texts, which is not read", "/api/event", 400,
        handler("h-inline", actions=[{**ENDS, "expandInlineJSON": True}]),
        {**REFUSED, "validationErrors": [{"path": "actions[0].expandInlineJSON", "message": str}]}),
    Row("POST /api/event", "names an evaluator that there is not", "/api/event", 400,
        handler("h-py", condition="1", evaluatorType="python"),
        {**REFUSED, "validationErrors": [{"path": "evaluatorType", "message": str}]}),
    Row("POST /api/event", "names a field of a wrong type", "/api/event", 400,
        handler("h-type", active="yes", actions={}), REFUSED),
    Row("POST /api/event", "wants a name", "/api/event", 400, {"event": EVENT},
        {**REFUSED, "validationErrors": [{"path": "name", "message": str}]}),
    Row("POST /api/event", "tells which of a list has a fault", "/api/event", 400,
        [handler("h-c"), handler("h-d", event="sqs:orders")],
        {"message": "Validation failed, check below errors for detail. There is a fault: "
                    "[1].event: 'sqs:orders' is not supported: events are "
                    "conductor:WORKFLOW:NAME and webhook:NAME.",
         "validationErrors": [{"path": "[1].event", "message": str}],
         "errors": [{"pointer": "/1/event", "detail": str}]}),
    Row("POST /api/event", "wants an object", "/api/event", 400, "7", {"status": 400}),
    Row("POST /api/event", "wants objects", "/api/event", 400, [7], {"status": 400}),
    Row("POST /api/event", "wants some", "/api/event", 400, [], {"status": 400}),
    Row("POST /api/event", "wants JSON", "/api/event", 400, "{", {"status": 400}),
    Row("PUT /api/event", "knows none of that name", "/api/event", 404, handler("h-none"),
        missing("h-none")),
    Row("PUT /api/event", "wants a name", "/api/event", 400, {}, REFUSED),
    Row("PUT /api/event", "tells every fault", "/api/event", 400, {**WAITING, "event": "x"},
        REFUSED),
    Row("GET /api/event/{event}", "has active ones", f"/api/event/{EVENT}", 200,
        answer=[{**READY, "name": "h-ready"}]),
    Row("GET /api/event/{event}", "has those that are not, asked so",
        "/api/event/conductor%3Ahandled-order%3Anext?activeOnly=false", 200,
        answer=[{"name": "h-next", "active": False, "evaluatorType": "javascript"}]),
    Row("GET /api/event/{event}", "has none of another", "/api/event/conductor:a:b", 200,
        answer=[]),
    Row("GET /api/event/{event}", "wants a flag", f"/api/event/{EVENT}?activeOnly=perhaps", 400,
        answer={"status": 400}),
    Row("GET /api/event", "has all", "/api/event", 200, answer=list),
    Row("GET /api/event/handler", "has all", "/api/event/handler/", 200, answer=list),
    Row("GET /api/event/handler/{name}", "has one", "/api/event/handler/h-ready", 200,
        answer=READY),
    Row("GET /api/event/{name}/tags", "has none", "/api/event/h-ready/tags", 200, answer=[]),
    Row("PUT /api/event/{name}/tags", "wants tags", "/api/event/h-tagged/tags", 400, ["x"],
        {"validationErrors": [{"path": "[0]", "message": str}]}),
)  # fmt: skip

STORIES = {
    "a list is stored or is not": (
        Row(
            "POST /api/event",
            "stores none of a list of which one is there",
            "/api/event",
            409,
            [handler("h-half"), READY],
        ),
        Row(
            "GET /api/event/handler/{name}",
            "finds none of that list",
            "/api/event/handler/h-half",
            404,
            answer=missing("h-half"),
        ),
    ),
    "what is stored goes": (
        Row("POST /api/event", "stores one", "/api/event", 200, handler("h-one"), ""),
        Row("DELETE /api/event/{name}", "removes it", "/api/event/h-one", 200, answer=""),
        Row(
            "DELETE /api/event/{name}",
            "knows none of that name",
            "/api/event/h-one",
            404,
            answer=missing("h-one"),
        ),
    ),
    "what is put stays": (
        Row(
            "PUT /api/event",
            "puts it in place",
            "/api/event",
            200,
            {**WAITING, "condition": "true"},
            "",
        ),
        Row("PUT /api/event", "puts it back", "/api/event", 200, WAITING, ""),
    ),
    "tags are set and taken away": (
        Row(
            "PUT /api/event/{name}/tags",
            "sets them",
            "/api/event/h-tagged/tags",
            200,
            [{"key": "team", "value": "a", "type": "METADATA"}],
            "",
        ),
        Row(
            "PUT /api/event", "leaves tags", "/api/event", 200, handler("h-tagged", active=True), ""
        ),
        Row(
            "GET /api/event/{name}/tags",
            "has them",
            "/api/event/h-tagged/tags",
            200,
            answer=[{"key": "team", "value": "a"}],
        ),
        Row(
            "DELETE /api/event/{name}/tags",
            "takes them away",
            "/api/event/h-tagged/tags",
            200,
            [{"key": "team", "value": "a"}],
            "",
        ),
        Row(
            "GET /api/event/{name}/tags", "has no more", "/api/event/h-tagged/tags", 200, answer=[]
        ),
    ),
}


@pytest.fixture(scope="module")
async def world(services: Services) -> dict[str, str]:
    task = {"name": "noop", "taskReferenceName": "t", "type": "NOOP"}
    await put(
        services,
        {"kind": "workflow", "name": "handled", "tasks": [task]},
        {"kind": "event", **READY}, {"kind": "event", **WAITING},
        {"kind": "event", **handler("h-next", event="conductor:handled-order:next")},
        {"kind": "event", **handler("h-tagged", active=False)},
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
