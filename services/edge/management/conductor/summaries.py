"""Executions and tasks as Conductor's summaries write them. No IO."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from services.edge import statuses

Summary = dict[str, Any]


def of_execution(state: pb.ExecutionState, told: pb.ExecutionDocument) -> Summary:
    """A ``WorkflowSummary``: times in ISO 8601, input and output as JSON within texts."""
    return _present(
        {
            "workflowType": state.workflow_name,
            "version": state.workflow_version,
            "workflowId": state.execution_id,
            "correlationId": state.correlation_id or None,
            "startTime": _iso(state, "created_at"),
            "updateTime": _iso(state, "updated_at"),
            "endTime": _iso(state, "ended_at"),
            "status": statuses.of_execution(state.status),
            "input": told.input,
            "output": told.output,
            "inputSize": len(told.input),
            "outputSize": len(told.output),
            "reasonForIncompletion": state.reason or None,
            "executionTime": _length(state, "created_at", "ended_at"),
            "failedReferenceTaskNames": ",".join(state.failed_refs),
            "failedTaskNames": [*told.failed_task_names],
            "priority": told.priority,
            "createdBy": state.started_by or None,
            "taskToDomain": dict(told.task_to_domain),
            "parentWorkflowId": told.parent_execution_id or None,
        }
    )


def of_task(found: pb.FoundTask, task: Mapping[str, Any]) -> Summary:
    """A ``TaskSummary``.

    Args:
        task: The document that ``found`` has, parsed.
    """
    return _present(
        {
            "workflowId": found.execution_id,
            "workflowType": found.workflow_name,
            "correlationId": found.correlation_id or None,
            "scheduledTime": _iso(found.task, "scheduled_at"),
            "startTime": _iso(found.task, "started_at"),
            "updateTime": _iso(found, "updated_at"),
            "endTime": _iso(found.task, "ended_at"),
            "status": task["status"],
            "reasonForIncompletion": task.get("reasonForIncompletion"),
            "executionTime": _length(found.task, "started_at", "ended_at"),
            "queueWaitTime": task["queueWaitTime"],
            "taskDefName": task["taskDefName"],
            "taskType": task["taskType"],
            "taskReferenceName": task["referenceTaskName"],
            "input": _text(task["inputData"]),
            "output": _text(task["outputData"]),
            "taskId": task["taskId"],
            "workflowPriority": task["workflowPriority"],
            "domain": task.get("domain"),
        }
    )


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _iso(message: Any, field: str) -> str | None:
    """A time of ``message`` to the millisecond, as ``2026-01-31T12:00:00.000Z``."""
    at = _milliseconds(message, field)
    if at is None:
        return None
    seconds, rest = divmod(at, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03}Z"


def _length(message: Any, first: str, last: str) -> int:
    """From one time to the other in milliseconds; 0 where one of them is not there."""
    begun, ended = _milliseconds(message, first), _milliseconds(message, last)
    return 0 if begun is None or ended is None else max(0, ended - begun)


def _milliseconds(message: Any, field: str) -> int | None:
    """As whole executions have times."""
    if not message.HasField(field):
        return None
    at: Timestamp = getattr(message, field)
    return at.ToMilliseconds()


def _present(fields: Summary) -> Summary:
    return {name: value for name, value in fields.items() if value is not None}
