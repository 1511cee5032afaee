"""Tasks of all executions: which attempts there are, where each stands, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.query.tasks import TASKS
from tui.live.collection import Collection
from tui.live.found_tasks import MOST, ONE, SOURCE
from tui.resources.model import Alone, Cell, Column, Resource, Tab
from tui.resources.task_actions import ACTIONS
from tui.views.addresses import Address
from tui.views.durations import compact, moment_of_day, took
from tui.views.found_tasks import FoundTask
from tui.views.ids import brief_id
from tui.views.statuses import look_of_task


def _status(row: FoundTask, now: float) -> Cell:
    look = look_of_task(row.status)
    return Cell(f"{look.glyph} {look.label}", look.tone)


def _ref(row: FoundTask, now: float) -> Cell:
    return Cell(f"{row.ref} ↻{row.attempt}" if row.attempt else row.ref)


def _took(row: FoundTask, now: float) -> float:
    began = row.scheduled_at if row.started_at is None else row.started_at
    return took(began, row.ended_at, now)


def _told(facts: Mapping[str, Any]) -> str:
    total, is_bound = facts.get("total", (0, False))
    if total <= MOST and not is_bound:
        return ""
    return f"the newest of {'more than ' if is_bound else ''}{total:,}"


def _opened(row: FoundTask) -> Address:
    return Address("executions", row.execution_id, "timeline", row.id)


RESOURCE: Resource[FoundTask] = Resource(
    name="task-runs",
    aliases=("taskruns", "attempts"),
    title="Tasks of executions",
    help=f"""\
## Tasks of executions

Each attempt of each task, of the newest executions first: `:task-runs status:failed kind:HTTP`.
`Enter` opens the execution at that task. The executor is asked the filter every 2 seconds, less
often where that takes long; the newest {MOST:,} that match are here, and sorted here. How tasks of
a name are retried is in `:tasks`.
""",
    source=SOURCE,
    empty="No task has been reached yet: x in :workflows starts an execution.",
    columns=(
        Column("status", "STATUS", 13, _status, lambda row: look_of_task(row.status).word,
               priority=9),
        Column("ref", "TASK", 14, _ref, lambda row: row.ref, flex=2, priority=9),
        Column("kind", "KIND", 9, lambda row, _: Cell(row.kind, "muted"), lambda row: row.kind,
               flex=1, priority=6),
        Column("workflow", "WORKFLOW", 12, lambda row, _: Cell(row.workflow),
               lambda row: row.workflow, flex=2, priority=8),
        Column("execution", "EXECUTION", 9, lambda row, _: Cell(row.execution_id, "muted"),
               lambda row: row.execution_id, flex=1, priority=2, tail=True),
        Column("scheduled", "REACHED", 11,
               lambda row, now: Cell(moment_of_day(row.scheduled_at, now), "muted"),
               lambda row: row.scheduled_at, priority=7),
        Column("took", "TOOK", 7, lambda row, now: Cell(compact(1000 * _took(row, now))),
               lambda row: (row.ended_at or float("inf")) - row.scheduled_at, priority=7,
               right=True, ticks=True),
        Column("told", "REASON / WORKER", 15,
               lambda row, _: Cell(row.told, "error" if row.reason else "primary"),
               lambda row: row.told or None, flex=4, priority=5),
    ),
    vocabulary=TASKS,
    fields={
        "status": lambda row: look_of_task(row.status).word,
        "kind": lambda row: row.kind,
        "ref": lambda row: row.ref,
        "name": lambda row: row.name,
        "wf": lambda row: row.workflow,
        "execution": lambda row: row.execution_id,
        "corr": lambda row: row.correlation_id or None,
        "id": lambda row: row.id,
        "reason": lambda row: row.reason or None,
        "worker": lambda row: row.worker or None,
    },
    label=lambda row: f"{row.ref} of {row.workflow} {brief_id(row.execution_id)}",
    text=lambda row: f"{row.id} {row.execution_id} {row.ref} {row.workflow} {row.reason}",
    state=lambda row: (row.status, row.execution_status),
    tabs=(Tab("json", "JSON", "record-json"),),
    actions=ACTIONS,
    opens=_opened,
    alone=Alone(ONE, lambda rows: _only(rows)),
    told=_told,
    sort="scheduled",
    reverse=True,
)  # fmt: skip


def _only(rows: Collection[FoundTask]) -> FoundTask | None:
    return next(iter(rows.records.values()), None)
