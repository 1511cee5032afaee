"""Executions and tasks as lines of text."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from tui.views.statuses import look_of_task
from tui.views.visible import in_one_line


def execution_status(status: pb.ExecutionStatus.ValueType) -> str:
    """``EXECUTION_STATUS_FAILED`` as ``FAILED``."""
    return pb.ExecutionStatus.Name(status).removeprefix("EXECUTION_STATUS_")


def task_status_name(status: pb.TaskStatus.ValueType) -> str:
    """``TASK_STATUS_FAILED`` as ``FAILED``."""
    return pb.TaskStatus.Name(status).removeprefix("TASK_STATUS_")


def task_status(name: str) -> pb.TaskStatus.ValueType:
    """``FAILED`` as ``TASK_STATUS_FAILED``."""
    return pb.TaskStatus.Value(f"TASK_STATUS_{name}")


def moment(timestamp: Timestamp) -> datetime:
    """An aware datetime, UTC."""
    return timestamp.ToDatetime(UTC)


def seconds_between(start: Timestamp, end: Timestamp) -> float:
    """Seconds from ``start`` to ``end``."""
    return (end.ToMilliseconds() - start.ToMilliseconds()) / 1000


def execution_line(state: pb.ExecutionState) -> str:
    """One execution of a list: id, workflow, status, start, seconds, reason."""
    return "  ".join(filter(None, execution_cells(state)))


def execution_cells(state: pb.ExecutionState) -> tuple[str, ...]:
    """The same in columns; what there is not yet is empty."""
    took = (
        f"{seconds_between(state.created_at, state.ended_at):.1f}s"
        if state.HasField("ended_at")
        else ""
    )
    return (
        state.execution_id,
        f"{state.workflow_name} v{state.workflow_version}",
        execution_status(state.status),
        moment(state.created_at).strftime("%Y-%m-%d %H:%M:%S") + "Z",
        took,
        in_one_line(state.reason),
    )


def found_task_cells(found: pb.FoundTask) -> tuple[str, ...]:
    """One attempt of whichever execution: that, its workflow, ref, kind, status, start, reason."""
    task = found.task
    end = task.ended_at if task.HasField("ended_at") else None
    begin = task.started_at if task.HasField("started_at") else task.scheduled_at
    return (
        found.execution_id,
        f"{found.workflow_name} v{found.workflow_version}",
        task.ref,
        task.kind,
        task_status_name(task.status),
        f"attempt {task.attempt + 1}" if task.attempt else "",
        moment(task.scheduled_at).strftime("%Y-%m-%d %H:%M:%S") + "Z",
        "" if end is None else f"{seconds_between(begin, end):.1f}s",
        in_one_line(task.reason),
    )


def ended_line(state: pb.ExecutionState) -> str:
    """How an execution ended."""
    seconds = seconds_between(state.created_at, state.ended_at)
    reason = f": {in_one_line(state.reason)}" if state.reason else ""
    return f"{execution_status(state.status)} after {seconds:.1f} s{reason}"


def task_line(task: pb.TaskState) -> str:
    """One attempt: its mark, ref, kind, status, attempt and when, polls, worker, reason."""
    status = task_status_name(task.status)
    parts = [f"{look_of_task(status).glyph} {task.ref}", task.kind, status]
    if task.status == pb.TASK_STATUS_SCHEDULED and task.HasField("next_at"):
        seconds = seconds_between(task.scheduled_at, task.next_at)
        parts.append(f"attempt {task.attempt + 1} in {seconds:.1f} s")
    elif task.attempt:
        parts.append(f"attempt {task.attempt + 1}")
    if task.worker_id:
        parts.append(f"worker {in_one_line(task.worker_id)}")
    elif task.poll_count or task.last_poll.number:
        parts.append(poll_text(task))
    if task.reason:
        parts.append(in_one_line(task.reason))
    return "  ".join(parts)


def poll_text(task: pb.TaskState) -> str:
    """The newest poll of a task: number, answer, progress, when the next is due."""
    poll = task.last_poll
    # One that is put off has a number, and counts only once it is made.
    parts = [f"poll {max(task.poll_count, poll.number)}"]
    if poll.status_code:
        parts.append(f"{poll.status_code} in {poll.duration.ToMilliseconds()} ms")
    if poll.HasField("progress"):
        parts.append(f"progress {poll.progress:g}")
    if poll.verdict == "TOLERATED":
        parts.append(f"tolerated: {in_one_line(poll.reason)}")
    if poll.verdict == "PUT_OFF":
        parts.append(f"put off: {in_one_line(poll.reason)}")
    if poll.HasField("next_at") and task.status == pb.TASK_STATUS_IN_PROGRESS:
        parts.append(f"next in {max(0.0, seconds_between(poll.at, poll.next_at)):.1f} s")
    return " · ".join(parts)


def webhook_line(delivery: pb.WebhookDelivery) -> str:
    """How the telling of an execution's end stands: to whom, how often it was tried, what now."""
    status = pb.WebhookStatus.Name(delivery.status).removeprefix("WEBHOOK_STATUS_")
    parts = [f"webhook {delivery.url}", status]
    if delivery.attempts:
        parts.append(f"attempt {delivery.attempts}")
    if delivery.last_status_code:
        parts.append(str(delivery.last_status_code))
    if delivery.last_error:
        parts.append(delivery.last_error)
    if delivery.HasField("next_attempt_at"):
        parts.append(f"next {moment(delivery.next_attempt_at):%Y-%m-%d %H:%M:%S}Z")
    return "  ".join(parts)
