"""What a task kind is: a few functions of what stands, each saying what follows.

A kind is one file and one name in :data:`services.executor.kinds.KINDS`. It never sees a clock, an
id or another task's row: a :class:`View` has all that it may know, and :class:`Waiting` or
:class:`Finished` is all that it can ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from services.executor.core import reasons
from services.executor.core.commands import Command, Wanted
from services.executor.core.events import ChildEnded, TaskUpdated
from services.executor.core.expressions import resolved
from services.executor.core.identity import idempotency_key
from services.executor.core.inputs import resolved_input
from services.executor.core.model import Execution, ExecutionStatus, Json, Task, TaskStatus
from services.executor.core.scope import ExecutionScope

if TYPE_CHECKING:
    from services.executor.core.deciding import Deciding
    from services.executor.core.workflow import Step


class _Kept:
    """Says that a value stays as it is, where None is a value."""


KEPT = _Kept()


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to be done outside; ends with :meth:`Kind.performed`."""

    name: str
    request: object


@dataclass(frozen=True, slots=True)
class Script:
    """JavaScript to be evaluated, or jq; ends with :meth:`Kind.computed`.

    Attributes:
        language: Of ``jq`` the value is the list of all results.
    """

    label: str
    source: str
    scope: Mapping[str, Json]
    language: str = "javascript"


@dataclass(frozen=True, slots=True)
class Look:
    """Definitions to be looked up; ends with :meth:`Kind.computed`, as :class:`Lookup` says."""

    label: str
    wanted: Wanted


# Tuples, these two: each event makes some, and a frozen dataclass takes five times as long.
class Waiting(NamedTuple):
    """The task stays open.

    Attributes:
        timers: Those to be set, by name; :meth:`Kind.fired` gets the name. ``response`` is the
            core's: it ends with the effect under way, and times the task out.
        next_at: When it will next act, if that is known.
        enter: The blocks that begin now; :meth:`Kind.joined` is called once all have ended.
        round: Of a loop: the iteration in which ``enter`` is entered; 0: it is no loop.
        forget: Of a loop: the number of the round whose tasks are dropped; 0: of none.
        awaits: The refs whose end it waits for; ``joined`` is called once all have ended. They
            must name it in their step's ``joined_by``. None: it waits for none.
        goes_on: The effect that is under way still is; else its end is no longer waited for.
        queue: Where it waits, SCHEDULED, for a worker to have it (:class:`events.Taken`).
    """

    output: Json | _Kept = KEPT
    memory: Mapping[str, Json] | None = None
    poll_count: int | None = None
    perform: Effect | None = None
    compute: Script | None = None
    look: Look | None = None
    timers: tuple[tuple[str, datetime], ...] = ()
    next_at: datetime | None = None
    enter: tuple[str, ...] = ()
    round: int = 0
    forget: int = 0
    awaits: tuple[str, ...] | None = None
    commands: tuple[Command, ...] = ()
    goes_on: bool = False
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """The whole execution ends with the task.

    Attributes:
        output: The execution's; None: by the definition's rule.
    """

    status: ExecutionStatus
    reason: str
    output: dict[str, Json] | None = None


class Finished(NamedTuple):
    """The attempt has ended.

    Attributes:
        unknown: The remote may have acted and did not say: a retry is the same call again.
        retry_after: A retry waits at least so long.
        variables: Set for the execution.
        enter: The blocks that begin now.
        detached: The task's successor does not wait for those blocks.
        input: Replaces the task's input (a SWITCH notes its case there).
        given: By ref, the inputs of the tasks that ``memory`` says it has made.
    """

    status: TaskStatus = TaskStatus.COMPLETED
    output: Json | _Kept = KEPT
    reason: str = ""
    memory: Mapping[str, Json] | None = None
    poll_count: int | None = None
    unknown: bool = False
    retry_after: timedelta | None = None
    variables: Mapping[str, Json] | None = None
    enter: tuple[str, ...] = ()
    detached: bool = False
    ends: Ending | None = None
    input: Json | _Kept = KEPT
    given: Mapping[str, Json] | None = None
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Becomes:
    """The task goes on as one of another kind; it begins as that, with its input resolved anew.

    Attributes:
        document: As if it stood in the definition.
        definition: Its task definition.
    """

    kind: str
    name: str
    document: Mapping[str, Json]
    definition: Json


Next = Waiting | Finished | Becomes


def unusable(reason: str, output: Json | _Kept = KEPT) -> Finished:
    """The end of an attempt that no repetition can help."""
    return Finished(TaskStatus.FAILED_WITH_TERMINAL_ERROR, output=output, reason=reason)


class View:
    """What a kind may know: its task, its step, the moment, and what expressions name."""

    __slots__ = ("_deciding", "now", "step", "task")

    def __init__(self, deciding: Deciding, task: Task, step: Step) -> None:
        self._deciding = deciding
        self.task = task
        self.step = step
        self.now: datetime = deciding.now

    @property
    def input(self) -> dict[str, Json]:
        return self.task.input if isinstance(self.task.input, dict) else {}

    @property
    def execution(self) -> Execution:
        """As it stood before; what this decision changes of the whole is not in it."""
        return self._deciding.execution

    @property
    def ending_reason(self) -> str:
        """Why the execution ends, while it does; else why the task is cancelled."""
        return self._deciding.reason if self._deciding.status.final else self.task.reason

    def said(self, reason: str) -> str:
        """``reason`` as it is kept."""
        return reasons.kept(self._deciding, reason, self.task)

    @property
    def variables(self) -> Mapping[str, Json]:
        return self._deciding.variables

    @property
    def execution_id(self) -> str:
        return self._deciding.execution.id

    @property
    def input_now(self) -> dict[str, Json]:
        """Its input, resolved anew: with what has happened since it began."""
        value = resolved_input(self._deciding, self.task, self.step)
        return value if isinstance(value, dict) else {}

    @property
    def steps(self) -> Mapping[str, Step]:
        return self._deciding.workflow.steps

    def step_at(self, ref: str, suffix: str) -> Step:
        return self._deciding.step_at(ref, suffix)

    def step_of(self, task: Task) -> Step:
        return self._deciding.step(task)

    def is_taken(self, ref: str) -> bool:
        """Whether a task has that name."""
        return self._deciding.latest(ref) is not None

    def latest(self, ref: str) -> Task | None:
        """The latest attempt of a task; in the round of a loop with its suffix."""
        return self._deciding.latest(ref)

    @property
    def scope(self) -> ExecutionScope:
        return ExecutionScope(self._deciding, self.task)

    def resolve(self, value: Json) -> Json:
        """``value`` with its expressions resolved; raises :class:`jsonpath.TooCostly`."""
        return resolved(value, self.scope)

    @property
    def in_first_call(self) -> bool:
        """Whether the call under way is the attempt's first: the one that a retry would repeat."""
        return bool(self.task.pending) and self.task.poll_count == 0

    def key(self, poll: int = 0) -> str:
        """The idempotency key of a call that is made now."""
        task, execution = self.task, self._deciding.execution
        return idempotency_key(
            execution.id, execution.restarts, task.ref, task.iteration, task.generation, poll
        )


class Kind:
    """A task kind; its defaults are those of one that ends at once.

    Attributes:
        retried: Whether the policy's retries apply to it.
        reopened: An operator's retry opens it again as it stands (it holds others together)
            instead of making a new attempt.
        fails_with_its_tasks: The failure of a task in its blocks is its own: where it is optional
            or permissive, the rest of its blocks is cancelled and the flow goes on behind it.
        by_workers: A worker does it, once it has it; its time begins then.
    """

    retried = True
    reopened = False
    fails_with_its_tasks = False
    by_workers = False

    def begin(self, view: View) -> Next:
        """Its input is resolved and it is its turn."""
        raise NotImplementedError

    def performed(self, view: View, outcome: object) -> Next:
        """The effect that it asked for has ended."""
        raise NotImplementedError

    def computed(self, view: View, label: str, value: Json, error: str | None) -> Next:
        """The script that it asked for has ended: with ``value``, or with ``error``."""
        raise NotImplementedError

    def fired(self, view: View, timer: str) -> Next:
        """A timer that it set came due."""
        raise NotImplementedError

    def joined(self, view: View) -> Next:
        """All blocks that it entered, or all tasks that it awaits, have ended."""
        raise NotImplementedError

    def interrupted(self, view: View) -> Next:
        """The process died during its effect, whose outcome is unknown."""
        return self.begin(view)

    def timed_out(self, view: View, reason: str) -> Finished:
        """Its time, or that of the call under way, is up."""
        # A call under way may have been acted on; between polls every call was answered.
        return Finished(TaskStatus.TIMED_OUT, reason=reason, unknown=view.in_first_call)

    def updated(self, view: View, update: TaskUpdated) -> Next:
        """Somebody outside ended it; ``view.task.output`` has their output merged in already."""
        return Finished(update.status, reason=update.reason)

    def child_ended(self, view: View, child: ChildEnded) -> Next:
        """The execution that it has started has ended."""
        raise NotImplementedError

    def resumed(self, view: View) -> Waiting | None:
        """It failed, and an operator wants what it has started retried; None: it itself is."""
        return None

    def rewound(self, view: View, number: int) -> Json:
        """Of a loop: its output, now that it is to go on from that round again."""
        return view.task.output

    def cancelled(self, view: View) -> tuple[Command, ...]:
        """What is to be done because the execution ended before it."""
        return ()
