"""An execution and its tasks, what happens to them (events), what they ask for (commands)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from immutables import Map

if TYPE_CHECKING:
    from services.executor.core.workflow import Workflow

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class ExecutionStatus(StrEnum):
    """Where an execution stands; the words are Conductor's."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    TERMINATED = "TERMINATED"

    @property
    def final(self) -> bool:
        return self not in _OPEN_EXECUTION


_OPEN_EXECUTION = frozenset((ExecutionStatus.RUNNING, ExecutionStatus.PAUSED))


class TaskStatus(StrEnum):
    """Where a task stands; the words are Conductor's."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    FAILED_WITH_TERMINAL_ERROR = "FAILED_WITH_TERMINAL_ERROR"
    CANCELED = "CANCELED"

    @property
    def final(self) -> bool:
        return self not in _OPEN_TASK

    @property
    def successful(self) -> bool:
        return self in _SUCCESSFUL

    @property
    def retriable(self) -> bool:
        return self in _RETRIABLE


_OPEN_TASK = frozenset((TaskStatus.SCHEDULED, TaskStatus.IN_PROGRESS))
_SUCCESSFUL = frozenset(
    (TaskStatus.COMPLETED, TaskStatus.COMPLETED_WITH_ERRORS, TaskStatus.SKIPPED)
)
_RETRIABLE = frozenset((TaskStatus.FAILED, TaskStatus.TIMED_OUT))


# Without slots: a copy is then one dict's copy (see copies.py), a tenth of dataclasses.replace.
@dataclass(frozen=True)
class Task:
    """One attempt of one step of one execution: a row.

    Attributes:
        id: Unique among all attempts; shaped as a UUID, derived from the execution's id, its
            restarts, the ref and the attempt.
        ref: The step's reference name; in a loop with Conductor's suffix ``__<iteration>``.
        step: The reference name as the definition has it.
        kind: A key of :data:`services.executor.kinds.KINDS`.
        name: The task definition's name.
        sequence: Orders the attempts of an execution, from 1.
        attempt: Counts retries, from 0 (Conductor's ``retryCount``).
        generation: Part of the idempotency key; rises where a call is a new one to the remote.
        input: Resolved, but for secrets and what is put in at hand-off.
        pending: Number of the effect that is under way outside; 0 for none. It is what a
            recovery reports as interrupted.
        callback_after: The delay before it is next acted on, as Conductor shows it.
        next_at: When it will next be acted on, where that is known.
        memory: The kind's own notes, JSON; e.g. the last polls.
        open: How many of its blocks or joined tasks have not ended.
        retried_id: The attempt that this one repeats.
        parent: The ref of the task in whose block it stands; empty at the top.
        round: Of a loop: the iteration that it is in.
        performs: How many effects it has asked for; numbers them.
        computing: The label of the :class:`Compute` under way; never set in what is committed.
        timers: The names of its timers that are set.
        held: What follows from it waits for the execution to be resumed.
    """

    id: str
    ref: str
    step: str
    kind: str
    name: str
    sequence: int
    status: TaskStatus
    scheduled_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0
    iteration: int = 0
    generation: int = 0
    input: Json = None
    output: Json = None
    reason: str = ""
    poll_count: int = 0
    pending: int = 0
    callback_after: timedelta = timedelta()
    next_at: datetime | None = None
    memory: Mapping[str, Json] = field(default_factory=dict)
    open: int = 0
    retried_id: str = ""
    worker_id: str = ""
    first_scheduled_at: datetime | None = None
    parent: str = ""
    round: int = 0
    performs: int = 0
    computing: str = ""
    timers: tuple[str, ...] = ()
    held: bool = False


@dataclass(frozen=True)
class Execution:
    """One run of a workflow.

    Attributes:
        tasks: The latest attempt of every ref that was reached. Persistent: a changed copy costs
            the change, not the size.
        restarts: How often it was restarted; part of its tasks' ids.
        next_sequence: That of the next attempt.
        open: How many ways lead through the top of the workflow (counts.py); with none it ends.
        last_retried_at: When its timeout clock was last set back (resume, retry).
        failed_refs: The refs whose failure ended it.
        refs: By the id of an attempt, its ref. Not stored: whoever reads the execution from a
            store derives it (:func:`identity.refs_of`), once.
    """

    id: str
    workflow: Workflow
    input: Mapping[str, Json]
    created_at: datetime
    updated_at: datetime
    status: ExecutionStatus = ExecutionStatus.RUNNING
    tasks: Map[str, Task] = field(default_factory=Map)
    variables: Mapping[str, Json] = field(default_factory=dict)
    output: Json = None
    reason: str = ""
    ended_at: datetime | None = None
    last_retried_at: datetime | None = None
    restarts: int = 0
    next_sequence: int = 1
    open: int = 0
    correlation_id: str = ""
    failed_refs: tuple[str, ...] = ()
    priority: int = 0
    parent_id: str = ""
    parent_task_id: str = ""
    refs: Map[str, str] = field(default_factory=Map, compare=False, repr=False)


# Events: what has happened.


@dataclass(frozen=True, slots=True)
class Started:
    """The execution was asked for."""


@dataclass(frozen=True, slots=True)
class Performed:
    """A :class:`Perform` has ended.

    Attributes:
        number: That of the :class:`Perform`; one that is not the task's ``pending`` is stale and
            changes nothing.
        outcome: A value of the type that the task's kind and its effect agree on.
    """

    task_id: str
    number: int
    outcome: object


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The process died while the task's effect was under way; its outcome is unknown.

    Attributes:
        number: That of the effect, as with :class:`Performed`.
    """

    task_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Computed:
    """A :class:`Compute` has ended: with ``value``, or with ``error`` (a sentence)."""

    task_id: str
    label: str
    value: Json = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TimerKey:
    """Names a timer: an attempt's, or with an empty ``task_id`` the execution's own."""

    task_id: str
    name: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A :class:`SetTimer` came due. One that is no longer set changes nothing."""

    key: TimerKey


@dataclass(frozen=True, slots=True)
class TaskUpdated:
    """Somebody outside said how a task stands.

    Attributes:
        ref: Its latest attempt is meant; ignored where ``task_id`` is given.
        task_id: The attempt, where the word is about one (a callback).
        status: IN_PROGRESS, COMPLETED, FAILED or FAILED_WITH_TERMINAL_ERROR.
        output: An object merges into the task's output; anything else goes under ``body``.
        exact: A repeat must have the same output, too, to be a repeat (a callback).
    """

    status: TaskStatus
    output: Json = None
    ref: str = ""
    task_id: str = ""
    reason: str = ""
    worker_id: str = ""
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Paused:
    """No new task is to start."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Go on after a pause."""


@dataclass(frozen=True, slots=True)
class Terminated:
    """End it now."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Retried:
    """Run the failed tasks again and go on from there."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """Run it again from its beginning; ``workflow`` replaces the definition where given."""

    workflow: Workflow | None = None


Event = (
    Started
    | Performed
    | Interrupted
    | Computed
    | TimerFired
    | TaskUpdated
    | Paused
    | Resumed
    | Terminated
    | Retried
    | Restarted
)


# Commands: what the shell is to do.


@dataclass(frozen=True, slots=True)
class Compute:
    """Evaluate ``source`` (JavaScript) with ``scope`` as ``$``; report :class:`Computed`.

    No outside effect: done within the unit, before anything is written.
    """

    task_id: str
    label: str
    source: str
    scope: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Perform:
    """Do something outside, after the commit; report :class:`Performed` with ``number``.

    Attributes:
        effect: A key of the effects' table, e.g. ``http``.
        request: A value of the type that the kind and the effect agree on.
    """

    task_id: str
    number: int
    effect: str
    request: object


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Report :class:`TimerFired` at ``at`` (aware, UTC); replaces one of the same key."""

    key: TimerKey
    at: datetime


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer, if it is set."""

    key: TimerKey


@dataclass(frozen=True, slots=True)
class StartExecution:
    """Start another workflow, in the same transaction.

    Attributes:
        id: Derived from this execution, so that deciding again names the same one.
        version: 0 means the latest.
    """

    id: str
    workflow: str
    version: int
    input: Mapping[str, Json]
    correlation_id: str = ""


Command = Compute | Perform | SetTimer | CancelTimer | StartExecution


@dataclass(frozen=True, slots=True)
class Decision:
    """The execution as it now stands, which attempts changed, and what is to be done.

    Attributes:
        changed: Every attempt that is new or differs, each once, in order of sequence. An attempt
            that a retry replaced is among them only if it changed itself.
        dropped: The execution's earlier attempts are void (a restart): their rows go.
    """

    execution: Execution
    changed: tuple[Task, ...] = ()
    commands: tuple[Command, ...] = ()
    dropped: bool = False


class Refused(Exception):
    """The event asks for what the execution, as it stands, does not allow. Nothing changes.

    Attributes:
        missing: There is no such task (else: not in this state).
    """

    def __init__(self, detail: str, *, missing: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.missing = missing
