"""What happens to an execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from services.executor.core.model import ExecutionStatus, Json, TaskStatus

if TYPE_CHECKING:
    from services.executor.core.workflow import Workflow


@dataclass(frozen=True, slots=True)
class Started:
    """The execution was asked for.

    Attributes:
        admitted: It has a slot among those of its workflow; without, where that has a limit, it
            does not begin.
    """

    admitted: bool = False


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
class Judged:
    """A :class:`Judge` has ended.

    Attributes:
        faults: Pointer and detail of each; empty: the value keeps to the schema.
        then: As it was given.
    """

    task_id: str
    label: str
    faults: tuple[tuple[str, str], ...] = ()
    then: object = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """A :class:`Recall` has ended; ``output`` None: nothing is kept."""

    task_id: str
    label: str
    output: Json = None


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
        ref: Its latest attempt is meant; without the suffix of a loop the first one of any round
            that is open. Ignored where ``task_id`` is given.
        task_id: The attempt, where the word is about one (a callback).
        status: IN_PROGRESS, COMPLETED, FAILED, FAILED_WITH_TERMINAL_ERROR or CANCELED.
        output: An object merges into the task's output; anything else goes under ``body``.
        exact: A repeat must have the same output, too, to be a repeat (a callback).
        by_worker: It is the word of ``worker_id``, which must have the task.
        back_after: Of a worker that is IN_PROGRESS: the task goes back to its queue after so long;
            None: the worker keeps it.
        logs: Lines for the task's log, with when they were written.
        lenient: Of a worker's: taken as Conductor takes it. It need not say who it is; once the
            task is given back it may be anybody; and of what has ended it changes nothing but the
            log.
        word_id: Of one that gives the task back and may be said again: the second time it does not
            take away what was given to somebody since. Empty: it is said once.
    """

    status: TaskStatus
    output: Json = None
    ref: str = ""
    task_id: str = ""
    reason: str = ""
    worker_id: str = ""
    exact: bool = False
    by_worker: bool = False
    back_after: timedelta | None = None
    logs: tuple[tuple[datetime, str], ...] = ()
    lenient: bool = False
    word_id: str = ""


@dataclass(frozen=True, slots=True)
class Paused:
    """No new task is to start."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Go on after a pause."""


@dataclass(frozen=True, slots=True)
class Terminated:
    """End it now.

    Attributes:
        by_parent: What it is a part of has ended: an end of its own stays as it is.
        tells: The ``failureWorkflow`` is started, as if it had failed.
    """

    reason: str = ""
    by_parent: bool = False
    tells: bool = False


@dataclass(frozen=True, slots=True)
class Retried:
    """Run the failed tasks again and go on from there.

    Attributes:
        resume: Sub-workflows that failed are retried themselves, instead of begun anew.
        by_parent: It is such a retry: the parent knows of it.
        word: What the parent knows it by; empty: nothing.
    """

    resume: bool = False
    by_parent: bool = False
    word: str = ""


@dataclass(frozen=True, slots=True)
class Restarted:
    """Run it again from its beginning.

    Attributes:
        workflow: Replaces the definition; so do ``input`` and ``correlation_id`` what it had. None:
            it stays as it is.
    """

    workflow: Workflow | None = None
    input: Mapping[str, Json] | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rerun:
    """Run it again from one of its tasks, which begins anew, as does all that is behind it.

    Attributes:
        ref: Names the task; ignored where ``task_id`` is given, which may be of any attempt.
        input: Takes the place of what the task would be given by its definition.
    """

    ref: str = ""
    task_id: str = ""
    input: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A task that is not reached yet is not to be done: what is behind it goes on at once."""

    ref: str
    input: Mapping[str, Json] | None = None
    output: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class VariablesSet:
    """Variables of the whole get other values."""

    variables: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class CallbacksReset:
    """What waits for its time to begin begins now."""


@dataclass(frozen=True, slots=True)
class ChildEnded:
    """The execution that a task has started, and waits for, has ended.

    Attributes:
        child: Names it: ``<workflow>.<version>/<id>.<status>``.
        run: Tells this end of it from those before; empty: it has one only.
    """

    task_id: str
    child: str
    status: ExecutionStatus
    output: Json = None
    reason: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class ChildReopened:
    """The execution that a task has started had ended badly, and runs again."""

    task_id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """It is the turn of a task that waits for one: a worker has it, or its definition has room.

    Attributes:
        worker_id: Empty where no worker does it.
        carrier: The edge over whose stream the worker is given it; empty: over none.
    """

    task_id: str
    worker_id: str = ""
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class LetGo:
    """The worker that has a task does not do it; another one may have it at once.

    Attributes:
        poll_count: Which time that it was given is meant, for it may have been given to the same
            worker anew; 0: any.
    """

    task_id: str
    worker_id: str
    poll_count: int = 0


Event = (
    Started
    | Performed
    | Interrupted
    | Computed
    | Judged
    | Recalled
    | TimerFired
    | TaskUpdated
    | Paused
    | Resumed
    | Terminated
    | Retried
    | Restarted
    | Rerun
    | Skipped
    | VariablesSet
    | CallbacksReset
    | ChildEnded
    | ChildReopened
    | Taken
    | LetGo
)
