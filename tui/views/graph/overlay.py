"""Where an execution stands, by the task of its workflow: the latest attempt of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from podium.executor.v1 import executor_pb2 as pb
from tui.views.graph.plan import SHAPES, Plan, Shape, Step, shown
from tui.views.statuses import Look, look_of_task
from tui.views.timeline import task_status_name

ENDED_WELL = frozenset({"COMPLETED", "COMPLETED_WITH_ERRORS", "SKIPPED"})
# In the order in which their counts are told; several statuses may have one glyph.
_COUNTED = tuple(
    look_of_task(status)
    for status in (
        "COMPLETED", "IN_PROGRESS", "FAILED", "TIMED_OUT", "SCHEDULED", "SKIPPED", "CANCELED", "",
    )
)  # fmt: skip
_ITERATION = re.compile(r"(?:__\d+)+$")


@dataclass(frozen=True, slots=True)
class Attempt:
    """The latest attempt of a task.

    Attributes:
        ref: As the definition has it, without the number of an iteration.
        status: E.g. ``IN_PROGRESS``.
        retries: How often it was tried again.
        iteration: That of the loop; 0: it is in none and is none.
        selected: The case that a SWITCH took; None: not known.
        forked: The first tasks of the branches of a dynamic fork, where they are known.
    """

    ref: str
    kind: str
    status: str
    sequence: int = 0
    retries: int = 0
    iteration: int = 0
    polls: int = 0
    selected: str | None = None
    forked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is drawn over a workflow.

    Attributes:
        attempts: By ref.
        status: The execution's, e.g. ``RUNNING``.
    """

    attempts: Mapping[str, Attempt]
    status: str = ""

    def changed(self, tasks: Iterable[pb.TaskState], status: str = "") -> Overlay:
        """With attempts that have changed since; an older one than is known changes nothing."""
        attempts = dict(self.attempts)
        for task in tasks:
            attempt = _of_state(task)
            known = attempts.get(attempt.ref)
            if known is None:
                attempts[attempt.ref] = attempt
            elif known.sequence <= attempt.sequence:
                attempts[attempt.ref] = _with_what_only_documents_tell(attempt, known)
        return Overlay(attempts, status or self.status)

    def has(self, step: Step) -> bool:
        """Whether the execution has come to ``step``."""
        return step.key in self.attempts

    def is_past(self, step: Step) -> bool:
        """Whether ``step`` is done and what comes after it may begin."""
        attempt = self.attempts.get(step.key)
        return attempt is not None and attempt.status in ENDED_WELL


def of_states(tasks: Iterable[pb.TaskState], status: str = "") -> Overlay:
    """Of all attempts of an execution, as the executor's RPCs tell them."""
    return Overlay({}, status).changed(tasks)


def of_document(document: Mapping[str, object]) -> Overlay:
    """Of an execution as Conductor writes one."""
    attempts: dict[str, Attempt] = {}
    tasks = document.get("tasks")
    for task in tasks if isinstance(tasks, list) else ():
        attempt = _of_task(task) if isinstance(task, dict) else None
        if attempt is None:
            continue
        known = attempts.get(attempt.ref)
        if known is None or known.sequence <= attempt.sequence:
            attempts[attempt.ref] = attempt
    return Overlay(attempts, _text(document.get("status")))


def _with_what_only_documents_tell(attempt: Attempt, known: Attempt) -> Attempt:
    if (known.sequence, known.iteration) != (attempt.sequence, attempt.iteration):
        return attempt
    return replace(attempt, selected=known.selected, forked=known.forked)


def _of_state(task: pb.TaskState) -> Attempt:
    return Attempt(
        _base(task.ref, task.iteration),
        task.kind,
        task_status_name(task.status),
        task.sequence,
        task.attempt,
        task.iteration,
        task.poll_count,
    )


def _of_task(task: dict[str, object]) -> Attempt | None:
    ref = _text(task.get("referenceTaskName"))
    if not ref:
        return None
    iteration = _whole(task.get("iteration"))
    selected, forked = _output(task, "selectedCase"), _part(task, "inputData").get("forkedTasks")
    return Attempt(
        _base(ref, iteration),
        _text(_part(task, "workflowTask").get("type")) or _text(task.get("taskType")),
        _text(task.get("status")),
        _whole(task.get("seq")),
        _whole(task.get("retryCount")),
        iteration,
        _whole(task.get("pollCount")),
        selected if isinstance(selected, str) else None,
        tuple(each for each in forked if isinstance(each, str)) if isinstance(forked, list) else (),
    )


def _base(ref: str, iteration: int) -> str:
    return _ITERATION.sub("", ref) if iteration else ref


def _part(task: dict[str, object], name: str) -> dict[str, object]:
    value = task.get(name)
    return value if isinstance(value, dict) else {}


def _output(task: dict[str, object], name: str) -> object:
    return _part(task, "outputData").get(name)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def grown(plan: Plan, overlay: Overlay | None) -> dict[str, tuple[Step, ...]]:
    """The tasks of each dynamic fork, by its key, as the execution has made them.

    Where it is not said whose a task is, it is of the dynamic fork that began last before it.
    """
    forks = [step for step in plan.by_key.values() if step.shape is Shape.DYNAMIC_FORK]
    if overlay is None or not forks:
        return {}
    begun = [overlay.attempts[fork.key] for fork in forks if overlay.has(fork)]
    begun.sort(key=lambda attempt: -attempt.sequence)
    owners = {ref: attempt.ref for attempt in begun for ref in attempt.forked}
    found: dict[str, list[Step]] = {attempt.ref: [] for attempt in begun}
    unplanned = [each for ref, each in overlay.attempts.items() if ref not in plan.by_key]
    for attempt in sorted(unplanned, key=lambda each: each.sequence):
        before = (each.ref for each in begun if each.sequence < attempt.sequence)
        owner = owners.get(attempt.ref) or next(before, "")
        if owner in found:
            found[owner].append(_grown_step(attempt, owner))
    return {owner: tuple(steps) for owner, steps in found.items()}


def _grown_step(attempt: Attempt, owner: str) -> Step:
    shape = SHAPES.get(attempt.kind, Shape.TASK)
    plain = shape if shape in (Shape.DOOR, Shape.END) else Shape.TASK
    return Step(attempt.ref, attempt.ref, shown(attempt.kind), plain, parent=owner)


def rounds(step: Step, overlay: Overlay | None) -> int:
    """How many rounds of the loop ``step`` have begun; 0: none, or it is no loop.

    Its own task says nothing of it before it has ended, and stands in a round itself where it is
    within another loop: the tasks in it tell theirs.
    """
    if overlay is None or step.shape is not Shape.LOOP:
        return 0
    begun = (overlay.attempts.get(each.key) for each in _in_each_round(step))
    return max((attempt.iteration for attempt in begun if attempt), default=0)


def _in_each_round(step: Step) -> Iterator[Step]:
    """What stands in ``step``, but nothing in a loop within it: that has rounds of its own."""
    for branch in step.branches:
        for each in branch.steps:
            yield each
            if each.shape is not Shape.LOOP:
                yield from _in_each_round(each)


def tally(keys: Iterable[str], overlay: Overlay) -> list[tuple[Look, int]]:
    """How many of the tasks ``keys`` stand where, in a constant order; those not begun do not."""
    reached = (overlay.attempts.get(key) for key in keys)
    counts = Counter(look_of_task(attempt.status).glyph for attempt in reached if attempt)
    return [(look, counts[look.glyph]) for look in _COUNTED if counts[look.glyph]]
