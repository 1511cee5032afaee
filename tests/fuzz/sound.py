"""Bodies that pages of the management listener take, to be sent with something wrong in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_TASK = {"name": "known", "taskReferenceName": "x", "type": "SIMPLE", "inputParameters": {"a": 1}}
_WORKFLOW = {
    "name": "fuzzed",
    "version": 1,
    "tasks": [_TASK],
    "outputParameters": {"a": "${x.a}"},
    "inputParameters": ["a"],
    "timeoutSeconds": 0,
    "ownerEmail": "a@b.example",
}
_TASK_DEF = {
    "name": "fuzzed",
    "retryCount": 1,
    "timeoutSeconds": 20,
    "responseTimeoutSeconds": 10,
    "inputKeys": ["a"],
    "retryLogic": "FIXED",
}
_START = {
    "name": "known",
    "version": 1,
    "input": {"a": 1},
    "correlationId": "c",
    "priority": 0,
    "taskToDomain": {"x": "d"},
    "idempotencyKey": "k",
    "idempotencyStrategy": "FAIL",
}
_RESULT = {
    "workflowInstanceId": "x",
    "taskId": "x",
    "status": "COMPLETED",
    "workerId": "w",
    "outputData": {"a": 1},
    "logs": [{"log": "l", "createdTime": 1}],
    "callbackAfterSeconds": 1,
}
_TAGS = [{"key": "a", "value": "b", "type": "METADATA"}]
_ACTION = {"action": "start_workflow", "start_workflow": {"name": "known", "input": {"a": 1}}}
_ROUTE = {"httpMethod": "GET", "path": "/f/{a}", "mappedWorkflow": {"name": "known", "version": 1}}
# What pages take, by how their paths begin: the first that fits.
SOUND: tuple[tuple[str, Any], ...] = (
    ("/api/metadata/workflow/{name}/tags", _TAGS),
    ("/api/metadata/workflow/{name}/rate-limit", {"concurrentExecLimit": 1, "rateLimitKey": "a"}),
    ("/api/metadata/workflow", [_WORKFLOW]),
    ("/api/metadata/taskdefs", [_TASK_DEF]),
    ("/api/metadata/", _TAGS),
    ("/api/schema", [{"name": "fuzzed", "version": 1, "type": "JSON", "data": {"type": "object"}}]),
    ("/api/scheduler/bulk", ["known"]),
    ("/api/scheduler/schedules/{name}/tags", _TAGS),
    ("/api/scheduler", {"name": "fuzzed", "cronExpression": "0 0 0 1 1 ?", "zoneId": "UTC",
                        "startWorkflowRequest": _START, "scheduleStartTime": 1, "paused": True}),
    ("/api/event/{name}/tags", _TAGS),
    ("/api/event", {"name": "fuzzed", "event": "conductor:known:x", "condition": "true",
                    "actions": [_ACTION], "active": False, "evaluatorType": "javascript"}),
    ("/api/workflow/bulk", ["x", "<execution>"]),
    ("/api/workflow/test", {"name": "known", "version": 1, "input": {}, "workflowDef": _WORKFLOW,
                            "taskRefToMockOutput": {"x": [{"status": "COMPLETED", "output": {}}]}}),
    ("/api/workflow/correlated/batch", {"correlationIds": ["c"], "workflowNames": ["known"]}),
    ("/api/workflow/{name}/correlated", ["c"]),
    ("/api/workflow/{workflowId}/rerun", {"reRunFromTaskId": "<task>", "taskInput": {"a": 1},
                                          "workflowInput": {"a": 1}, "correlationId": "c"}),
    ("/api/workflow/{workflowId}/state", {"taskReferenceName": "x", "variables": {"a": 1},
                                          "taskResult": _RESULT}),
    ("/api/workflow", {**_START, "workflowDef": _WORKFLOW}),
    ("/api/tasks/{taskId}/log", "a line"),
    ("/api/tasks", _RESULT),
    ("/api/applications/{id}/tags", _TAGS),
    ("/api/applications", {"name": "fuzzed"}),
    ("/api/secrets/{key}/tags", _TAGS),
    ("/api/secrets", "a value"),
    ("/api/token", {"keyId": "known", "keySecret": "known"}),
    ("/api/gateway/config/auth", {"id": "fuzzed", "authenticationType": "API_KEY",
                                  "applicationId": "known", "apiKeys": ["a-key-that-is-long"]}),
    ("/api/gateway/config/services/{serviceId}/routes/tags", _TAGS),
    ("/api/gateway/config/services/{serviceId}/routes", _ROUTE),
    ("/api/gateway/config/services/{serviceId}/tags", _TAGS),
    ("/api/gateway/config/service", {"id": "fuzzed", "name": "fuzzed", "path": "/fuzzed",
                                      "authConfigId": "known", "routes": [_ROUTE]}),
)  # fmt: skip


def sound(path: str) -> Any:
    """What the page takes, for whoever asks to change; an empty object where it takes nothing."""
    found: Any = next((each for prefix, each in SOUND if path.startswith(prefix)), {})
    return json.loads(json.dumps(found))


def places(document: Any) -> Iterator[tuple[str | int, ...]]:
    """Where there is a value, at any depth."""
    if isinstance(document, dict | list):
        for key in document if isinstance(document, dict) else range(len(document)):
            yield (key,)
            yield from ((key, *deeper) for deeper in places(document[key]))


def with_value(document: Any, place: tuple[str | int, ...], value: Any) -> bytes:
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return json.dumps(document).encode()
