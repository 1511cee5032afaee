"""What an execution asks of the shell, and the decision that asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.executor.core.events import Event, TimerKey
from services.executor.core.model import Execution, Json, Task
from services.executor.core.policy import Limits


@dataclass(frozen=True, slots=True)
class Compute:
    """Evaluate ``source`` with ``scope`` as ``$``; report :class:`Computed`.

    No outside effect: done within the unit, before anything is written.

    Attributes:
        language: ``javascript``, or ``jq``: then ``scope`` is its input, and all results a list.
    """

    task_id: str
    label: str
    source: str
    scope: Mapping[str, Json]
    language: str = "javascript"


@dataclass(frozen=True, slots=True)
class Judge:
    """Hold ``value`` against ``schema`` (JSON text); report :class:`Judged`, within the unit.

    Attributes:
        task_id: Empty: it is about the execution itself.
        then: Comes back with the verdict.
    """

    task_id: str
    label: str
    schema: str
    value: Json
    then: object = None


@dataclass(frozen=True, slots=True)
class Recall:
    """Look for an output that is kept under ``key``; report :class:`Recalled`, within the unit."""

    task_id: str
    label: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep ``output`` under ``key``, in the same transaction."""

    key: bytes
    output: Json
    until: datetime


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
        definition: The workflow document, where it is not one of the registry's.
        trusted: It stands in another definition: callers have no say in it, so it may name secrets.
        task_id: The task that waits for its end; empty: nobody does.
        depth: How many executions it stands below.
        task_to_domain: As of an execution.
        key: Of the workflow's starts with it one begins; empty: none.
        anew: Whoever has ended has the key no more.
        earlier: What earlier attempts of the task have started: those have the key no more.
    """

    id: str
    workflow: str
    version: int
    input: Mapping[str, Json]
    correlation_id: str = ""
    definition: Mapping[str, Json] | None = None
    trusted: bool = True
    task_id: str = ""
    depth: int = 0
    priority: int = 0
    task_to_domain: Mapping[str, str] | None = None
    key: str = ""
    anew: bool = False
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Definitions.

    Attributes:
        tasks: Names of task definitions.
        workflow: Of a workflow; empty: none is asked for, unless there is a ``definition``.
        version: 0 is the latest.
        definition: A workflow document to be looked at instead.
        trusted: As of :class:`StartExecution`.
        queues: Of which the one is looked for that has workers; else it is the last.
        key, earlier: As of :class:`StartExecution`; of the execution ``child``, which it is for.
    """

    tasks: tuple[str, ...] = ()
    workflow: str = ""
    version: int = 0
    definition: Mapping[str, Json] | None = None
    trusted: bool = True
    queues: tuple[str, ...] = ()
    key: str = ""
    child: str = ""
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """Look up definitions; report :class:`Computed`, at once.

    The value is ``{"tasks": {<name>: <document or null>}, "workflow": {"name", "version"}}``, with
    ``"held"``, the id of another execution that has the key; the error says why the workflow
    cannot be run. Of ``queues`` it is ``{"queue": <name>}``.
    """

    task_id: str
    label: str
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class TellExecution:
    """Let something happen to another execution, after the commit."""

    id: str
    event: Event
    task_id: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell event handlers, by a message that is stored in the same transaction.

    Attributes:
        id: Derived from the task: told twice it is told once.
        depth: How often events have led to events.
    """

    id: str
    event: str
    payload: Mapping[str, Json]
    depth: int


@dataclass(frozen=True, slots=True)
class Listen:
    """The task waits for what a webhook tells, and may be given what came before.

    Attributes:
        paths: JSON text of a list: where it looks.
        digest: Of what it wants there.
    """

    task_id: str
    webhook: str
    paths: str
    digest: str


@dataclass(frozen=True, slots=True)
class Offer:
    """The task waits in its queue for its turn; report :class:`Taken` when that comes.

    May be done within the unit: a worker that is free has the task with its own commit.
    """

    task_id: str
    queue: str
    name: str
    limits: Limits | None


@dataclass(frozen=True, slots=True)
class Count:
    """A task of that definition, whose rate is limited, has begun.

    Attributes:
        since: What began before is not counted any more.
    """

    task_id: str
    name: str
    at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Log:
    """Lines for the log of a task.

    Attributes:
        number: That of the first line; None: the task has ended, and they come after all that
            are there, as far as there is room.
    """

    task_id: str
    number: int | None
    lines: tuple[tuple[datetime, str], ...]


@dataclass(frozen=True, slots=True)
class FollowExecution:
    """Report :class:`ChildEnded` once an execution has ended that others have started."""

    id: str
    task_id: str


Command = (
    Compute
    | Judge
    | Recall
    | Keep
    | Perform
    | SetTimer
    | CancelTimer
    | StartExecution
    | Lookup
    | TellExecution
    | Offer
    | Count
    | Log
    | FollowExecution
    | Publish
    | Listen
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The execution as it now stands, which attempts changed, and what is to be done.

    Attributes:
        changed: Every attempt that is new or differs, each once, in order of sequence. An attempt
            that a retry replaced is among them only if it changed itself.
        forgotten: Refs whose attempts are void, all of them (a loop's older rounds).
        dropped: The execution's earlier attempts are void (a restart): their rows go.
        rewritten: What else never changes of an execution has: its number of restarts (a rerun).
        left: Attempts that have changed, and are void by now.
    """

    execution: Execution
    changed: tuple[Task, ...] = ()
    commands: tuple[Command, ...] = ()
    dropped: bool = False
    forgotten: tuple[str, ...] = ()
    rewritten: bool = False
    left: tuple[Task, ...] = ()
