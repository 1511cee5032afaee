from __future__ import annotations

import httpx
import pytest

from tests.conductor.executions import Making, error, fault
from tests.conductor.rows import Row, exchanged

TEST, PATH = "POST /api/workflow/test", "/api/workflow/test"
INLINE = {
    "name": "tests-own", "version": 1,
    "tasks": [{"name": "w", "taskReferenceName": "w", "type": "SIMPLE"}],
    "outputParameters": {"n": "${w.output.n}"},
}  # fmt: skip
ROWS = (
    Row(TEST, "of a workflow that is put", PATH, 200,
        {"name": "ops-failed", "version": None, "input": {},
         "taskRefToMockOutput": {"work": [{"status": "COMPLETED", "output": {"n": 1},
                                           "executionTime": 5, "queueWaitTime": 0}]}},
        {"status": "COMPLETED", "workflowName": "ops-failed",
         "tasks": [{"referenceTaskName": "work", "outputData": {"n": 1}}, {"seq": 2}]}),
    Row(TEST, "of one that comes with it", PATH, 200,
        {"name": "tests-own", "workflowDef": INLINE,
         "taskRefToMockOutput": {"w": [{"output": {"n": 7}}]}},
        {"status": "COMPLETED", "output": {"n": 7}}),
    Row(TEST, "of sub-workflows", PATH, 200,
        {"name": "ops-parent", "subWorkflowTestRequest": {
            "child": {"name": "ops-wait", "taskRefToMockOutput": {"wait": [{"output": {}}]}}}},
        {"status": "COMPLETED"}),
    Row(TEST, "with a mock of no task", PATH, 200,
        {"name": "tests-own", "workflowDef": INLINE,
         "taskRefToMockOutput": {"w": [{"output": {"n": 7}}], "ww": [{"output": {}}]}},
        {"status": "COMPLETED", "output": {"n": 7}, "warnings": [
            "taskRefToMockOutput.ww: no task took one of its mocks: there is none of that "
            "reference, or it was not reached"]}),
    Row(TEST, "of an unknown one", PATH, 404, {"name": "tests-nope"},
        error(404, "No such workflow defined. name=tests-nope, version=null")),
    Row(TEST, "of none", PATH, 400, {}, fault("name", "must be given, and not be empty")),
    Row(TEST, "of one whose name is no text", PATH, 400, {"workflowDef": {**INLINE, "name": {}}},
        fault("workflowDef.name", "must be a text")),
    Row(TEST, "with no object", PATH, 400, [],
        error(400, "The body must be a JSON object: a WorkflowTestRequest.")),
    Row(TEST, "with a mock's field that there is not", PATH, 400,
        {"name": "ops-failed", "taskRefToMockOutput": {"work": [{"state": "COMPLETED"}]}},
        fault("taskRefToMockOutput.work[0]", "has no 'state'; there are status, output, "
                                             "executionTime, queueWaitTime")),
    Row(TEST, "with mocks that are none", PATH, 400,
        {"name": "ops-failed", "taskRefToMockOutput": {"work": 1}},
        fault("taskRefToMockOutput.work", "must be a list: a mock for each attempt")),
    Row(TEST, "with a mock's output that is none, of a sub-workflow", PATH, 400,
        {"name": "ops-parent", "subWorkflowTestRequest": {
            "child": {"taskRefToMockOutput": {"wait": [{}, {"output": 1}]}}}},
        fault("subWorkflowTestRequest.child.taskRefToMockOutput.wait[1].output",
              "must be an object")),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_an_exchange_is_as_recorded(api: httpx.AsyncClient, making: Making, row: Row) -> None:
    await exchanged(api, row, {})
