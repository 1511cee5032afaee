"""Refusals name what the caller of Conductor's API has sent, and what it can call."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from podium.executor.v1 import executor_pb2
from podium.worker.v1 import worker_pb2
from services.edge.management.conductor.attributes import EXECUTIONS, TASKS
from services.edge.management.conductor.wording import in_their_words, reworded
from services.errors import Fault, InvalidRequest, NotFound
from services.executor.core.allowing import ALLOWED
from services.query.vocabulary import Vocabulary
from tests.conductor.rows import Row, exchanged
from tests.tui.services import Services, put, start

LONG = "x" * 2000
WORKFLOW = {
    "kind": "workflow", "name": "worded", "version": 1,
    "tasks": [{"name": "worded_work", "taskReferenceName": "work", "type": "SIMPLE"}],
}  # fmt: skip


def refused(message: str, status: int = 400, **more: object) -> dict[str, object]:
    return {"status": status, "message": message, **more}


def faulty(path: str, message: str) -> dict[str, object]:
    return {"validationErrors": [{"path": path, "message": message}]}


START = "POST /api/workflow"
ROLE = "POST /api/applications/{applicationId}/roles/{role}"
SECRET = "PUT /api/secrets/{key}"
LIMIT = "PUT /api/metadata/workflow/{name}/rate-limit"
SEARCH = "GET /api/workflow/search"
RUNNING = "Allowed are pause, terminate, skiptask, signal, variables and resetcallbacks."
REMOVED = (
    "Only what has ended can be deleted: the status is RUNNING. Terminate it first, or have the "
    "deletion do so (terminate-remove)."
)
NO_TASKS = "workflowDef cannot be run: it has no tasks."
ROWS = (
    Row(START, "with a long correlationId", "/api/workflow", 400,
        {"name": "worded", "correlationId": LONG},
        {**refused("correlationId is longer than 1000 characters."),
         **faulty("correlationId", "is longer than 1000 characters")}),
    Row(START, "with a long domain", "/api/workflow", 400,
        {"name": "worded", "taskToDomain": {LONG: "d"}},
        refused("A type in taskToDomain is longer than 1000 characters.")),
    Row(START, "with a definition without tasks", "/api/workflow", 400,
        {"workflowDef": {"name": "worded", "tasks": []}},
        {**refused(NO_TASKS), **faulty("workflowDef", "cannot be run: it has no tasks")}),
    Row(START, "with one that leaves them out", "/api/workflow", 400,
        {"workflowDef": {"name": "worded"}}, refused(NO_TASKS)),
    Row(START, "with one that has no name", "/api/workflow", 400,
        {"name": "worded", "workflowDef": {"tasks": []}},
        refused("workflowDef is not of the name 'worded'.")),
    Row("POST /api/workflow/test", "of one without tasks", "/api/workflow/test", 400,
        {"workflowDef": {"name": "worded", "tasks": []}}, refused(NO_TASKS)),
    Row("POST /api/workflow/{workflowId}/restart", "of what runs",
        "/api/workflow/<open>/restart", 409, {},
        refused(f"Workflow is still running.  status=RUNNING. {RUNNING}", 409)),
    Row("DELETE /api/workflow/bulk/remove", "of what runs", "/api/workflow/bulk/remove",
        200, ["<open>"], {"bulkErrorResults": {"<open>": REMOVED}}),
    Row("DELETE /api/workflow/{workflowId}/remove", "of what runs", "/api/workflow/<open>/remove",
        409, None, refused(REMOVED, 409)),
    Row(ROLE, "that there is not", "/api/applications/worded-app/roles/NOPE", 400, {},
        {"validationErrors": [{"path": "role", "message": str}]}),
    Row("POST /api/workflow/{workflowId}/rerun", "with an input of no task",
        "/api/workflow/<open>/rerun", 400, {"taskInput": {"n": 1}},
        refused("taskInput goes with reRunFromTaskId.")),
    Row(SECRET, "of no name", "/api/secrets/7%20worded", 400, '"x"',
        {"validationErrors": [{"path": "key", "message": str}]}),
    Row(LIMIT, "of nobody", LIMIT[4:].replace("{name}", "worded"), 400,
        {"rateLimitKey": "k", "concurrentExecLimit": -1},
        {"validationErrors": [{"path": "concurrentExecLimit", "message": str}]}),
    Row("GET /api/event/{name}/tags", "of an unknown one", "/api/event/worded/tags", 404,
        answer=refused("EventHandler with name worded not found!", 404)),
    Row(SEARCH, "by what nobody knows", f"{SEARCH[4:]}?query=workflowTyp%3Dx", 400,
        answer=refused(
            "There is a fault: query: There is no field 'workflowTyp'; did you mean workflowType? "
            "There are status, workflowType, version, correlationId, workflowId, parentWorkflowId, "
            "reasonForIncompletion, older, newer, startTime, updateTime, endTime, executionTime, "
            "createdBy, priority, failedReferenceTaskNames, freeText, input, output; quote text "
            "that holds ':'. (characters 0 to 11: 'workflowTyp').")),
    Row(SEARCH, "sorted by what nobody knows", f"{SEARCH[4:]}?sort=startTim:DESC", 400,
        answer=refused(
            "There is a fault: sort: cannot be 'startTim'; did you mean startTime? There are "
            "startTime, updateTime, endTime, executionTime, status, workflowType, version, "
            "workflowId, correlationId, parentWorkflowId, createdBy, reasonForIncompletion, "
            "priority.")),
    Row(SEARCH, "sorted in no order", f"{SEARCH[4:]}?sort=startTime:UP", 400,
        answer=refused("There is a fault: sort: is one field, and ASC or DESC: endTime:DESC.")),
    Row("GET /api/tasks/poll/{tasktype}", "by a long name",
        f"/api/tasks/poll/worded_work?workerid={LONG}", 400,
        answer=refused("workerId is longer than 255 characters.")),
)  # fmt: skip


@pytest.fixture(scope="module")
async def world(services: Services) -> dict[str, str]:
    application = {"kind": "application", "id": "worded-app", "roles": ["VIEWER"]}
    await put(services, {"kind": "task", "name": "worded_work"}, WORKFLOW, application)
    return {"open": await start(services, "worded")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_refusals_name_what_was_sent(
    api: httpx.AsyncClient, world: dict[str, str], row: Row
) -> None:
    await exchanged(api, row, world)


@pytest.mark.parametrize("vocabulary", [EXECUTIONS, TASKS])
def test_what_is_spoken_of_can_be_asked_for(vocabulary: Vocabulary) -> None:
    assert [
        spoken for ours, spoken in vocabulary.spoken.items()
        if vocabulary[spoken] is not vocabulary[ours]
    ] == []  # fmt: skip


def _fields() -> Iterator[str]:
    """Names of fields of what the executor is asked by these pages."""
    for message in (
        executor_pb2.Start, executor_pb2.TestWorkflowRequest, executor_pb2.UpdateTaskRequest,
        executor_pb2.RerunExecutionRequest, executor_pb2.SkipTaskRequest,
        worker_pb2.PollTasksRequest,
    ):  # fmt: skip
        yield from message.DESCRIPTOR.fields_by_name


# Which no client sends here; or what is said of them is said before they are asked for.
UNSENT = {
    "await_refs", "completion_webhook", "extend_lease", "idempotency_key", "min_revision",
    "on_behalf_of", "request_id", "workflow_definition",
}  # fmt: skip


def test_no_field_of_ours_is_named() -> None:
    ours = {each for each in _fields() if "_" in each} - UNSENT
    said = {each: f"{each} is too long." for each in ours}
    assert [each for each in ours if reworded(said[each]) == said[each]] == []


def test_no_operation_of_ours_is_named() -> None:
    operations = {each for names in ALLOWED.values() for each in names}
    assert [each for each in operations if not re.fullmatch("[a-z]+", reworded(each))] == []


def test_what_is_quoted_stays() -> None:
    said = "There is no workflow 'order_by', nor \"skip-task\" or 'it\\'s task_id': see task_id."
    assert reworded(said) == said.removesuffix("task_id.") + "taskId."
    assert reworded("my_task_id and task_ids") == "my_task_id and task_ids"


def test_an_error_keeps_all_else() -> None:
    fault = Fault("name", "is long")
    error = InvalidRequest("task_id is none.", (fault,), workflow="w")

    told = in_their_words(error)

    assert type(told) is InvalidRequest
    assert (told.detail, told.faults, told.metadata) == (
        "taskId is none.", (fault,), {"workflow": "w"},
    )  # fmt: skip
    unchanged = NotFound("There is none.")
    assert in_their_words(unchanged) is unchanged
