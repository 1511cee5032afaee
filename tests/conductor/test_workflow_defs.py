"""``/api/metadata/workflow``: each endpoint by what is sent and what comes back."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.conductor.rows import Row, exchanged_in_order
from tests.tui.services import Services, put

TASK = {"name": "md_pack", "taskReferenceName": "pack", "type": "SIMPLE"}
ERROR = {"status": 404, "message": str, "instance": str, "retryable": False}
FAILED = "Validation failed, check below errors for detail. "


def workflow(name: str, version: int = 1, **fields: object) -> dict[str, object]:
    return {"name": name, "version": version, "tasks": [TASK], **fields}


WORLD = (
    workflow("md_read", description="first"),
    workflow("md_read", 2, description="second", createdBy="somebody", createTime=1),
    workflow("md_used"),
    workflow("md_user", tasks=[{"name": "s", "taskReferenceName": "s", "type": "SUB_WORKFLOW",
                                "subWorkflowParam": {"name": "md_used"}}]),
    workflow("md_nested", tasks=[{"name": "sw", "taskReferenceName": "sw", "type": "SWITCH",
                                  "evaluatorType": "value-param", "expression": "case",
                                  "inputParameters": {"case": "a"},
                                  "decisionCases": {"a": [TASK]}}]),
)  # fmt: skip
CREATED = "POST /api/metadata/workflow"
PUT = "PUT /api/metadata/workflow"
VALIDATED = "POST /api/metadata/workflow/validate"
ALL = "GET /api/metadata/workflow"
ONE = "GET /api/metadata/workflow/{name}"
DELETED = "DELETE /api/metadata/workflow/{name}/{version}"
BULK = {"bulkErrorResults": {}, "message": "Bulk Request has been processed."}
# Of what Conductor writes whether it was sent or not.
WHOLE = {
    "version": 1, "schemaVersion": 2, "restartable": True, "timeoutSeconds": 0, "variables": {},
    "timeoutPolicy": "ALERT_ONLY", "inputParameters": [], "outputParameters": {},
    "inputTemplate": {}, "enforceSchema": True, "metadata": {}, "maskedFields": [],
    "workflowStatusListenerEnabled": False, "createTime": int, "updateTime": int,
}  # fmt: skip
# Conductor takes them, and they are null there.
ILL_NAMED = workflow("md_ill_named", tasks=[
    {**TASK, "inputParameters": {"n": "${workflow.inptu.n}"}},
    {**TASK, "taskReferenceName": "next", "inputParameters": {"n": "${pack.outptu.n}"}},
])  # fmt: skip
WARNINGS = [
    "tasks[0].inputParameters.n: workflow has no 'inptu', so this is null; did you mean 'input'?",
    "tasks[1].inputParameters.n: a task has no 'outptu', so this is null; did you mean 'output'?",
]

ROWS = (
    Row(CREATED, "stores one", "/api/metadata/workflow", 200, workflow("md_new"), ""),
    Row(CREATED, "refuses a second of the version", "/api/metadata/workflow", 409,
        workflow("md_new"), {"status": 409, "message": "Workflow with md_new.1 already exists!"}),
    Row(CREATED, "takes no version for the first", "/api/metadata/workflow", 409,
        {"name": "md_new", "tasks": [TASK]}, {"message": "Workflow with md_new.1 already exists!"}),
    Row(CREATED, "stores another version beside", "/api/metadata/workflow?overwrite=None", 200,
        workflow("md_new", 2)),
    Row(CREATED, "overwrites as Python says it", "/api/metadata/workflow?overwrite=True", 200,
        workflow("md_new", description="over")),
    Row(CREATED, "overwrites as JavaScript says it", "/api/metadata/workflow?overwrite=true", 200,
        workflow("md_new", description="over")),
    Row(CREATED, "tells every fault", "/api/metadata/workflow?overwrite=True", 400,
        {"tasks": [], "kind": "schema"},
        {"status": 400, "message": FAILED + "There are 2 faults; the first: tasks: must "
         "not be empty.", "validationErrors": [
             {"path": "tasks", "message": str}, {"path": "name", "message": "is required"}]}),
    Row(CREATED, "wants an object", "/api/metadata/workflow", 400, "7",
        {"message": "The body must be a JSON object: a workflow, or a list of them."}),
    Row(CREATED, "wants a body", "/api/metadata/workflow", 400, None,
        {"message": "The body must be a JSON object: a workflow, or a list of them."}),
    Row(CREATED, "wants JSON", "/api/metadata/workflow", 400, "{", {"status": 400, "message": str}),
    Row(CREATED, "wants a flag", "/api/metadata/workflow?overwrite=maybe", 400, workflow("md_new"),
        {"message": "There is a fault: overwrite: must be true or false, not 'maybe'."}),
    Row(PUT, "stores all", "/api/metadata/workflow", 200,
        [workflow("md_put"), workflow("md_put", 2)],
        {**BULK, "bulkSuccessfulResults": ["md_put", "md_put"]}),
    Row(PUT, "stores all of those that name each other", "/api/metadata/workflow?overwrite=True",
        200, [workflow("md_caller", failureWorkflow="md_late"), workflow("md_late")],
        {**BULK, "bulkSuccessfulResults": ["md_caller", "md_late"]}),
    Row(PUT, "may refuse what is there", "/api/metadata/workflow?overwrite=False", 409,
        [workflow("md_fresh"), workflow("md_put", 2)],
        {"message": "Workflow with md_put.2 already exists!"}),
    Row(PUT, "stores none where one has a fault", "/api/metadata/workflow", 400,
        [workflow("md_fresh"), workflow("md_bad", tasks=[{**TASK, "type": 5}, 7])],
        {"validationErrors": [{"path": "[1].tasks[0].type", "message": "must be text, not 5"},
                              {"path": "[1].tasks[1]", "message": "must be an object, not 7"}]}),
    Row(PUT, "wants some", "/api/metadata/workflow", 400, [],
        {"message": "WorkflowDef list cannot be null or empty"}),
    Row(PUT, "wants no more than can be put", "/api/metadata/workflow", 400,
        f"[{'{},' * 10_000}{{}}]", {"message": "At most 10000 definitions are put at once."}),
    Row(ONE, "knows none of those", "/api/metadata/workflow/md_fresh", 404),
    Row(VALIDATED, "finds no fault", "/api/metadata/workflow/validate", 200,
        workflow("md_never"), ""),
    Row(VALIDATED, "takes what Orkes' clients say of the put", "/api/metadata/workflow/validate",
        200, workflow("md_never", overwriteTags=True), ""),
    Row(VALIDATED, "warns of what is null", "/api/metadata/workflow/validate", 200, ILL_NAMED,
        {"warnings": WARNINGS}),
    Row(CREATED, "warns of it", "/api/metadata/workflow", 200, ILL_NAMED, {"warnings": WARNINGS}),
    Row(PUT, "warns of it by its place", "/api/metadata/workflow", 200,
        [workflow("md_put"), ILL_NAMED],
        {**BULK, "warnings": [f"[1].{each}" for each in WARNINGS]}),
    Row(VALIDATED, "tells every fault", "/api/metadata/workflow/validate", 400,
        workflow("md_never", schemaVersion=1),
        {"validationErrors": [{"path": "schemaVersion", "message": str}]}),
    Row(ONE, "has not stored it", "/api/metadata/workflow/md_never", 404,
        answer={**ERROR, "instance": "/api/metadata/workflow/md_never",
                "message": "No such workflow found by name: md_never, version: null"}),
    Row(ONE, "tells of the latest", "/api/metadata/workflow/md_read", 200,
        answer={**WHOLE, "name": "md_read", "version": 2, "description": "second"}),
    Row(ONE, "tells of a version", "/api/metadata/workflow/md_read?version=1&metadata=false", 200,
        answer={"version": 1, "description": "first"}),
    Row(ONE, "takes undefined for none", "/api/metadata/workflow/md_read?version=undefined", 200,
        answer={"version": 2}),
    Row(ONE, "knows no such version", "/api/metadata/workflow/md_read?version=3", 404,
        answer={**ERROR, "message": "No such workflow found by name: md_read, version: 3"}),
    Row(ONE, "wants a number", "/api/metadata/workflow/md_read?version=x", 400,
        answer={"status": 400, "message": str}),
    Row(ONE, "tells what every task has", "/api/metadata/workflow/md_nested", 200,
        answer={"tasks": [{"defaultCase": [], "decisionCases": {"a": [{
            "name": "md_pack", "type": "SIMPLE", "inputParameters": {}, "startDelay": 0,
            "optional": False, "asyncComplete": False, "loopOver": [], "forkTasks": []}]}}]}),
    Row("GET /api/metadata/workflow/{name}/versions", "tells of each",
        "/api/metadata/workflow/md_read/versions", 200,
        answer=[{"name": "md_read", "version": 1, "createTime": int},
                {"name": "md_read", "version": 2, "createTime": int}]),
    Row("GET /api/metadata/workflow/{name}/versions", "tells of none",
        "/api/metadata/workflow/md_re/versions", 200, answer=[]),
    Row(DELETED, "knows no such version", "/api/metadata/workflow/md_new/3", 404,
        answer={**ERROR, "message": "No such workflow found by name: md_new, version: 3"}),
    Row(DELETED, "wants a number", "/api/metadata/workflow/md_new/latest", 400),
    Row(DELETED, "wants one of versions",
        f"/api/metadata/workflow/md_new/{'0' * 12}9999999999", 400),
    Row(DELETED, "removes one version", "/api/metadata/workflow/md_new/2", 200, {}, ""),
    Row(ONE, "has the other still", "/api/metadata/workflow/md_new", 200, answer={"version": 1}),
    Row(DELETED, "leaves what is used", "/api/metadata/workflow/md_used/1", 409,
        answer={"status": 409, "message": str}),
)  # fmt: skip


@pytest.fixture(scope="module")
async def world(services: Services) -> dict[str, str]:
    await put(services, *({"kind": "workflow", **each} for each in WORLD))
    return {}


async def test_exchanges_are_as_recorded(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    await exchanged_in_order(api, ROWS, world)


async def test_lists_tell_of_each(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    base = "/api/metadata/workflow"
    every = (await api.get(f"{base}?access=READ")).json()
    latest = (await api.get(f"{base}/latest-versions")).json()
    names = (await api.get(f"{base}/names")).json()
    by_name = (await api.get(f"{base}/names-and-versions")).json()

    read = [each["version"] for each in every if each["name"] == "md_read"]
    assert read == [1, 2]
    assert [each["version"] for each in latest if each["name"] == "md_read"] == [2]
    assert names == sorted({each["name"] for each in every}) == list(by_name)
    assert [each["version"] for each in by_name["md_read"]] == [1, 2]
    assert "kind" not in every[0]


async def test_a_task_without_a_type_is_a_worker_s(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    bare = {"name": "md_pack", "taskReferenceName": "pack"}
    await api.post("/api/metadata/workflow", json={"name": "md_bare", "tasks": [bare]})
    read = (await api.get("/api/metadata/workflow/md_bare")).json()

    assert read["tasks"][0]["type"] == "SIMPLE"


async def test_what_other_types_fields_hold_does_not_hide_a_workflow(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    odd = {"decisionCases": {"a": 3}, "defaultCase": 3, "forkTasks": [3], "loopOver": [3]}
    document = workflow("md_odd", tasks=[{**TASK, **odd}])
    assert (await api.post("/api/metadata/workflow", json=document)).status_code == 200
    read = (await api.get("/api/metadata/workflow/md_odd")).json()
    every = await api.get("/api/metadata/workflow")
    started = await api.post("/api/workflow", json={"name": "md_odd"})

    shown = {name: read["tasks"][0][name] for name in odd}
    assert shown == {"decisionCases": {"a": []}, "defaultCase": [], "forkTasks": [[]],
                     "loopOver": []}  # fmt: skip
    assert (every.status_code, started.status_code) == (200, 200)


async def test_what_was_read_can_be_put_back(api: httpx.AsyncClient, world: dict[str, str]) -> None:
    read = (await api.get("/api/metadata/workflow/md_nested")).json()
    answer = await api.post("/api/metadata/workflow?overwrite=True", json=read)
    again = (await api.get("/api/metadata/workflow/md_nested")).json()

    assert answer.status_code == 200, answer.text
    assert {**again, "updateTime": 0} == {**read, "updateTime": 0}


async def test_of_two_who_create_the_same_one_is_told(
    api: httpx.AsyncClient, world: dict[str, str]
) -> None:
    document = workflow("md_race")
    answers = await asyncio.gather(
        *(api.post("/api/metadata/workflow", json=document) for _ in range(4))
    )
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]
