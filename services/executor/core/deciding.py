"""One decision while it is being made: what has changed so far, and what is still to do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import NamedTuple, Protocol, TypeVar

from immutables import Map

from services.executor.core.commands import (
    CancelTimer,
    Command,
    Compute,
    Decision,
    Judge,
    Lookup,
    Perform,
    Recall,
    SetTimer,
)
from services.executor.core.copies import changed
from services.executor.core.events import TimerKey
from services.executor.core.identity import attempt_ids
from services.executor.core.jsonpath import Visits
from services.executor.core.kind import Kind
from services.executor.core.model import Execution, ExecutionStatus, Json, Task
from services.executor.core.spawning import found_in, steps_of
from services.executor.core.workflow import Step, Workflow

_Value = TypeVar("_Value")


class Moves(NamedTuple):
    """What follows from an attempt of a step: the flow's, which is made of attempts itself."""

    enter: Enter
    await_refs: Callable[[Deciding, Task, tuple[str, ...]], None]
    settle: Callable[[Deciding, Task], None]


class Enter(Protocol):
    """Begins blocks of a task; with an ``iteration``, as that round of a loop."""

    def __call__(
        self,
        deciding: Deciding,
        task: Task,
        names: tuple[str, ...],
        iteration: int,
        *,
        detached: bool = False,
    ) -> None: ...


class Again(NamedTuple):
    """The input of a task that is run again; where ``given``, the definition has no say in it."""

    input: Json
    given: bool


class Deciding:
    """An execution with the changes of one decision on top.

    Changes are gathered here and laid over the execution once, at the end: what was not touched is
    neither looked at nor copied. Work is a queue, not recursion: a chain of 10,000 tasks that end
    at once is no deeper than one.
    """

    def __init__(
        self,
        execution: Execution,
        kinds: Mapping[str, Kind],
        now: datetime,
        moves: Moves,
        *,
        dropped: bool = False,
        rewritten: bool = False,
        voided: tuple[str, ...] = (),
    ) -> None:
        self.moves = moves
        self.execution: Execution = execution
        self.workflow: Workflow = execution.workflow
        self.kinds, self.now = kinds, now
        # Voided are refs that are not in the execution any more, and their rows are (a rerun).
        self.dropped, self.rewritten, self.voided = dropped, rewritten, voided
        # By ref, how a task is to begin that is run again.
        self.again: dict[str, Again] = {}
        self.status: ExecutionStatus = execution.status
        self.variables: Mapping[str, Json] = execution.variables
        self.output: Json = execution.output
        self.reason: str = execution.reason
        self.ended_at, self.last_retried_at = execution.ended_at, execution.last_retried_at
        self.failed_refs = execution.failed_refs
        self.next_sequence, self.open = execution.next_sequence, execution.open
        self.last: Task | None = None
        self.commands: list[Command] = []
        self._work: deque[tuple[Callable[[Deciding, Task], None], Task]] = deque()
        self._latest: dict[str, Task] = {}
        self._changed: dict[str, Task] = {}
        self._new: dict[str, str] = {}
        # By ref, the ids of its attempts.
        self._forgotten: dict[str, tuple[str, ...]] = {}
        self._visits: Visits | None = None
        # By ref, what the tasks of a fork that is made at run time are given.
        self.given: dict[str, Json] = {}
        self._extra: dict[str, Step] = {}
        # Whether tasks have made steps: nearly none has, and each event asks for some steps.
        self._extended = bool(execution.extra)

    @property
    def visits(self) -> Visits:
        """What the paths of this decision, all together, may still look at."""
        if self._visits is None:
            self._visits = Visits()
        return self._visits

    @property
    def running(self) -> bool:
        return self.status is ExecutionStatus.RUNNING

    def latest(self, ref: str) -> Task | None:
        """The latest attempt of ``ref`` as it now stands."""
        task = self._latest.get(ref) or self.execution.tasks.get(ref)
        return None if self._forgotten and ref in self._forgotten else task

    def current(self, task_id: str) -> Task | None:
        """The attempt of that id, if it is the latest of its ref."""
        task = self.holder(task_id)
        return task if task is not None and task.id == task_id else None

    def holder(self, task_id: str) -> Task | None:
        """The latest attempt of the ref that the attempt of that id belongs to."""
        ref = self._new.get(task_id) or self.execution.refs.get(task_id)
        return None if ref is None else self.latest(ref)

    def tasks(self) -> Iterator[Task]:
        """The latest attempts of all refs: for what concerns the whole execution, not an event."""
        yield from self._latest.values()
        for ref, task in self.execution.tasks.items():
            if ref not in self._latest and ref not in self._forgotten:
                yield task

    def step(self, task: Task) -> Step:
        if not self._extended:
            return self.workflow.steps[task.step]
        return self.step_at(task.step, task.suffix)

    def step_at(self, ref: str, suffix: str) -> Step:
        """The step of that name, where its task has ``suffix``."""
        if self._extended:
            known = self.execution.extra
            step = found_in(self._extra, ref, suffix) or found_in(known, ref, suffix)
            if step is not None:
                return step
        return self.workflow.steps[ref]

    def extend(self, task: Task, given: Mapping[str, Json] | None = None) -> None:
        """``task`` has made steps: its memory says which.

        Args:
            given: By ref, their inputs.

        Raises:
            ValueError: They are none.
        """
        self._extra.update(steps_of(task, self.step(task)))
        self._extended = True
        for ref, value in (given or {}).items():
            self.given[ref + task.suffix] = value

    def put(self, task: Task) -> None:
        """``task`` as it now stands; a new attempt takes the place of the one before it."""
        self._latest[task.ref] = task
        self._changed[task.id] = task

    def add(self, task: Task) -> None:
        """A new attempt: one that takes the next sequence."""
        self._new[task.id] = task.ref
        self.next_sequence = task.sequence + 1
        self.put(task)

    def forget(self, refs: Iterable[str]) -> None:
        """Drops what is known of tasks that have ended, all their attempts."""
        execution = self.execution
        for ref in refs:
            task = self.latest(ref)
            if task is not None:
                self._forgotten[ref] = tuple(
                    attempt_ids(execution.id, execution.restarts, ref, task.attempt + 1)
                )
                self._latest.pop(ref, None)

    def later(self, action: Callable[[Deciding, Task], None], task: Task) -> None:
        """Does ``action`` once what is under way is done."""
        self._work.append((action, task))

    def work(self) -> None:
        """Does all that is still to do; with each task as it stands by then."""
        while self._work:
            action, task = self._work.popleft()
            current = self.latest(task.ref)
            if current is not None and current.id == task.id:
                action(self, current)

    def abandon(self, refs: Collection[str] | None = None) -> None:
        """Forgets what is still to do; with ``refs``, to the tasks of these."""
        kept = [each for each in self._work if refs is not None and each[1].ref not in refs]
        self._work = deque(kept)

    def set_timer(self, task_id: str, name: str, at: datetime) -> None:
        self.commands.append(SetTimer(TimerKey(task_id, name), at))

    def cancel_timer(self, task_id: str, name: str) -> None:
        self.commands.append(CancelTimer(TimerKey(task_id, name)))

    def decision(self) -> Decision:
        """What was decided."""
        execution = self._execution()
        rows: tuple[Task, ...] = tuple(self._changed.values())
        left: tuple[Task, ...] = ()
        if self._forgotten:
            left = tuple(row for row in rows if row.ref in self._forgotten)
            rows = tuple(row for row in rows if row.ref not in self._forgotten)
        if len(rows) > 1:
            rows = tuple(sorted(rows, key=_sequence))
        commands = self._standing_commands()
        forgotten = (*self.voided, *self._forgotten)
        return Decision(execution, rows, commands, self.dropped, forgotten, self.rewritten, left)

    def _execution(self) -> Execution:
        before = self.execution
        if not (
            self._changed
            or self.dropped
            or self.rewritten
            or self.status is not before.status
            or self.variables is not before.variables
        ):
            return before
        tasks = before.tasks
        if len(self._latest) == 1:
            tasks = tasks.set(*next(iter(self._latest.items())))
        elif self._latest:
            tasks = tasks.update(self._latest)
        refs = before.refs.update(self._new) if self._new else before.refs
        extra = before.extra.update(self._extra) if self._extra else before.extra
        if self._forgotten:
            tasks = _without(tasks, self._forgotten)
            refs = _without(refs, chain.from_iterable(self._forgotten.values()))
            extra = _without(extra, self._forgotten) if extra else extra
        return changed(
            before,
            tasks=tasks,
            refs=refs,
            extra=extra,
            status=self.status,
            variables=self.variables,
            output=self.output,
            reason=self.reason,
            ended_at=self.ended_at,
            last_retried_at=self.last_retried_at,
            failed_refs=self.failed_refs,
            next_sequence=self.next_sequence,
            open=self.open,
            updated_at=self.now,
        )

    def _standing_commands(self) -> tuple[Command, ...]:
        """The commands without those that later changes of this decision made void."""
        if not self.commands:
            return ()
        timers = {
            command.key: command
            for command in self.commands
            if isinstance(command, SetTimer | CancelTimer)
        }
        return tuple(command for command in self.commands if self._stands(command, timers))

    def _stands(self, command: Command, timers: Mapping[TimerKey, Command]) -> bool:
        if isinstance(command, SetTimer | CancelTimer):
            return timers[command.key] is command
        if isinstance(command, Perform):
            return self._changed[command.task_id].pending == command.number
        if isinstance(command, Judge) and not command.task_id:
            return True
        if isinstance(command, Compute | Judge | Lookup | Recall):
            return self._changed[command.task_id].computing == command.label
        return True


def _without(known: Map[str, _Value], names: Iterable[str]) -> Map[str, _Value]:
    mutation = known.mutate()
    for name in names:
        mutation.pop(name, None)
    return mutation.finish()


def _sequence(task: Task) -> int:
    return task.sequence
