"""Schedules and their runs, as an operator reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import schedules_pb2 as pb
from tui.views.durations import iso
from tui.views.visible import in_one_line

HEAD = ("NAME", "WORKFLOW", "CRON", "NEXT", "LAST", "CAME TO")
RUN_HEAD = ("DUE", "CAME TO", "EXECUTION", "STATUS", "REASON")


def outcome(run: pb.ScheduleRun) -> str:
    """In a word."""
    return pb.ScheduleOutcome.Name(run.outcome).removeprefix("SCHEDULE_OUTCOME_")


def row(state: pb.ScheduleState) -> Sequence[str]:
    """Cells of :data:`HEAD`."""
    last = state.last_run if state.HasField("last_run") else None
    return (
        in_one_line(state.name),
        in_one_line(state.workflow_name),
        in_one_line(", ".join(state.cron_expressions)),
        "paused" if state.paused else _moment(state.next_runs[0]) if state.next_runs else "never",
        "-" if last is None else _moment(last.scheduled_at),
        "-" if last is None else outcome(last),
    )


def run_row(run: pb.ScheduleRun) -> Sequence[str]:
    """Cells of :data:`RUN_HEAD`."""
    return (
        _moment(run.scheduled_at),
        outcome(run),
        run.execution_id or "-",
        run.execution_status or "-",
        in_one_line(run.reason),
    )


def document(state: pb.ScheduleState) -> dict[str, Any]:
    """A schedule as data."""
    found: dict[str, Any] = {
        "name": state.name,
        "workflow": state.workflow_name,
        "version": state.workflow_version,
        "cronExpressions": list(state.cron_expressions),
        "paused": state.paused,
        "overlapPolicy": state.overlap_policy,
        "nextRuns": list(moments(state.next_runs)),
    }
    if state.HasField("last_run"):
        found["lastRun"] = run_document(state.last_run)
    return found


def run_document(run: pb.ScheduleRun) -> dict[str, Any]:
    """A run as data."""
    found: dict[str, Any] = {
        "scheduledAt": _moment(run.scheduled_at),
        "executedAt": _moment(run.executed_at),
        "outcome": outcome(run),
    }
    more = {
        "executionId": run.execution_id,
        "executionStatus": run.execution_status,
        "cronExpression": run.cron_expression,
        "reason": run.reason,
        "missed": run.missed,
    }
    return found | {name: value for name, value in more.items() if value}


def moments(times: Iterable[Timestamp]) -> Iterator[str]:
    """Each as RFC 3339 has it."""
    return map(_moment, times)


def _moment(at: Timestamp) -> str:
    return iso(at.ToDatetime(UTC))
