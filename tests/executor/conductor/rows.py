"""A rule of Conductor's as a row: a workflow, what happens to it, and what shows of it then.

Where a row is not what Conductor does, it names the record in docs/decisions that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from services.executor.core.events import ChildEnded, Event, Taken, TaskUpdated
from services.executor.core.http import HttpOutcome
from services.executor.core.model import ExecutionStatus, Json, Task, TaskStatus
from services.executor.core.workflow import Workflow
from tests.executor.core.simulator import Judge, Simulator, answer

RECORDS = Path(__file__).parents[3] / "docs" / "decisions"
MENDED = "0003-where-conductor-is-mended.md"
FORKS = "0017-forks-and-loops.md"
OPERATIONS = "0019-operations.md"
KEYS = "0020-keys-of-workflows.md"
WORKERS = "0022-workers-have-tasks-pushed.md"
SCHEMAS = "0023-executions-within-schemas.md"
CROWDS = "0024-executions-that-wait-for-a-slot.md"
SMALLER = "0028-smaller-differences-from-conductor.md"
MASKS = "0029-masked-fields.md"
APART = "0030-environment-and-workers-of-their-own.md"

Fields = Mapping[str, Json]
Act = Callable[[Simulator], object]


@dataclass(frozen=True)
class Part:
    """A text that holds ``text``."""

    text: str


@dataclass(frozen=True)
class Row:
    """One rule.

    Attributes:
        rule: Which one it is.
        shows: By place, what stands there in the end: ``workflow`` and a ref alone are their
            status; behind them ``output``, ``input``, ``reason`` and so on, and names within those.
        after: What happens, in order, once it has begun.
        record: Why this is not what Conductor does; empty: it is.
        judge: What scripts come to.
        known: Task definitions that are looked up by name.
        missing: Workflows that there are none of.
    """

    rule: str
    flow: Workflow
    shows: Mapping[str, Json | Part]
    after: tuple[Act, ...] = ()
    record: str = ""
    inputs: Mapping[str, Json] = field(default_factory=dict)
    judge: Judge | None = None
    known: Mapping[str, Json] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    domains: Mapping[str, str] | None = None


def played(row: Row) -> Simulator:
    """The execution of ``row`` as it stands in the end."""
    run = Simulator(row.flow, row.inputs, judge=row.judge, domains=row.domains)
    run.definitions.update(row.known)
    run.missing.update(row.missing)
    run.begin()
    for act in row.after:
        act(run)
    return run


def check(row: Row) -> None:
    """Plays ``row``, and asserts all that it shows, and that its record is there."""
    run = played(row)
    for place, expected in row.shows.items():
        found = shown(run, place)
        if isinstance(expected, Part):
            assert isinstance(found, str), place
            assert expected.text in found, place
        else:
            assert found == expected, place
    assert not row.record or (RECORDS / row.record).is_file()


def shown(run: Simulator, place: str) -> Json:
    """What stands at ``place``; None where there is nothing."""
    first, *names = place.split(".")
    if first == "workflow":
        own = names[0] if names else "status"
        return _within(getattr(run.execution, own), names[1:])
    if first == "started":
        return [start.workflow for start in run.started]
    task = run.execution.tasks.get(first)
    if task is None:
        return None
    match names:
        case []:
            return task.status.value
        case ["attempts"]:
            return sum(row.ref == first for row in run.rows.values())
        case ["waits"]:
            return _waits(run, task)
        case ["request", name, *rest]:
            return _within(getattr(run.request(first), name), rest)
        case [name, *rest]:
            return _within(getattr(task, name), rest)
    raise AssertionError(place)


def _within(value: Json, names: list[str]) -> Json:
    for name in names:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list | tuple):
            value = value[int(name)]
        else:
            return None
    return list(value) if isinstance(value, tuple) else value


def _waits(run: Simulator, task: Task) -> Json:
    """Seconds until each of its timers, the nearest first."""
    due = sorted(at for key, at in run.timers.items() if key.task_id == task.id)
    return [(at - run.now).total_seconds() for at in due]


def ids(row: Row) -> str:
    return row.rule


def answered(ref: str, outcome: HttpOutcome | None = None, status: int = 200) -> Act:
    """Its call ends."""
    return lambda run: run.answers(ref, outcome or answer({"n": 1}, status))


def said(ref: str, status: str, output: Json = None, reason: str = "") -> Act:
    """Somebody outside says so of its latest attempt."""
    return lambda run: run.says(ref, status, output, reason=reason)


def child_ends(ref: str, status: str, output: Json = None, reason: str = "") -> Act:
    """What the SUB_WORKFLOW has started ends."""

    def act(run: Simulator) -> None:
        ended = ExecutionStatus(status)
        run.happens(ChildEnded(run.task(ref).id, "child.1/x", ended, output, reason))

    return act


def taken(ref: str, worker: str = "w1") -> Act:
    """A worker has it."""
    return lambda run: run.happens(Taken(run.task(ref).id, worker))


def worker_says(
    ref: str, status: str, output: Json = None, *, reason: str = "", back: float | None = None
) -> Act:
    """The worker that has it says so; ``back`` are seconds after which it wants it again."""
    after = None if back is None else timedelta(seconds=back)

    def act(run: Simulator) -> None:
        run.happens(
            TaskUpdated(
                TaskStatus(status), output, task_id=run.task(ref).id, reason=reason,
                worker_id="w1", by_worker=True, back_after=after,
            )
        )  # fmt: skip

    return act


def happens(event: Event) -> Act:
    return lambda run: run.happens(event)


def fires(run: Simulator) -> object:
    """The next timer comes due."""
    return run.fires()


def passes(seconds: float) -> Act:
    return lambda run: run.passes(seconds=seconds)
