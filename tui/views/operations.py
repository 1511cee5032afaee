"""What an operation on executions comes to, and what became of it, as text and as data."""

from __future__ import annotations

from podium.executor.v1 import executor_pb2 as pb
from services.errors import NotFound
from tui.views.ids import way_to
from tui.views.timeline import execution_line, execution_status, moment


def preview_line(preview: pb.OperationPreview, operation: str) -> str:
    """How many match, at which status, how many of them are meant, since when."""
    counts = ", ".join(
        f"{each.count} {execution_status(each.status)}" for each in preview.counts if each.count
    )
    total = sum(each.count for each in preview.counts)
    parts = [f"{total} found: {counts}" if total else "none found"]
    if preview.missing:
        parts.append(f"{preview.missing} not there")
    parts.append(f"{operation} applies to {preview.applicable}")
    if preview.selected < preview.applicable:
        parts.append(f"the oldest {preview.selected} are taken")
    if preview.HasField("oldest_at"):
        at = moment(preview.oldest_at).strftime("%Y-%m-%d %H:%M:%S")
        parts.append(f"the oldest was started {at}Z")
    return "; ".join(parts)


def outcome(result: pb.OperationResult) -> str:
    """``OPERATION_OUTCOME_DONE`` as ``DONE``."""
    return pb.OperationOutcome.Name(result.outcome).removeprefix("OPERATION_OUTCOME_")


def is_refused(result: pb.OperationResult) -> bool:
    """Whether it could not be done."""
    return result.outcome == pb.OPERATION_OUTCOME_REFUSED


def result_line(result: pb.OperationResult) -> str:
    """Where the execution stands, or why it was refused."""
    if is_refused(result):
        way = way_to(result.execution_id) if result.reason == NotFound.reason() else ""
        return f"{result.execution_id}: {result.detail} {way}".rstrip()
    line = execution_line(result.state)
    return line if result.outcome == pb.OPERATION_OUTCOME_DONE else f"{line}  (already)"


def result_json(result: pb.OperationResult) -> dict[str, object]:
    """The result in Conductor's words; what there is none of is null."""
    refused = is_refused(result)
    return {
        "workflowId": result.execution_id,
        "outcome": outcome(result),
        "status": None if refused else execution_status(result.state.status),
        "reason": result.reason or None,
        "detail": result.detail or None,
    }
