"""Executions: what runs and what has run, as it happens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from heapq import nsmallest
from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.query.executions import EXECUTIONS
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.one_execution import SOURCE as ONE, Task, facts_of
from tui.live.sources import Source
from tui.resources.execution_actions import ACTIONS
from tui.resources.execution_changes import CHANGES
from tui.resources.execution_row import Execution, execution_of
from tui.resources.model import (
    Alone,
    Cell,
    Column,
    Opening,
    Resource,
    Tab,
)
from tui.views.durations import compact, moment_of_day, took
from tui.views.ids import brief_id
from tui.views.kin import parent_of
from tui.views.statuses import look_of_execution

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from tui.clients import Clients

RECENT = 50_000
# Of those that have ended so many are let go of at once when there are more than MOST.
MOST, SURPLUS = 100_000, 5_000


async def watch(
    clients: Clients, query: str, executions: Collection[Execution], line: Line
) -> None:
    """One stream of the executions of ``query`` into the collection, until it ends."""
    request = pb.WatchExecutionsRequest(recent=RECENT, resume=executions.place, query=query)
    if executions.place is None:
        executions.begin_snapshot()
    told = 0
    caught_up = False
    async for batch in clients.executor.WatchExecutions(request):
        if batch.compacted:
            executions.begin_snapshot()
        get = executions.get
        executions.put(
            execution_of(change.execution, change.tasks, get(change.execution.execution_id))
            for change in batch.changes
        )
        executions.drop(batch.gone_ids)
        executions.drop(_surplus(executions))
        if batch.HasField("dropped_before"):
            executions.drop(_ended_before(executions, batch.dropped_before))
        told += len(batch.changes)
        if batch.counts:
            executions.facts["counts"] = {each.status: each.count for each in batch.counts}
        if batch.caught_up:
            caught_up = True
            executions.end_snapshot()
        # Within a snapshot there is none: broken off, it begins anew.
        executions.place = batch.resume if batch.resume.epoch else None
        if caught_up:
            line.live(_lag(batch.changes))
        else:
            line.syncing(told)


def _surplus(executions: Collection[Execution]) -> list[str]:
    """Those that ended first, where there are too many; what runs stays."""
    if len(executions) <= MOST:
        return []
    ended = (
        (row.ended_at, row.id) for row in executions.records.values() if row.ended_at is not None
    )
    return [id_ for _, id_ in nsmallest(len(executions) - MOST + SURPLUS, ended)]


def _ended_before(executions: Collection[Execution], at: Timestamp) -> list[str]:
    before = at.seconds + at.nanos / 1e9
    return [
        row.id
        for row in executions.records.values()
        if row.ended_at is not None and row.ended_at < before
    ]


def _lag(changes: Sequence[pb.ExecutionChange]) -> float | None:
    """How long ago the newest of them happened, in seconds; None: nothing did."""
    if not changes:
        return None
    at = changes[-1].execution.updated_at
    return time.time() - at.seconds - at.nanos / 1e9


SOURCE: Source[Execution] = Source("executions", "executor", watch, most=2 * MOST, takes_query=True)


def alone(tasks: Collection[Task]) -> Execution | None:
    """The row of an execution that is followed by itself, made once for each of its states."""
    state = facts_of(tasks).state
    if state is None:
        return None
    of, row = tasks.facts.get("row", (None, None))
    if of is not state:
        row = execution_of(state, (task.state for task in tasks.records.values()))
        tasks.facts["row"] = (state, row)
    found: Execution | None = row
    return found


def above(tasks: Collection[Task]) -> str:
    """The id of the execution whose task started this one; empty: there is none."""
    return parent_of(facts_of(tasks).document)


def missing(tasks: Collection[Task]) -> str:
    """Why there is no such execution; empty: there is, or it has not been told yet."""
    facts = facts_of(tasks)
    return facts.problem if facts.state is None else ""


# Columns


def _took(execution: Execution, now: float) -> float:
    return took(execution.created_at, execution.ended_at, now)


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _status(execution: Execution, now: float) -> Cell:
    look = look_of_execution(execution.status)
    return Cell(f"{look.glyph} {look.label}", look.tone)


COLUMNS: tuple[Column[Execution], ...] = (
    Column("status", "STATUS", 13, _status, lambda row: row.status, priority=9),
    Column("workflow", "WORKFLOW", 16, lambda row, _: Cell(row.workflow), lambda row: row.workflow,
           flex=2, priority=9),
    Column("version", "V", 3, lambda row, _: Cell(str(row.version), "muted"),
           lambda row: row.version, priority=3, right=True),
    Column("id", "ID", 8, lambda row, _: Cell(row.id, "muted"), lambda row: row.id, flex=1,
           priority=4, tail=True),
    Column("correlation", "CORRELATION", 12, lambda row, _: Cell(row.correlation_id),
           lambda row: row.correlation_id or None, flex=1, priority=1, optional=True),
    Column("started", "STARTED", 11,
           lambda row, now: Cell(moment_of_day(row.created_at, now), "muted"),
           lambda row: row.created_at, priority=6),
    Column("took", "TOOK", 7, lambda row, now: Cell(compact(1000 * _took(row, now))),
           lambda row: (row.ended_at or float("inf")) - row.created_at, priority=7, right=True,
           ticks=True),
    Column("doing", "NOW / REASON", 16,
           lambda row, _: Cell(row.why or row.doing, "error" if row.reason else "primary"),
           lambda row: row.why or row.doing or None, flex=4, priority=5),
)  # fmt: skip


def _standing(execution: Execution, now: float) -> Cell:
    look = look_of_execution(execution.status)
    parts = [f"{look.glyph} {look.label}", compact(1000 * _took(execution, now))]
    if told := execution.why or execution.doing:
        parts.append(told)
    return Cell(" · ".join(parts), look.tone)


RESOURCE: Resource[Execution] = Resource(
    name="executions",
    aliases=("ex", "execution", "runs"),
    title="Executions",
    help="""\
## Executions

Every run of a workflow, newest first, as it happens. `Enter` opens its timeline.

TOOK is from its start to its end, as Conductor and `dur` have it: of one that failed and was
retried, what lay between counts too.
""",
    columns=COLUMNS,
    source=SOURCE,
    empty="No executions yet: x in :workflows starts one, as podium run WORKFLOW does.",
    state=lambda row: (row.status, row.ended_at),
    vocabulary=EXECUTIONS,
    fields={
        "id": lambda row: row.id,
        "status": lambda row: row.status,
        "wf": lambda row: row.workflow,
        "v": lambda row: row.version,
        "corr": lambda row: row.correlation_id or None,
        "reason": lambda row: row.reason or None,
        "started": lambda row: _micros(row.created_at),
        "updated": lambda row: _micros(row.updated_at),
        "ended": lambda row: _micros(row.ended_at) if row.ended_at else None,
        "dur": lambda row: _micros(_took(row, time.time())),
        "by": lambda row: row.started_by or None,
    },
    label=lambda row: f"{row.workflow} {brief_id(row.id)}",
    text=lambda row: f"{row.id} {row.workflow} {row.correlation_id} {row.reason}",
    tabs=(
        Tab("timeline", "Timeline", "execution-timeline"),
        Tab("graph", "Graph", "execution-graph"),
        Tab("data", "Data", "execution-data"),
        Tab("events", "Events", "execution-events"),
        Tab("definition", "Definition", "execution-definition"),
        Tab("diff", "Diff", "execution-diff"),
    ),
    openings=(
        Opening(
            "executions.diff",
            "D",
            "Diff",
            "Compare it with an earlier one, or the marked one.",
            tab="diff",
        ),
    ),
    actions=(*ACTIONS, *CHANGES),
    standing=_standing,
    alone=Alone(ONE, alone, above, missing),
    sort="started",
    reverse=True,
)
