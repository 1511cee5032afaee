"""What happened to one execution, event by event: as words, as lines and as data."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from tui.views.statuses import look_of_execution, look_of_task
from tui.views.timeline import execution_status, task_status_name
from tui.views.visible import in_one_line

_VERDICTS = {
    "COMPLETED": "success",
    "FAILED": "error",
    "TOLERATED": "warning",
    "PUT_OFF": "warning",
}


def told(event: pb.ExecutionEvent) -> tuple[str, str, str]:
    """What happened, its tone, and what there is to say of it."""
    match event.kind:
        case pb.EVENT_KIND_EXECUTION:
            look = look_of_execution(event.execution_to)
            return f"{look.glyph} execution {look.label}", look.tone, ""
        case pb.EVENT_KIND_TASK:
            look = look_of_task(event.task_to)
            return f"{look.glyph} {look.label}", look.tone, ""
        case pb.EVENT_KIND_POLL:
            return _poll(event.poll)
        case pb.EVENT_KIND_PROGRESS:
            return "progress", "primary", f"{event.progress:g}"
    return "?", "muted", ""


def _poll(poll: pb.Poll) -> tuple[str, str, str]:
    answer = f"{poll.status_code} in " if poll.status_code else ""
    said = f"{answer}{poll.duration.ToMilliseconds()} ms: {poll.verdict.lower()}"
    tone = _VERDICTS.get(poll.verdict, "text")
    return f"poll {poll.number}", tone, f"{said} {poll.reason}".strip()


def line(event: pb.ExecutionEvent, number: int) -> str:
    """``   3  2026-01-31T12:00:00.123Z  pay  ✔ completed  attempt 2  the reason``."""
    what, _, detail = told(event)
    parts = (
        f"{number:>4}",
        _moment(event.at),
        in_one_line(event.ref),
        what,
        f"attempt {event.attempt + 1}" if event.attempt else "",
        f"iteration {event.iteration}" if event.iteration else "",
        in_one_line(detail or event.reason),
    )
    return "  ".join(part for part in parts if part)


def data(event: pb.ExecutionEvent, number: int) -> dict[str, Any]:
    """An event as JSON; attempts count from 0, as the wire has them."""
    found: dict[str, Any] = {"number": number, "at": _moment(event.at)}
    found["kind"] = pb.EventKind.Name(event.kind).removeprefix("EVENT_KIND_")
    if event.kind == pb.EVENT_KIND_EXECUTION:
        before = execution_status(event.execution_from) if event.execution_from else None
        found |= {"from": before, "to": execution_status(event.execution_to)}
    else:
        found |= {
            "ref": event.ref, "taskId": event.task_id, "taskType": event.task_kind,
            "attempt": event.attempt, "iteration": event.iteration or None,
        }  # fmt: skip
    if event.kind == pb.EVENT_KIND_TASK:
        former = task_status_name(event.task_from) if event.task_from else None
        found |= {"from": former, "to": task_status_name(event.task_to)}
    if event.kind == pb.EVENT_KIND_POLL:
        found["poll"] = _poll_data(event.poll)
    if event.HasField("progress"):
        found["progress"] = event.progress
    return found | {"reason": event.reason or None, "revision": event.revision}


def _poll_data(poll: pb.Poll) -> dict[str, Any]:
    return {
        "number": poll.number,
        "at": _moment(poll.at),
        "statusCode": poll.status_code or None,
        "durationMs": poll.duration.ToMilliseconds(),
        "verdict": poll.verdict,
        "nextAt": _moment(poll.next_at) if poll.HasField("next_at") else None,
        "progress": poll.progress if poll.HasField("progress") else None,
        "reason": poll.reason or None,
    }


def _moment(at: Timestamp) -> str:
    """RFC 3339, UTC, in milliseconds."""
    return at.ToDatetime(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
