"""An execution runs again from one of its tasks: what is void then, and what is open again.

Void are the task and all that is behind it: within it, after it in its block, and after each task
that holds that block. Of a loop around it, the rounds after its own. What stands beside it in the
branches of a FORK stays as it is: the JOIN behind that waits again. What failed, or was cancelled,
elsewhere runs again, as with a retry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from immutables import Map

from services.executor.core import allowing, counts, flow, operations
from services.executor.core.blocking import waiting_again
from services.executor.core.copies import changed
from services.executor.core.deciding import Again, Deciding
from services.executor.core.events import Rerun
from services.executor.core.identity import refs_of
from services.executor.core.kind import Kind, View
from services.executor.core.model import Execution, Json, Refused, Task
from services.executor.core.references import escaped
from services.executor.core.spawning import extra_of, found_in
from services.executor.core.workflow import Step

Kinds = Mapping[str, Kind]


@dataclass(slots=True)
class Rewound:
    """What a rerun from ``task`` comes to.

    Attributes:
        kept: The task itself stays, and waits again for what it has started.
        void: Refs whose attempts go.
        reopened: By ref, what holds others together and waits again for some of them.
        rounds: By the ref of a loop, the round that it is in again.
    """

    task: Task
    kept: bool
    void: set[str] = field(default_factory=set)
    reopened: dict[str, Task] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)


def meant(execution: Execution, event: Rerun) -> Task:
    """The task that it is to run again from.

    Raises:
        Refused: There is none, it was never reached, or the execution has not ended.
    """
    if not execution.status.final:
        raise runs_still(execution)
    ref = execution.refs.get(event.task_id) if event.task_id else event.ref
    task = execution.tasks.get(ref) if ref else None
    if task is None:
        raise _unknown(execution, event)
    if counts.is_ahead(task):
        raise Refused(f"The task {task.ref} was never reached, only skipped ahead of its turn.")
    return task


def _unknown(execution: Execution, event: Rerun) -> Refused:
    """Why nothing can be run again from what the event names."""
    ref = event.ref
    if event.task_id or ref not in execution.workflow.steps:
        return Refused(f"Task {event.task_id or ref} not found", missing=True)
    rounds = [task for task in execution.tasks.values() if task.step == ref]
    if rounds:
        latest = max(rounds, key=lambda task: task.sequence).ref
        return Refused(f"The task {ref} is of a loop: name that of a round, such as {latest}.")
    return Refused(f"The task {ref} was never reached; a rerun begins with one that was.")


def runs_still(execution: Execution) -> Refused:
    """Why it cannot be rerun."""
    said = f"Only what has ended can be rerun: the execution is {execution.status}."
    return allowing.refusal(said, execution.status, execution.workflow)


def rewind(execution: Execution, task: Task, kinds: Kinds, *, kept: bool) -> Rewound:
    """What is void, and what is open again."""
    return _Rewinding(execution, kinds).from_task(Rewound(task, kept))


def without(execution: Execution, rewound: Rewound) -> Execution:
    """The execution without what is void; tasks that begin from now on have other ids."""
    left = {ref: task for ref, task in execution.tasks.items() if ref not in rewound.void}
    restarts = execution.restarts + 1
    known = {id: ref for id, ref in execution.refs.items() if ref in left}
    return changed(
        execution,
        tasks=Map(left),
        refs=refs_of(execution.id, restarts, left.values()).update(known),
        extra=extra_of(execution.workflow, left.values()),
        restarts=restarts,
    )


def go_on(deciding: Deciding, rewound: Rewound, given: Mapping[str, Json] | None) -> None:
    """The execution runs again, from there; the task begins anew unless it was kept.

    Args:
        given: The task's input; None: what its definition gives.
    """
    task = rewound.task
    for ref, number in rewound.rounds.items():
        _set_back(deciding, ref, number)
    again = rewound.reopened
    failed = (
        each
        for each in deciding.tasks()
        if each.ref in again or not each.status.successful or (rewound.kept and each.id == task.id)
    )
    held = (
        each
        for each in deciding.tasks()
        if each.held and each.status.successful and each.ref not in again and each.id != task.id
    )
    resumed = {task.ref: waiting_again(task)} if rewound.kept else {}
    anew = () if rewound.kept else (task,)
    operations.run_again(
        deciding, operations.in_order(failed), operations.in_order(held), resumed, anew
    )
    if not rewound.kept:
        _begin_anew(deciding, task, given)


def _begin_anew(deciding: Deciding, task: Task, given: Mapping[str, Json] | None) -> None:
    step = deciding.step_at(task.step, task.suffix)
    if given is not None:
        # Whoever gives it has no say in where secrets go.
        data = dict(given)
        handed_over = step.template is not None and step.template.handoff
        deciding.again[task.ref] = Again(escaped(data) if handed_over else data, given=True)
    elif step.spawned:
        deciding.again[task.ref] = Again(task.input, given=False)
    flow.reach(
        deciding, task.step, parent=task.parent, suffix=task.suffix, iteration=task.iteration
    )


def _set_back(deciding: Deciding, ref: str, number: int) -> None:
    loop = deciding.latest(ref)
    kind = deciding.kinds.get(loop.kind) if loop is not None else None
    if loop is not None and kind is not None:
        output = kind.rewound(View(deciding, loop, deciding.step(loop)), number)
        deciding.put(changed(loop, round=number, output=output))


class _Rewinding:
    def __init__(self, execution: Execution, kinds: Kinds) -> None:
        self._execution = execution
        self._kinds = kinds
        self._inside: dict[str, list[Task]] = {}
        for task in execution.tasks.values():
            self._inside.setdefault(task.parent, []).append(task)

    def from_task(self, rewound: Rewound) -> Rewound:
        task = rewound.task
        if not rewound.kept:
            rewound.void.update(self._with_inner([task]))
        rewound.void.update(self._with_inner(self._behind(task)))
        inner = task
        while (holder := self._latest(inner.parent)) is not None:
            self._reopen(rewound, holder, inner)
            inner = holder
        return rewound

    def _reopen(self, rewound: Rewound, holder: Task, inner: Task) -> None:
        """``holder``, in whose block ``inner`` stands, is open again."""
        if holder.round:
            rewound.reopened[holder.ref] = holder
            rewound.rounds[holder.ref] = inner.iteration
            later = (each for each in self._inside[holder.ref] if each.iteration > inner.iteration)
            rewound.void.update(self._with_inner(later))
        if not counts.is_detached(holder):
            rewound.void.update(self._with_inner(self._behind(holder)))
            return
        join = self._latest(self._step(holder).next + holder.suffix)
        if join is not None and self._kinds[join.kind].reopened:
            rewound.reopened[join.ref] = join
            rewound.void.update(self._with_inner(self._behind(join)))

    def _behind(self, task: Task) -> Iterator[Task]:
        """What comes after it in its block."""
        ref = self._step(task).next
        while ref:
            following = self._latest(ref + task.suffix)
            if following is not None:
                yield following
            ref = self._step_at(ref, task.suffix).next

    def _with_inner(self, tasks: Iterable[Task]) -> Iterator[str]:
        """The refs of ``tasks`` and of all that stands within them."""
        pending = [*tasks]
        while pending:
            task = pending.pop()
            yield task.ref
            pending.extend(self._inside.get(task.ref, ()))

    def _latest(self, ref: str) -> Task | None:
        return self._execution.tasks.get(ref) if ref else None

    def _step(self, task: Task) -> Step:
        return self._step_at(task.step, task.suffix)

    def _step_at(self, ref: str, suffix: str) -> Step:
        found = found_in(self._execution.extra, ref, suffix) if self._execution.extra else None
        return found or self._execution.workflow.steps[ref]
