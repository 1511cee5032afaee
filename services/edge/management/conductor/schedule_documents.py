"""Schedules between Conductor's clients and the registry's documents. No IO."""

from __future__ import annotations

from typing import Any

from services.edge.management.conductor.jackson import known, known_in, name_in
from services.edge.management.configuration.documents import Document, Kept

# What Conductor has none of, or has requests of its own for: it stays where it is left out.
_STAYING = ("overlapPolicy", "catchupWindowSeconds", "tags")
_FIELDS = (
    "name", "description", "cronExpression", "zoneId", "cronSchedules", "startWorkflowRequest",
    "runCatchupScheduleInstances", "paused", "pausedReason", "scheduleStartTime",
    "scheduleEndTime", *_STAYING,
)  # fmt: skip
_START = (
    "name", "version", "input", "correlationId", "priority", "workflowDef", "taskToDomain",
    "idempotencyKey", "idempotencyStrategy", "externalInputPayloadStoragePath", "createdBy",
)  # fmt: skip
_CRON = ("cronExpression", "zoneId")
# What says nothing where it is empty.
_EMPTY = ("cronExpression", "zoneId", "cronSchedules", "pausedReason", "description")
_SHOWN = {"zoneId": "UTC", "paused": False, "runCatchupScheduleInstances": False}


def schedule_written(sent: Document, before: Document | None = None) -> Document:
    """The document to put for a schedule that a client sent.

    Args:
        before: The stored one in whose place it comes.

    Raises:
        InvalidDefinition: It has no name; all else is the registry's to refuse.
    """
    fields = known(sent, _FIELDS)
    name_in(fields, "schedule")
    schedule = {
        "kind": "schedule",
        **{name: (before or {})[name] for name in _STAYING if name in (before or {})},
        **{name: value for name, value in fields.items() if value or name not in _EMPTY},
    }
    if "cronSchedules" in schedule:
        # To Conductor they count, whatever stands beside them.
        schedule.pop("cronExpression", None)
    if isinstance(several := schedule.get("cronSchedules"), list):
        schedule["cronSchedules"] = [known_in(each, _CRON) for each in several]
    if "startWorkflowRequest" in schedule:
        schedule["startWorkflowRequest"] = known_in(schedule["startWorkflowRequest"], _START)
    return schedule


def schedule_shown(kept: Kept, next_ms: int | None = None) -> Document:
    """A schedule as clients read it.

    Args:
        next_ms: When it runs next, milliseconds since 1970; None: it does not, or nobody knows.
    """
    shown = {
        **_SHOWN,
        **{name: value for name, value in kept.document.items() if name != "kind"},
        "createTime": kept.created_ms,
        "updatedTime": kept.updated_ms,
        "updatedBy": kept.updated_by,
    }
    return shown if next_ms is None else {**shown, "nextRunTime": next_ms}


def paused(schedule: Document, reason: str) -> Document:
    """The schedule, which starts nothing; ``reason`` says why to people."""
    rest = {name: value for name, value in schedule.items() if name != "pausedReason"}
    return {**rest, "paused": True, **({"pausedReason": reason} if reason else {})}


def resumed(schedule: Document) -> Document:
    """The schedule, which goes on."""
    left = ("paused", "pausedReason")
    return {name: value for name, value in schedule.items() if name not in left}


def workflow_of(schedule: Document) -> Any:
    """The name of what it starts."""
    return (schedule.get("startWorkflowRequest") or {}).get("name")
