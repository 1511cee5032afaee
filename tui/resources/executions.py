"""Executions: what runs and what has run, as it happens."""

from __future__ import annotations

import shlex
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, NamedTuple

from podium.executor.v1 import executor_pb2 as pb
from services.query.executions import EXECUTIONS
from services.rpc import raising_ours
from tui.live.collection import Collection
from tui.live.following import Line
from tui.live.one_execution import SOURCE as ONE, Task, facts_of
from tui.live.sources import Source
from tui.resources.model import (
    Action,
    Alone,
    Cell,
    Column,
    Danger,
    ItemResult,
    Opening,
    Question,
    Resource,
    Tab,
)
from tui.views.reasons import short_reason
from tui.views.statuses import look_of_execution

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from tui.clients import Clients

# As many as one call takes, and how long it may take for them.
MOST_AT_ONCE = 10_000
LONGEST_SECONDS = 600.0
RECENT = 50_000
# Of those that have ended so many are let go of at once when there are more than MOST.
MOST, SURPLUS = 100_000, 5_000
AS_IT_RAN, LATEST = "as it ran", "latest"
MOST_OPEN_REFS = 20
OPEN = frozenset(("RUNNING", "PAUSED"))


class Execution(NamedTuple):
    """One row. Times are epoch seconds."""

    id: str
    workflow: str
    version: int
    status: str
    created_at: float
    updated_at: float
    ended_at: float | None
    reason: str
    correlation_id: str
    started_by: str
    failed_refs: tuple[str, ...]
    open_refs: tuple[str, ...]

    @property
    def why(self) -> str:
        """Its reason, in as few words as say it."""
        return short_reason(self.reason, self.failed_refs)

    @property
    def doing(self) -> str:
        """What it is at: the first of its open tasks, and how many more there are."""
        if not self.open_refs:
            return ""
        more = len(self.open_refs) - 1
        return f"{self.open_refs[0]} +{more}" if more else self.open_refs[0]


def execution_of(
    state: pb.ExecutionState, tasks: Iterable[pb.TaskState] = (), before: Execution | None = None
) -> Execution:
    """The row of a state; ``tasks`` are those that changed since ``before``."""
    return Execution(
        state.execution_id,
        state.workflow_name,
        state.workflow_version,
        look_of_execution(state.status).word,
        state.created_at.seconds + state.created_at.nanos / 1e9,
        state.updated_at.seconds + state.updated_at.nanos / 1e9,
        state.ended_at.seconds + state.ended_at.nanos / 1e9 if state.HasField("ended_at") else None,
        state.reason,
        state.correlation_id,
        state.started_by,
        tuple(state.failed_refs),
        _open_refs(tasks, before.open_refs if before is not None else ()),
    )


def _open_refs(tasks: Iterable[pb.TaskState], before: tuple[str, ...]) -> tuple[str, ...]:
    refs = dict.fromkeys(before)
    for task in tasks:
        if task.HasField("ended_at"):
            refs.pop(task.ref, None)
        elif len(refs) < MOST_OPEN_REFS:
            refs[task.ref] = None
    return tuple(refs)


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


# Columns


def _took(execution: Execution, now: float) -> float:
    return (execution.ended_at or max(now, execution.created_at)) - execution.created_at


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 100:
        return f"{seconds:.0f}s"
    minutes, seconds = divmod(int(seconds), 60)
    if minutes < 100:
        return f"{minutes}m{seconds:02}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours < 100 else f"{hours // 24}d"


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _status(execution: Execution, now: float) -> Cell:
    look = look_of_execution(execution.status)
    return Cell(f"{look.glyph} {look.label}", look.tone)


def _clock(at: float) -> str:
    return time.strftime("%m-%d %H:%M:%S", time.gmtime(at))


COLUMNS: tuple[Column[Execution], ...] = (
    Column("status", "STATUS", 13, _status, lambda row: row.status, priority=9),
    Column("workflow", "WORKFLOW", 16, lambda row, _: Cell(row.workflow), lambda row: row.workflow,
           flex=2, priority=9),
    Column("version", "V", 3, lambda row, _: Cell(str(row.version), "muted"),
           lambda row: row.version, priority=3, right=True),
    Column("id", "ID", 8, lambda row, _: Cell(row.id, "muted"), lambda row: row.id, flex=1,
           priority=4),
    Column("correlation", "CORRELATION", 12, lambda row, _: Cell(row.correlation_id),
           lambda row: row.correlation_id or None, flex=1, priority=1),
    Column("started", "STARTED", 14, lambda row, _: Cell(_clock(row.created_at), "muted"),
           lambda row: row.created_at, priority=6),
    Column("took", "TOOK", 7, lambda row, now: Cell(_duration(_took(row, now))),
           lambda row: (row.ended_at or float("inf")) - row.created_at, priority=7, right=True,
           ticks=True),
    Column("doing", "NOW / REASON", 16,
           lambda row, _: Cell(row.why or row.doing, "error" if row.reason else "primary"),
           lambda row: row.why or row.doing or None, flex=4, priority=5),
)  # fmt: skip


def _standing(execution: Execution, now: float) -> Cell:
    look = look_of_execution(execution.status)
    parts = [f"{look.glyph} {look.label}", _duration(_took(execution, now))]
    if told := execution.why or execution.doing:
        parts.append(told)
    return Cell(" · ".join(parts), look.tone)


# Actions


def _operation(
    name: str, **fields: Callable[[Mapping[str, str]], Any]
) -> Callable[[Clients, Sequence[Execution], Mapping[str, str]], AsyncIterator[ItemResult]]:
    """Does ``name`` to rows in as few calls as there can be; ``fields`` are made of the answers."""

    async def perform(
        clients: Clients, rows: Sequence[Execution], answers: Mapping[str, str]
    ) -> AsyncIterator[ItemResult]:
        given = {field: value(answers) for field, value in fields.items()}
        operation = pb.Operation.Value(f"OPERATION_{name.upper()}")
        for start in range(0, len(rows), MOST_AT_ONCE):
            ids = [row.id for row in rows[start : start + MOST_AT_ONCE]]
            request = pb.OperateExecutionsRequest(operation=operation, execution_ids=ids, **given)
            with raising_ours():
                async for response in clients.executor.OperateExecutions(
                    request, timeout=LONGEST_SECONDS
                ):
                    for result in response.results:
                        yield _result(result)

    return perform


def _result(result: pb.OperationResult) -> ItemResult:
    refused = result.outcome == pb.OPERATION_OUTCOME_REFUSED
    detail = result.detail if refused else look_of_execution(result.state.status).label
    already = "already " if result.outcome == pb.OPERATION_OUTCOME_ALREADY else ""
    return ItemResult(result.execution_id, not refused, already + detail)


def _line(command: str, rows: Sequence[Execution], *options: str) -> str:
    return shlex.join(["podium", command, *(row.id for row in rows), *options])


def _ends(rows: Sequence[Execution]) -> str:
    running = sum(row.status == "RUNNING" for row in rows)
    return f"{running} running and {len(rows) - running} paused will end; open tasks are cancelled."


def _runs_again(rows: Sequence[Execution]) -> str:
    return f"{len(rows)} will run from the beginning; what they did is done again."


ACTIONS: tuple[Action[Execution], ...] = (
    Action(
        "executions.retry", "r", "Retry", "Run the failed tasks again and go on from there.",
        _operation("Retry"), lambda rows, _: _line("retry", rows), doing="retrying",
        applies=lambda row: row.status in ("FAILED", "TIMED_OUT", "TERMINATED"),
    ),
    Action(
        "executions.pause", "P", "Pause", "Let running tasks end and start no new ones.",
        _operation("Pause"), lambda rows, _: _line("pause", rows), doing="pausing",
        applies=lambda row: row.status == "RUNNING",
    ),
    Action(
        "executions.resume", "u", "Resume", "Go on with what is paused.",
        _operation("Resume"), lambda rows, _: _line("resume", rows), doing="resuming",
        applies=lambda row: row.status == "PAUSED",
    ),
    Action(
        "executions.terminate", "t", "Terminate", "End it; its open tasks are cancelled.",
        _operation("Terminate", reason=lambda answers: answers.get("reason", "")),
        lambda rows, answers: _line("terminate", rows, *_given("--reason", answers.get("reason"))),
        applies=lambda row: row.status in OPEN, effect=_ends, danger=Danger.ASKS,
        doing="terminating",
        questions=(Question("reason", "Reason"),),
    ),
    Action(
        "executions.restart", "R", "Restart", "Run it again from its beginning, under its id.",
        _operation(
            "Restart",
            use_latest_definitions=lambda answers: answers.get("definition") == LATEST,
        ),
        lambda rows, answers: _line(
            "restart", rows, *(("--latest",) if answers.get("definition") == LATEST else ())
        ),
        applies=lambda row: row.status not in OPEN, effect=_runs_again, danger=Danger.ASKS,
        doing="restarting",
        questions=(Question("definition", "Definition", AS_IT_RAN, (AS_IT_RAN, LATEST)),),
    ),
)  # fmt: skip


def _given(option: str, value: str | None) -> tuple[str, ...]:
    return (option, value) if value else ()


RESOURCE: Resource[Execution] = Resource(
    name="executions",
    aliases=("ex", "execution", "runs"),
    title="Executions",
    help="""\
## Executions

Every run of a workflow, newest first, as it happens. `Enter` opens its timeline.
""",
    columns=COLUMNS,
    source=SOURCE,
    empty="No executions yet: podium run WORKFLOW starts one.",
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
    label=lambda row: f"{row.workflow} {row.id[:8]}",
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
    actions=ACTIONS,
    standing=_standing,
    alone=Alone(ONE, alone),
    sort="started",
    reverse=True,
)
