"""Tasks of whichever executions, as the service finds them: a row an attempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.executor.v1 import executor_pb2 as pb
from tui.views.timeline import execution_status, task_status_name
from tui.views.visible import in_one_line

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

_OPEN = frozenset((pb.TASK_STATUS_SCHEDULED, pb.TASK_STATUS_IN_PROGRESS))


class FoundTask(NamedTuple):
    """One attempt. Times are epoch seconds.

    Attributes:
        id: The attempt's.
        execution_status: Where its execution stands: ``RUNNING``.
        document: The whole of it, in Conductor's words.
    """

    id: str
    execution_id: str
    ref: str
    kind: str
    name: str
    status: int
    attempt: int
    workflow: str
    correlation_id: str
    execution_status: str
    worker: str
    reason: str
    scheduled_at: float
    started_at: float | None
    ended_at: float | None
    document: Mapping[str, Any]

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.status in _OPEN

    @property
    def told(self) -> str:
        """Why it did not end well, else who does it; one line."""
        if self.reason:
            return in_one_line(self.reason)
        return f"worker {in_one_line(self.worker)}" if self.worker else ""


def found_task(found: pb.FoundTask) -> FoundTask:
    """The row of what was found."""
    task = found.task
    return FoundTask(
        task.task_id,
        found.execution_id,
        task.ref,
        task.kind,
        task.name,
        task.status,
        task.attempt,
        found.workflow_name,
        found.correlation_id,
        execution_status(found.execution_status),
        found.worker_id,
        task.reason,
        task.scheduled_at.ToNanoseconds() / 1e9,
        task.started_at.ToNanoseconds() / 1e9 if task.HasField("started_at") else None,
        task.ended_at.ToNanoseconds() / 1e9 if task.HasField("ended_at") else None,
        as_json(found),
    )


def as_json(found: pb.FoundTask) -> dict[str, Any]:
    """The task in Conductor's words; times in epoch milliseconds."""
    task = found.task
    return {
        "taskId": task.task_id,
        "referenceTaskName": task.ref,
        "taskType": task.kind,
        "taskDefName": task.name,
        "status": task_status_name(task.status),
        "retryCount": task.attempt,
        "iteration": task.iteration,
        "seq": task.sequence,
        "pollCount": task.poll_count,
        "workflowInstanceId": found.execution_id,
        "workflowType": found.workflow_name,
        "workflowVersion": found.workflow_version,
        "workflowStatus": execution_status(found.execution_status),
        "correlationId": found.correlation_id,
        "workerId": found.worker_id,
        "scheduledTime": task.scheduled_at.ToMilliseconds(),
        "startTime": _milliseconds(task.started_at),
        "updateTime": _milliseconds(found.updated_at),
        "endTime": _milliseconds(task.ended_at),
        "reasonForIncompletion": task.reason,
    }


def _milliseconds(at: Timestamp) -> int | None:
    return at.ToMilliseconds() or None
