"""Names of statuses as Conductor, and we to those outside, write them. No IO."""

from __future__ import annotations

from podium.executor.v1 import executor_pb2 as pb


def of_execution(status: int) -> str:
    """``RUNNING`` and such."""
    name = pb.ExecutionStatus.Name(pb.ExecutionStatus.ValueType(status))
    return name.removeprefix("EXECUTION_STATUS_")


def of_task(status: int) -> str:
    """``COMPLETED_WITH_ERRORS`` and such."""
    return pb.TaskStatus.Name(pb.TaskStatus.ValueType(status)).removeprefix("TASK_STATUS_")
