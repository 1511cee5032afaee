"""Attempts and polls of tasks as plain values: what a timeline reads, once for each change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from tui.views.hands import NO_HAND, Hand

KEPT_POLLS = 200

_FINAL = frozenset(pb.TaskStatus.values()) - {
    pb.TASK_STATUS_UNSPECIFIED,
    pb.TASK_STATUS_SCHEDULED,
    pb.TASK_STATUS_IN_PROGRESS,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of one task; times in epoch milliseconds, None where there is none.

    Attributes:
        ref: Its reference name; in a loop with the suffix ``__<iteration>``.
        number: Counts retries, from 0.
        iteration: That of its loop; 0: it is in none.
        worker: Who has it, or had it last.
        hand: What only the execution's document tells of that.
    """

    id: str
    ref: str
    kind: str
    status: int
    number: int = 0
    iteration: int = 0
    sequence: int = 0
    scheduled: int | None = None
    started: int | None = None
    ended: int | None = None
    next_at: int | None = None
    reason: str = ""
    polls: int = 0
    progress: float | None = None
    worker: str = ""
    hand: Hand = NO_HAND

    @property
    def final(self) -> bool:
        return self.status in _FINAL


@dataclass(frozen=True, slots=True)
class PollMark:
    """One poll of an attempt; times in epoch milliseconds.

    Attributes:
        code: The answer's status code; 0: there was no answer.
        took: Milliseconds until the answer.
        next_at: When the next one is due; None: there is none.
    """

    number: int
    at: int
    code: int
    took: int
    verdict: str
    next_at: int | None = None
    progress: float | None = None
    reason: str = ""


def attempt_of(task: pb.TaskState) -> Attempt:
    """``task`` as a value."""
    return Attempt(
        id=task.task_id,
        ref=task.ref,
        kind=task.kind,
        status=task.status,
        number=task.attempt,
        iteration=task.iteration,
        sequence=task.sequence,
        scheduled=_moment(task.scheduled_at) if task.HasField("scheduled_at") else None,
        started=_moment(task.started_at) if task.HasField("started_at") else None,
        ended=_moment(task.ended_at) if task.HasField("ended_at") else None,
        next_at=_moment(task.next_at) if task.HasField("next_at") else None,
        reason=task.reason,
        polls=task.poll_count,
        progress=_progress(task),
        worker=task.worker_id,
    )


def poll_of(poll: pb.Poll) -> PollMark:
    """``poll`` as a value."""
    return PollMark(
        number=poll.number,
        at=_moment(poll.at),
        code=poll.status_code,
        took=_milliseconds(poll.duration),
        verdict=poll.verdict,
        next_at=_moment(poll.next_at) if poll.HasField("next_at") else None,
        progress=poll.progress if poll.HasField("progress") else None,
        reason=poll.reason,
    )


def polls_of(document: Mapping[str, Any]) -> dict[str, tuple[PollMark, ...]]:
    """The polls that an execution's own document keeps, by task id; what is malformed is left out.

    Args:
        document: As ``GetExecution`` has it: Conductor's JSON, with ``polls`` beside its fields.
    """
    tasks = document.get("tasks")
    found: dict[str, tuple[PollMark, ...]] = {}
    for task in tasks if isinstance(tasks, list) else ():
        polls = task.get("polls") if isinstance(task, dict) else None
        if isinstance(polls, list) and isinstance(task.get("taskId"), str):
            marks = (_poll_of_json(poll) for poll in polls)
            found[task["taskId"]] = tuple(mark for mark in marks if mark is not None)
    return found


def merged_polls(known: Sequence[PollMark], more: Iterable[PollMark]) -> tuple[PollMark, ...]:
    """Both, each poll once and in order; the newest :data:`KEPT_POLLS` of them."""
    by_number = {poll.number: poll for poll in known}
    by_number |= {poll.number: poll for poll in more}
    return tuple(by_number[number] for number in sorted(by_number)[-KEPT_POLLS:])


def _poll_of_json(poll: object) -> PollMark | None:
    if not isinstance(poll, dict):
        return None
    number, at = _whole(poll.get("number")), _whole(poll.get("at"))
    if number is None or at is None:
        return None
    progress = poll.get("progress")
    return PollMark(
        number=number,
        at=at,
        code=_whole(poll.get("status")) or 0,
        took=_whole(poll.get("ms")) or 0,
        verdict=str(poll.get("verdict") or ""),
        next_at=_whole(poll.get("next")),
        progress=float(progress) if isinstance(progress, int | float) else None,
        reason=str(poll.get("reason") or ""),
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _progress(task: pb.TaskState) -> float | None:
    if task.HasField("progress"):
        return task.progress
    if task.poll_count and task.last_poll.HasField("progress"):
        return task.last_poll.progress
    return None


def _moment(stamp: Timestamp) -> int:
    return stamp.seconds * 1000 + stamp.nanos // 1_000_000


def _milliseconds(duration: Duration) -> int:
    return duration.seconds * 1000 + duration.nanos // 1_000_000
