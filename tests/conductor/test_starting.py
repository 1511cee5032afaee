from __future__ import annotations

import httpx
import pytest

from tests.conductor.calling import authorized
from tests.conductor.rows import Row, exchanged
from tests.tui.services import Services, put

WORKFLOW = {
    "name": "starting", "version": 2, "inputParameters": ["n"],
    "tasks": [{"name": "wait", "taskReferenceName": "wait", "type": "WAIT"}],
    "outputParameters": {"n": "${workflow.input.n}"},
}  # fmt: skip
NOOP = {"name": "noop", "taskReferenceName": "noop", "type": "NOOP"}
HELD = {
    "name": "starting-held", "version": 1, "tasks": [NOOP],
    "inputSchema": {"data": {"required": ["q"], "properties": {"n": {"type": "number"}}}},
}  # fmt: skip
INLINE = {"name": "starting-inline", "version": 7, "tasks": [NOOP]}


def _error(status: int, message: str) -> dict[str, object]:
    return {"status": status, "message": message, "instance": str, "retryable": False}


def _fault(path: str, said: str) -> dict[str, object]:
    faults = [{"path": path, "message": said}]
    return {**_error(400, f"There is a fault: {path}: {said}."), "validationErrors": faults}


REQUEST = "POST /api/workflow"
ROWS = (
    Row(REQUEST, "by its name alone", "/api/workflow", 200, {"name": "starting"}, str),
    Row(REQUEST, "with nulls and a version of 0", "/api/workflow", 200,
        {"name": "starting", "version": 0, "input": None, "correlationId": None,
         "taskToDomain": None, "workflowDef": None, "priority": None}, str),
    Row(REQUEST, "with all there is, and more", "/api/workflow", 200,
        {"name": "starting", "version": 2, "input": {"n": 12345678901234567890},
         "correlationId": "c", "priority": 99, "taskToDomain": {"*": "eu"}, "createdBy": "me",
         "idempotencyStrategy": "FAIL", "somethingNew": {}}, str),
    Row(REQUEST, "with a definition of its own", "/api/workflow", 200,
        {"name": "starting-inline", "workflowDef": INLINE}, str),
    Row(REQUEST, "with a definition that cannot be run", "/api/workflow", 400,
        {"name": "starting-inline", "workflowDef": {"name": "starting-inline", "tasks": 1}}),
    Row(REQUEST, "of an unknown workflow", "/api/workflow", 404, {"name": "starting-nope"},
        _error(404, "No such workflow defined. name=starting-nope, version=null")),
    Row(REQUEST, "of an unknown version", "/api/workflow", 404, {"name": "starting", "version": 9},
        _error(404, "No such workflow defined. name=starting, version=9")),
    Row(REQUEST, "without a name", "/api/workflow", 400, {},
        _fault("name", "must be given, and not be empty")),
    Row(REQUEST, "without a body", "/api/workflow", 400),
    Row(REQUEST, "with a body that is no object", "/api/workflow", 400, [1],
        _error(400, "The body must be a JSON object: a StartWorkflowRequest.")),
    Row(REQUEST, "with a body that is no JSON", "/api/workflow", 400, "{", {"status": 400}),
    Row(REQUEST, "with an input that is no object", "/api/workflow", 400,
        {"name": "starting", "input": [1]}, _fault("input", "must be an object")),
    Row(REQUEST, "with an input that breaks the schema", "/api/workflow", 400,
        {"name": "starting-held", "input": {"n": "x", "q": 1}},
        {"message": "The input of the workflow 'starting-held' breaks the inputSchema: /n: "
                    'this value is not of type "number".',
         "errors": [{"pointer": "/n", "detail": 'this value is not of type "number"'}]}),
    Row("POST /api/workflow/{name}", "with an input that breaks the schema",
        "/api/workflow/starting-held", 400, {},
        {"message": "The input of the workflow 'starting-held' breaks the inputSchema: "
                    '"q" is a required property.'}),
    Row(REQUEST, "with a version that is no number", "/api/workflow", 400,
        {"name": "starting", "version": "x"},
        _fault("version", "must be a whole number from 0 to 2147483647")),
    Row(REQUEST, "with too high a priority", "/api/workflow", 400,
        {"name": "starting", "priority": 100},
        _fault("priority", "must be a whole number from 0 to 99")),
    Row(REQUEST, "with numbers as texts, and texts as numbers", "/api/workflow", 200,
        {"name": "starting", "version": "2", "priority": "1", "correlationId": 5,
         "taskToDomain": {"work": 5}}, str),
    Row(REQUEST, "with domains that are no texts", "/api/workflow", 400,
        {"name": "starting", "taskToDomain": {"*": {}}},
        _fault("taskToDomain.*", "must be a text")),
    Row(REQUEST, "with a definition whose name is no text", "/api/workflow", 400,
        {"workflowDef": {"name": ["starting"], "tasks": []}},
        _fault("workflowDef.name", "must be a text")),
    Row(REQUEST, "with an unknown strategy", "/api/workflow", 400,
        {"name": "starting", "idempotencyStrategy": "OFTEN"},
        _fault("idempotencyStrategy", "must be one of FAIL, RETURN_EXISTING, FAIL_ON_RUNNING")),
    Row(REQUEST, "with its input elsewhere", "/api/workflow", 400,
        {"name": "starting", "externalInputPayloadStoragePath": "s3://x"}, {"status": 400}),
    Row(REQUEST, "with a long key", "/api/workflow", 400,
        {"name": "starting", "idempotencyKey": "k" * 1001},
        _error(400, "idempotencyKey is longer than 1000 characters.")),
    Row(REQUEST, "with a definition whose task has no type, which is a worker's", "/api/workflow",
        200, {"workflowDef": {"name": "starting-inline", "tasks": [
            {"name": "starting-work", "taskReferenceName": "w"}]}}, str),
    Row("POST /api/workflow/{name}", "with its input", "/api/workflow/starting", 200, {"n": 1},
        str),
    Row("POST /api/workflow/{name}", "with all there is",
        "/api/workflow/starting?version=2&correlationId=c&priority=1", 200, {}, str),
    Row("POST /api/workflow/{name}", "with what Python prints for nothing",
        "/api/workflow/starting?version=None&correlationId=None", 200, {}, str),
    Row("POST /api/workflow/{name}", "without a body", "/api/workflow/starting", 200, None, str),
    Row("POST /api/workflow/{name}", "with an input that is no object", "/api/workflow/starting",
        400, [1], {**_error(400, "The body must be a JSON object: the workflow's input."),
                   "validationErrors": [
                       {"path": "", "message": "The body must be a JSON object: the workflow's "
                                               "input"}]}),
    Row("POST /api/workflow/{name}", "with an input that is a broken list",
        "/api/workflow/starting", 400, "[1",
        {"status": 400, "type": "urn:podium:problem:malformed-body"}),
    Row("POST /api/workflow/{name}", "with an input that is no JSON", "/api/workflow/starting",
        400, "{", {"status": 400}),
    Row("POST /api/workflow/{name}", "with a version that is none",
        "/api/workflow/starting?version=x", 400, {}, {"status": 400}),
    Row("POST /api/workflow/{name}", "of an unknown workflow", "/api/workflow/starting-nope", 404,
        {}, _error(404, "No such workflow found by name: starting-nope, version: null")),
    Row("POST /api/workflow/start/{name}/{version}", "of a version",
        "/api/workflow/start/starting/2", 200, {"n": 1}, str),
    Row("POST /api/workflow/start/{name}/{version}", "of an unknown one",
        "/api/workflow/start/starting/3", 404, {},
        _error(404, "No such workflow found by name: starting, version: 3")),
    Row("POST /api/workflow/start/{name}/{version}", "of one that is none",
        "/api/workflow/start/starting/x", 400, {}, _fault("version", "must be a whole number")),
)  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
async def world(services: Services) -> None:
    await put(services, WORKFLOW, HELD)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(api: httpx.AsyncClient, row: Row) -> None:
    await exchanged(api, row, {})


async def test_a_definition_that_comes_with_a_start_runs_by_its_own_name(
    services: Services, api: httpx.AsyncClient
) -> None:
    access = ["CREATE", "EXECUTE", "READ"]
    mine = {"target": {"type": "workflow", "id": "starting-mine"}, "access": access}
    await put(services, {"kind": "application", "id": "starting-own", "permissions": [mine]})
    async with authorized(services, "starting-own") as own:

        async def started(name: str, of: str) -> httpx.Response:
            body = {"name": name, "workflowDef": {**INLINE, "name": of}}
            return await own.post("/api/workflow", json=body)

        answer = await started("starting-other", "starting-mine")
        assert answer.status_code == 200, answer.text
        shown = (await own.get(f"/api/workflow/{answer.text}")).json()
        assert shown["workflowName"] == "starting-mine"
        # Its rights are of that name, too.
        assert (await started("starting-mine", "starting-other")).status_code == 403


async def _start(api: httpx.AsyncClient, strategy: str) -> httpx.Response:
    return await api.post("/api/workflow", json={
        "name": "starting", "idempotencyKey": "once", "idempotencyStrategy": strategy,
    })  # fmt: skip


async def test_a_key_is_one_execution_as_its_strategy_says(api: httpx.AsyncClient) -> None:
    first = await _start(api, "FAIL")
    assert first.status_code == 200
    assert (await _start(api, "RETURN_EXISTING")).text == first.text
    for strategy in ("FAIL", "FAIL_ON_RUNNING"):
        refused = await _start(api, strategy)
        assert refused.status_code == 409
        assert first.text in refused.json()["message"]


async def test_what_is_started_right_behind_its_put_is_what_was_put(api: httpx.AsyncClient) -> None:
    for version in range(1, 9):
        outputs = {"is": version}
        definition = {"name": "starting-new", "tasks": [NOOP], "outputParameters": outputs}
        # In turns a version of its own, and the same one anew.
        put = await api.put(
            "/api/metadata/workflow", json=[{**definition, "version": (version + 1) // 2}]
        )
        assert put.status_code == 200, put.text
        run = await api.post("/api/workflow/execute/starting-new", json={})
        assert (run.status_code, run.json()) == (200, outputs)
