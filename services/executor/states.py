"""Where executions and tasks stand, without their documents: as feed rows and as messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from services.executor.core.copies import changed
from services.executor.core.model import Execution, ExecutionStatus, Json, Task, TaskStatus
from services.executor.core.webhooks import Delivery, Webhook
from services.executor.documents import compact, plain, quoted
from services.executor.rows import Origin, Row, micros

REASON_CHARS = 500
_MOST_FAILED_REFS = 20
_CHANGE_CHARS = 1000

# The state of a feed row that tells of a deletion.
GONE = "null"

EXECUTION_STATUS = {
    name.removeprefix("EXECUTION_STATUS_"): value for name, value in pb.ExecutionStatus.items()
}
TASK_STATUS = {name.removeprefix("TASK_STATUS_"): value for name, value in pb.TaskStatus.items()}
TASK_STATUS_NAME = {value: name for name, value in TASK_STATUS.items()}
EXECUTION_STATUS_NAME = {value: name for name, value in EXECUTION_STATUS.items()}


# To feed rows: JSON arrays in a fixed order, as short as can be.


def changes(
    execution: Execution, origin: Origin, tasks: Iterable[Task], rows: Iterable[Row]
) -> Iterator[Row]:
    """Rows for the feed (at, execution id, workflow, state): of about 1 KB, several if need be.

    Only the last one tells the end of the execution: who watches until then has been told all.

    Args:
        rows: Those of ``tasks`` (see :data:`services.executor.rows.TASK_COLUMNS`).
    """
    at = micros(execution.updated_at)
    state = _execution_text(execution, origin, at)
    room = _CHANGE_CHARS - len(state)
    part: list[str] = []
    for task, row in zip(tasks, rows, strict=True):
        fact = _task_text(task, row)
        if part and room < len(fact):
            so_far = _execution_text(_not_ended(execution), origin, at)
            yield at, execution.id, execution.workflow.name, f"[{so_far},[{','.join(part)}]]"
            part, room = [], _CHANGE_CHARS - len(state)
        part.append(fact)
        room -= len(fact)
    yield at, execution.id, execution.workflow.name, f"[{state},[{','.join(part)}]]"


def _not_ended(execution: Execution) -> Execution:
    if not execution.status.final:
        return execution
    return changed(
        execution, status=ExecutionStatus.RUNNING, ended_at=None, reason="", failed_refs=()
    )


def _execution_text(execution: Execution, origin: Origin, updated_at: int) -> str:
    """:func:`execution_facts` as JSON, put together in a fraction of an encoder's time."""
    ended, refs = execution.ended_at, execution.failed_refs
    return (
        f"[{quoted(execution.id)},{quoted(execution.workflow.name)},{execution.workflow.version}"
        f',"{execution.status.value}",{micros(execution.created_at)},{updated_at}'
        f",{'null' if ended is None else micros(ended)}"
        f",{quoted(plain(execution.reason[:REASON_CHARS]))}"
        f",{quoted(plain(execution.correlation_id))},{quoted(plain(origin.started_by))}"
        f",{compact([plain(ref) for ref in refs[:_MOST_FAILED_REFS]]) if refs else '[]'}]"
    )


def _task_text(task: Task, row: Row) -> str:
    """:func:`task_facts` as JSON; what is in ``row`` is taken from there."""
    started, ended, following = row[11], row[12], row[20]
    poll = _last_poll(task)
    return (
        f'[{quoted(task.id)},{quoted(row[3])},{quoted(task.kind)},{quoted(row[6])},"{row[7]}"'
        f",{task.attempt},{task.iteration},{task.sequence},{task.poll_count},{row[8]}"
        f",{'null' if started is None else started},{'null' if ended is None else ended}"
        f",{'null' if following is None else following},{quoted(row[16][:REASON_CHARS])}"
        f",{'null' if poll is None else compact(poll)}"
        f",{'null' if (number := _reported(task)) is None else number}"
        f"{',' + quoted(row[23]) if task.worker_id else ''}]"
    )


def execution_facts(execution: Execution, origin: Origin) -> list[Any]:
    """In the order of :data:`services.executor.finding.STATE_COLUMNS`."""
    ended = execution.ended_at
    return [
        execution.id,
        execution.workflow.name,
        execution.workflow.version,
        execution.status.value,
        micros(execution.created_at),
        micros(execution.updated_at),
        None if ended is None else micros(ended),
        plain(execution.reason[:REASON_CHARS]),
        plain(execution.correlation_id),
        plain(origin.started_by),
        [plain(ref) for ref in execution.failed_refs[:_MOST_FAILED_REFS]],
    ]


def task_facts(task: Task) -> list[Any]:
    """What a :class:`pb.TaskState` says, in the order of its fields."""
    return [
        task.id,
        plain(task.ref),
        task.kind,
        plain(task.name),
        task.status.value,
        task.attempt,
        task.iteration,
        task.sequence,
        task.poll_count,
        micros(task.scheduled_at),
        None if task.started_at is None else micros(task.started_at),
        None if task.ended_at is None else micros(task.ended_at),
        None if task.next_at is None else micros(task.next_at),
        plain(task.reason[:REASON_CHARS]),
        _last_poll(task),
        _reported(task),
        *((plain(task.worker_id),) if task.worker_id else ()),
    ]


def _reported(task: Task) -> float | None:
    """What a callback, or a worker, has said of how far it is."""
    if task.status is not TaskStatus.IN_PROGRESS or not isinstance(task.output, dict):
        return None
    value = task.output.get("progress")
    number = None if isinstance(value, bool) else _progress(value)
    return number if number is not None and isfinite(number) else None


def _last_poll(task: Task) -> Json:
    polls = task.memory.get("polls") if task.memory else None
    return polls[-1] if isinstance(polls, list) and polls else None


# To messages.


def parsed_change(state: str) -> tuple[pb.ExecutionState, list[pb.TaskState]]:
    """The messages of a feed row's state."""
    execution, tasks = json.loads(state)
    return execution_state(execution), [task_state(task) for task in tasks]


def execution_state(facts: Row | list[Any]) -> pb.ExecutionState:
    """The message of :func:`execution_facts`, or of a row of STATE_COLUMNS."""
    failed = facts[10]
    state = pb.ExecutionState(
        execution_id=facts[0],
        workflow_name=facts[1],
        workflow_version=facts[2],
        status=EXECUTION_STATUS[facts[3]],
        reason=facts[7][:REASON_CHARS],
        correlation_id=facts[8],
        started_by=facts[9],
    )
    # In place: with messages of their own for its times, a state takes twice as long.
    _set(state.created_at, facts[4])
    _set(state.updated_at, facts[5])
    if facts[6] is not None:
        _set(state.ended_at, facts[6])
    if failed and failed != "[]":
        state.failed_refs.extend(json.loads(failed) if isinstance(failed, str) else failed)
    return state


def state_of(execution: Execution, origin: Origin) -> pb.ExecutionState:
    """The message of an execution."""
    return execution_state(execution_facts(execution, origin))


def webhook_delivery(webhook: Webhook, delivery: Delivery) -> pb.WebhookDelivery:
    """The message of how the telling of an end stands."""
    following, delivered = delivery.next_at, delivery.delivered_at
    return pb.WebhookDelivery(
        url=webhook.shown_url,
        status=pb.WebhookStatus.Value(f"WEBHOOK_STATUS_{delivery.status.value}"),
        attempts=delivery.attempts,
        last_status_code=delivery.last_status_code,
        last_error=delivery.last_error,
        next_attempt_at=None if following is None else timestamp(micros(following)),
        delivered_at=None if delivered is None else timestamp(micros(delivered)),
    )


def task_state(facts: list[Any]) -> pb.TaskState:
    """The message of :func:`task_facts`."""
    return pb.TaskState(
        task_id=facts[0],
        ref=facts[1],
        kind=facts[2],
        name=facts[3],
        status=TASK_STATUS[facts[4]],
        attempt=facts[5],
        iteration=facts[6],
        sequence=facts[7],
        poll_count=facts[8],
        scheduled_at=timestamp(facts[9]),
        started_at=timestamp(facts[10]),
        ended_at=timestamp(facts[11]),
        next_at=timestamp(facts[12]),
        reason=facts[13],
        last_poll=poll_state(facts[14]),
        # What was written by an older executor, or without its documents, has none.
        progress=facts[15] if len(facts) > 15 else None,
        worker_id=facts[16] if len(facts) > 16 else "",
    )


def poll_state(poll: Json) -> pb.Poll | None:
    """The message of what an HTTP_POLL notes of a poll (kinds/polling.py)."""
    if not isinstance(poll, dict):
        return None
    return pb.Poll(
        number=_whole(poll, "number"),
        at=_milliseconds(poll, "at"),
        status_code=_whole(poll, "status"),
        duration=_duration(_whole(poll, "ms")),
        verdict=str(poll.get("verdict") or ""),
        next_at=_milliseconds(poll, "next"),
        progress=_progress(poll.get("progress")),
        reason=str(poll.get("reason") or ""),
    )


def _progress(value: Json) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None


def _whole(poll: dict[str, Json], name: str) -> int:
    value = poll.get(name)
    return int(value) if isinstance(value, int | float) else 0


def _milliseconds(poll: dict[str, Json], name: str) -> Timestamp | None:
    return timestamp(_whole(poll, name) * 1000) if poll.get(name) else None


def _duration(milliseconds: int) -> Duration:
    seconds, rest = divmod(milliseconds, 1000)
    return Duration(seconds=seconds, nanos=rest * 1_000_000)


def _set(message: Timestamp, at: int) -> None:
    seconds, rest = divmod(at, 1_000_000)
    message.seconds, message.nanos = seconds, rest * 1000


def timestamp(at: int | None) -> Timestamp | None:
    """The message of microseconds since the epoch."""
    if at is None:
        return None
    seconds, rest = divmod(at, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)
