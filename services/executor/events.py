"""What happened to one execution, step by step: found by what differs between its states.

Where changes are gone, its tasks tell of what they remember: when they began and ended, and their
last polls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

from services.executor.core.model import Execution, ExecutionStatus, Json, Task, TaskStatus
from services.executor.rows import micros

RUNNING = ExecutionStatus.RUNNING.value
SCHEDULED, IN_PROGRESS = TaskStatus.SCHEDULED.value, TaskStatus.IN_PROGRESS.value


class What(StrEnum):
    """What an event is about."""

    EXECUTION = "EXECUTION"
    TASK = "TASK"
    POLL = "POLL"
    PROGRESS = "PROGRESS"


@dataclass(frozen=True, slots=True)
class Happened:
    """One event.

    Attributes:
        place: (revision, number within it); revision 0: it was found out from the tasks.
        at: Microseconds since the epoch.
        task: The attempt's facts; None: it is about the execution.
        before, after: Names of statuses; ``before`` is empty for what is new.
        poll: As kinds/polling.py notes it; for polls only.
    """

    place: tuple[int, int]
    at: int
    what: What
    before: str = ""
    after: str = ""
    reason: str = ""
    task: list[Any] | None = None
    poll: Json = None


Standing = tuple[str, int, float | None]
"""Of an attempt: status, polls done, progress reported."""

Stood = tuple[str, dict[str, Standing | None]]


@dataclass(slots=True)
class Known:
    """Where an execution and its attempts stood, after the events so far.

    Attributes:
        tasks: By id.
    """

    status: str = ""
    tasks: dict[str, Standing] = field(default_factory=dict)

    def follow(self, revision: int, state: tuple[list[Any], list[list[Any]]]) -> Iterator[Happened]:
        """The events that lead to ``state``, as :func:`services.executor.states.changes` has it.

        An end comes after those of the tasks that brought it about, anything else before them.
        """
        execution, tasks = state
        at, status = execution[5], execution[3]
        numbers = count()
        ending = execution[6] is not None
        if not ending:
            yield from self._moved(revision, numbers, at, status, execution[7])
        for facts in tasks:
            yield from self._task(revision, numbers, at, facts)
        if ending:
            yield from self._moved(revision, numbers, at, status, execution[7])

    def standing(self, state: tuple[list[Any], list[list[Any]]]) -> Stood:
        """Where those stand that ``state`` is about; None: they are not there yet."""
        return self.status, {facts[0]: self.tasks.get(facts[0]) for facts in state[1]}

    def restore(self, stood: Stood) -> None:
        """Have them stand there again."""
        self.status = stood[0]
        for task_id, standing in stood[1].items():
            if standing is None:
                self.tasks.pop(task_id, None)
            else:
                self.tasks[task_id] = standing

    def _moved(
        self, revision: int, numbers: Iterator[int], at: int, status: str, reason: str
    ) -> Iterator[Happened]:
        before, self.status = self.status, status
        if before != status:
            place = (revision, next(numbers))
            yield Happened(place, at, What.EXECUTION, before, status, reason)

    def _task(
        self, revision: int, numbers: Iterator[int], at: int, facts: list[Any]
    ) -> Iterator[Happened]:
        status, polls, poll, progress = facts[4], facts[8], facts[14], (*facts, None)[15]
        before, polled, reported = self.tasks.get(facts[0], ("", 0, None))
        self.tasks[facts[0]] = (status, polls, progress)
        if polls > polled and poll is not None:
            place = (revision, next(numbers))
            yield Happened(place, at, What.POLL, task=facts, poll=poll, reason=_reason(poll))
        if progress is not None and progress != reported:
            yield Happened((revision, next(numbers)), at, What.PROGRESS, task=facts)
        if status != before:
            place = (revision, next(numbers))
            yield Happened(place, at, What.TASK, before, status, facts[13], facts)


def _reason(poll: Json) -> str:
    return str(poll.get("reason") or "") if isinstance(poll, dict) else ""


def remembered(
    execution: Execution, attempts: Iterable[tuple[Task, list[Any]]], until: float
) -> tuple[list[Happened], Known]:
    """What the attempts remember of the time before ``until``, and where all stood then.

    Args:
        attempts: Each with its facts.
        until: Microseconds since the epoch; infinity where no change is kept.
    """
    known = Known(RUNNING)
    created = micros(execution.created_at)
    found = [(created, What.EXECUTION, "", RUNNING, "", None, None)] if created < until else []
    for task, facts in attempts:
        steps = [each for each in _steps(task, facts) if each[0] < until]
        if steps:
            known.tasks[task.id] = _stood(task, facts, steps, until)
        found += steps
    if execution.ended_at is not None and micros(execution.ended_at) < until:
        known.status = execution.status.value
        at, why = micros(execution.ended_at), execution.reason
        found.append((at, What.EXECUTION, RUNNING, known.status, why, None, None))
    found.sort(key=lambda step: step[0])
    return [
        Happened((0, number), at, what, before, after, reason, task, poll)
        for number, (at, what, before, after, reason, task, poll) in enumerate(found)
    ], known


def _steps(task: Task, facts: list[Any]) -> list[Any]:
    """(at, what, before, after, reason, facts, poll) of what an attempt remembers, in order."""
    steps: list[Any] = [(facts[9], What.TASK, "", SCHEDULED, "", facts, None)]
    if task.started_at is not None:
        steps.append((facts[10], What.TASK, SCHEDULED, IN_PROGRESS, "", facts, None))
    # Of a poll milliseconds are known: by those the last one may seem to come after the end.
    end = float("inf") if task.ended_at is None else facts[11]
    steps += (
        (min(_polled_at(poll), end), What.POLL, "", "", _reason(poll), facts, poll)
        for poll in polls_of(task)
    )
    if task.ended_at is not None and task.status.final:
        before = IN_PROGRESS if task.started_at is not None else SCHEDULED
        steps.append((facts[11], What.TASK, before, facts[4], facts[13], facts, None))
    return steps


def polls_of(task: Task) -> list[dict[str, Json]]:
    """The polls that an HTTP_POLL keeps, the newest last."""
    polls = task.memory.get("polls") if task.memory else None
    return [poll for poll in polls if isinstance(poll, dict)] if isinstance(polls, list) else []


def _polled_at(poll: dict[str, Json]) -> int:
    at, took = poll.get("at"), poll.get("ms")
    started = int(at) if isinstance(at, int | float) else 0
    return (started + (int(took) if isinstance(took, int | float) else 0)) * 1000


def _stood(task: Task, facts: list[Any], steps: list[Any], until: float) -> Standing:
    status = next(step[3] for step in reversed(steps) if step[1] is What.TASK)
    polls = [poll for poll in polls_of(task) if _polled_at(poll) >= until]
    first = polls[0].get("number") if polls else None
    done = first - 1 if isinstance(first, int) else task.poll_count
    return status, done, (*facts, None)[15] if until == float("inf") else None
