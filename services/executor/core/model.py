"""An execution and its tasks, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from immutables import Map

if TYPE_CHECKING:
    from services.executor.core.workflow import Step, Workflow

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
        queue: Where it waits, or has waited, for its turn (:mod:`turns`); empty: it needs none.
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
    queue: str = ""

    @property
    def suffix(self) -> str:
        """What its ref has beyond the definition's: ``__2`` in the second round of a loop."""
        return self.ref[len(self.step) :]


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
        depth: How many executions it stands below: that of its parent, and so on.
        task_to_domain: By type, or ``*`` for all, the domains whose workers have its tasks, after
            commas.
        failed_refs: The refs whose failure ended it.
        refs: By the id of an attempt, its ref. Not stored: whoever reads the execution from a
            store derives it (:func:`identity.refs_of`), once.
        extra: By ref, the steps that tasks have made (:mod:`spawning`); not stored either.
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
    depth: int = 0
    task_to_domain: Mapping[str, str] = field(default_factory=dict)
    refs: Map[str, str] = field(default_factory=Map, compare=False, repr=False)
    extra: Map[str, Step] = field(default_factory=Map, compare=False, repr=False)


class Refused(Exception):
    """The event asks for what the execution, as it stands, does not allow. Nothing changes.

    Attributes:
        missing: There is no such task (else: not in this state).
    """

    def __init__(self, detail: str, *, missing: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.missing = missing
