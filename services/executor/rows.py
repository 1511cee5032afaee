"""Executions and tasks as rows, and rows as executions and tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from immutables import Map

from services.executor.core.identity import refs_of
from services.executor.core.model import Execution, ExecutionStatus, Json, Task, TaskStatus
from services.executor.core.spawning import extra_of
from services.executor.core.webhooks import Webhook
from services.executor.core.workflow import Workflow
from services.executor.documents import plain, text_of, value_of
from services.tracing import Trace, read as read_trace

Row = tuple[Any, ...]
Text = Callable[[object], str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Origin:
    """What came with a start and is nobody's business in the core.

    Attributes:
        started_by: The principal.
        fingerprint: Tells a repeated start from another one with the same id.
        answer: JSON text, kept for the starter; empty: none.
        trace: What its calls belong to; None: to none.
        slot: The key of the slot that it holds until its end; empty: none.
        webhook: Whom to tell of the end; a row of its own.
    """

    started_by: str = ""
    fingerprint: bytes = b""
    answer: str = ""
    request_id: str = ""
    trace: Trace | None = None
    slot: bytes = b""
    webhook: Webhook | None = None


EXECUTION_COLUMNS = (
    "id", "workflow", "version", "snapshot", "status", "created_at", "updated_at", "ended_at",
    "last_retried_at", "reason", "correlation_id", "priority", "parent_id", "parent_task_id",
    "restarts", "next_sequence", "open", "failed_refs", "input", "variables", "output",
    "started_by", "fingerprint", "answer", "request_id", "traceparent", "slot", "depth",
    "task_to_domain", "tracestate",
)  # fmt: skip

# What an event changes; None for variables and output leaves them as they are.
PROGRESS_COLUMNS = (
    "id", "status", "updated_at", "ended_at", "last_retried_at", "reason", "next_sequence", "open",
    "failed_refs", "variables", "output",
)  # fmt: skip

TASK_COLUMNS = (
    "execution_id", "sequence", "id", "ref", "step", "kind", "name", "status", "scheduled_at",
    "first_scheduled_at", "updated_at", "started_at", "ended_at", "attempt", "iteration",
    "generation", "reason", "poll_count", "pending", "callback_after", "next_at", "open",
    "retried_id", "worker_id", "parent", "round", "performs", "timers", "held", "input", "output",
    "memory", "queue",
)  # fmt: skip

# Of a row of either, no document stands before its input.
_FROM_INPUT_ON = max(
    len(columns) - columns.index("input") for columns in (EXECUTION_COLUMNS, TASK_COLUMNS)
)


def micros(at: datetime) -> int:
    """Microseconds since the epoch."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(at: int) -> datetime:
    """What :func:`micros` was given; what no calendar has is its first or last moment."""
    try:
        return _EPOCH + timedelta(microseconds=at)
    except OverflowError:
        return _LAST if at > 0 else _FIRST


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


def execution_row(execution: Execution, snapshot: str, origin: Origin, text: Text = text_of) -> Row:
    """All of :data:`EXECUTION_COLUMNS`; ``snapshot`` is the hash of its definitions."""
    return (
        execution.id,
        execution.workflow.name,
        execution.workflow.version,
        snapshot,
        execution.status.value,
        micros(execution.created_at),
        micros(execution.updated_at),
        _micros(execution.ended_at),
        _micros(execution.last_retried_at),
        plain(execution.reason),
        plain(execution.correlation_id),
        execution.priority,
        execution.parent_id,
        execution.parent_task_id,
        execution.restarts,
        execution.next_sequence,
        execution.open,
        text_of(execution.failed_refs) if execution.failed_refs else "[]",
        text(execution.input),
        text(execution.variables) if execution.variables else "{}",
        text(execution.output),
        plain(origin.started_by),
        origin.fingerprint,
        plain(origin.answer),
        plain(origin.request_id),
        origin.trace.parent if origin.trace else "",
        origin.slot,
        execution.depth,
        text(dict(execution.task_to_domain)) if execution.task_to_domain else "{}",
        origin.trace.state if origin.trace else "",
    )


def progress_row(execution: Execution, before: Execution, text: Text = text_of) -> Row:
    """:data:`PROGRESS_COLUMNS`: what differs from ``before``, which is stored."""
    same_variables = execution.variables is before.variables
    return (
        execution.id,
        execution.status.value,
        micros(execution.updated_at),
        _micros(execution.ended_at),
        _micros(execution.last_retried_at),
        plain(execution.reason),
        execution.next_sequence,
        execution.open,
        text_of(execution.failed_refs) if execution.failed_refs else "[]",
        None if same_variables else text(execution.variables),
        None if execution.output is before.output else text(execution.output),
    )


def task_row(execution_id: str, task: Task, stored: Task | None, text: Text = text_of) -> Row:
    """:data:`TASK_COLUMNS`; None for documents that ``stored``, its own row, has already."""
    known = stored if stored is not None and stored.id == task.id else None
    return (
        execution_id,
        task.sequence,
        task.id,
        plain(task.ref),
        plain(task.step),
        task.kind,
        plain(task.name),
        task.status.value,
        micros(task.scheduled_at),
        _micros(task.first_scheduled_at),
        micros(task.updated_at),
        _micros(task.started_at),
        _micros(task.ended_at),
        task.attempt,
        task.iteration,
        task.generation,
        plain(task.reason),
        task.poll_count,
        task.pending,
        task.callback_after // _MICROSECOND if task.callback_after else 0,
        _micros(task.next_at),
        task.open,
        task.retried_id,
        plain(task.worker_id),
        plain(task.parent),
        task.round,
        task.performs,
        text_of(task.timers) if task.timers else "[]",
        int(task.held),
        None if known and known.input is task.input else text(task.input),
        None if known and known.output is task.output else text(task.output),
        None if known and known.memory is task.memory else _memory(task, text),
        task.queue,
    )


def _memory(task: Task, text: Text) -> str:
    return text(task.memory) if task.memory else "{}"


def weight(row: Row) -> int:
    """How many characters its documents have: what an execution costs in memory, roughly."""
    return sum(len(value) for value in row[-_FROM_INPUT_ON:] if isinstance(value, str))


def execution_of(row: Row, workflow: Workflow, tasks: Mapping[str, Task]) -> Execution:
    """The execution of a row of :data:`EXECUTION_COLUMNS`."""
    return Execution(
        id=row[0],
        workflow=workflow,
        status=ExecutionStatus(row[4]),
        created_at=moment(row[5]),
        updated_at=moment(row[6]),
        ended_at=_moment(row[7]),
        last_retried_at=_moment(row[8]),
        reason=row[9],
        correlation_id=row[10],
        priority=row[11],
        parent_id=row[12],
        parent_task_id=row[13],
        restarts=row[14],
        next_sequence=row[15],
        open=row[16],
        depth=row[27],
        task_to_domain=cast("dict[str, str]", value_of(row[28])),
        failed_refs=tuple(cast("list[str]", value_of(row[17]))),
        input=cast("dict[str, Json]", value_of(row[18])),
        variables=cast("dict[str, Json]", value_of(row[19])),
        output=value_of(row[20]),
        tasks=Map(tasks),
        refs=refs_of(row[0], row[14], tasks.values()),
        extra=extra_of(workflow, tasks.values()),
    )


def origin_of(row: Row) -> Origin:
    """The origin of a row of :data:`EXECUTION_COLUMNS`."""
    started_by, fingerprint, answer, request_id, parent, slot = row[21:27]
    trace = read_trace(parent, row[29]) if parent else None
    return Origin(started_by, fingerprint, answer, request_id, trace, slot)


def task_of(row: Row) -> Task:
    """The task of a row of :data:`TASK_COLUMNS`."""
    return Task(
        id=row[2],
        ref=row[3],
        step=row[4],
        kind=row[5],
        name=row[6],
        sequence=row[1],
        status=TaskStatus(row[7]),
        scheduled_at=moment(row[8]),
        first_scheduled_at=_moment(row[9]),
        updated_at=moment(row[10]),
        started_at=_moment(row[11]),
        ended_at=_moment(row[12]),
        attempt=row[13],
        iteration=row[14],
        generation=row[15],
        reason=row[16],
        poll_count=row[17],
        pending=row[18],
        callback_after=timedelta(microseconds=row[19]),
        next_at=_moment(row[20]),
        open=row[21],
        retried_id=row[22],
        worker_id=row[23],
        parent=row[24],
        round=row[25],
        performs=row[26],
        timers=tuple(cast("list[str]", value_of(row[27]))),
        held=bool(row[28]),
        input=value_of(row[29]),
        output=value_of(row[30]),
        memory=cast("dict[str, Json]", value_of(row[31])),
        queue=row[32],
    )


def latest(rows: Sequence[Row]) -> dict[str, Task]:
    """By ref, the latest attempt among ``rows`` of :data:`TASK_COLUMNS`, in order of sequence."""
    newest = {row[3]: row for row in rows}
    return {ref: task_of(row) for ref, row in newest.items()}
