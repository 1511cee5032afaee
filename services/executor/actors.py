"""Executions in memory: one actor for each that has something to do, and a few that had."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.auditing.calling import Calling
from services.errors import ServiceError
from services.executor.core.events import (
    ChildEnded,
    Event,
    Interrupted,
    Performed,
    Taken,
    TaskUpdated,
    TimerFired,
)
from services.executor.core.model import Execution
from services.executor.orders import Order
from services.executor.rows import Origin
from services.executor.snapshots import Snapshot

_MOST_RESTING = 1024
_MOST_RESTING_CHARS = 16 << 20


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an event, once it is stored.

    Attributes:
        before: The execution as it stood when the event came.
        refs: What a start waits for that attached by its idempotency key: what the first one with
            that key does. None: it is no such start.
        existing: The start began nothing: by the workflow's key it is the one that was there.
    """

    before: Execution
    after: Execution
    origin: Origin
    refs: tuple[str, ...] | None = None
    existing: bool = False


_JOINING = (Performed, TimerFired, Interrupted, ChildEnded)

Reply = Callable[[Told | ServiceError], None]


@dataclass(frozen=True, slots=True)
class Beginning:
    """A start, or one that found its execution to be there, or about to be.

    Attributes:
        reply: Told what became of the start, if it is needed.
    """

    order: Order
    reply: Reply


@dataclass(slots=True, eq=False)
class Letter:
    """An event for an execution.

    Attributes:
        event: None only asks how the execution stands.
        reply: Told what became of it. Without one nobody else would say it again: it is kept
            and tried again until it is stored.
        heard: Told what became of it where nobody waits: that it was refused, that there is no
            such execution, or how it stands. Never that it could not be stored just now.
        snapshot: Goes with an event that replaces the definitions.
        tries: How often it could not be stored, or no script worker had time for it.
        breakages: How often deciding or storing it broke, for no fault of the disk.
        start: Begins the execution, or would, should there be none of that id.
        more: Letters that are decided with it, one after another, and written in the same unit.
        alone: It was among several that could not be decided or stored together.
        note: The call that it came by, whose entry in the audit log is written with what it does.
    """

    event: Event | None
    reply: Reply | None = None
    snapshot: Snapshot | None = None
    tries: int = 0
    breakages: int = 0
    start: Beginning | None = None
    heard: Reply | None = None
    more: list[Letter] = field(default_factory=list)
    alone: bool = False
    note: Calling | None = None

    @property
    def joins(self) -> bool:
        """Whether it may be decided with another one.

        Nobody waits for what it alone does, and it is seldom refused: so with what workers take
        and say.
        """
        if self.alone:
            return False
        match self.event:
            case Taken() | TaskUpdated(by_worker=True):
                return True
            case event:
                return isinstance(event, _JOINING) and self.reply is None and self.heard is None

    @property
    def all(self) -> tuple[Letter, ...]:
        """It, and those that are decided with it."""
        return (self, *self.more) if self.more else (self,)

    @property
    def fired(self) -> Sequence[TimerFired]:
        """The timers that it tells of."""
        if not self.more:
            return (self.event,) if isinstance(self.event, TimerFired) else ()
        return [each.event for each in self.all if isinstance(each.event, TimerFired)]


@dataclass(slots=True, eq=False)
class Actor:
    """One execution and its mail; one unit of its work is in flight at a time.

    Attributes:
        execution: As it is stored; None: not loaded.
        busy: It is being loaded, decided or written.
        weight: Characters of its documents, roughly.
        large: It has a document that takes long to walk or to write.
        held: By idempotency key of what it would start, the execution that has it already;
            None: of none it is known.
        timed: It may have timers; False only for one that began here and never set any.
    """

    id: str
    execution: Execution | None = None
    origin: Origin = field(default_factory=Origin)
    snapshot: Snapshot | None = None
    mail: deque[Letter] = field(default_factory=deque)
    busy: bool = False
    weight: int = 0
    large: bool = False
    held: dict[bytes, str] | None = None
    timed: bool = True


class Actors:
    """All actors by execution; of those at rest only the last few are kept."""

    def __init__(self) -> None:
        self._all: dict[str, Actor] = {}
        self._resting: OrderedDict[str, Actor] = OrderedDict()
        self._resting_weight = 0

    def __len__(self) -> int:
        return len(self._all)

    @property
    def active(self) -> int:
        """How many have something to do."""
        return len(self._all) - len(self._resting)

    def get(self, execution_id: str) -> Actor | None:
        """The actor, if it is here."""
        return self._all.get(execution_id)

    def wake(self, execution_id: str) -> Actor:
        """The actor, which has something to do now; made if need be."""
        actor = self._all.get(execution_id)
        if actor is None:
            actor = self._all[execution_id] = Actor(execution_id)
        elif self._resting.pop(execution_id, None) is not None:
            self._resting_weight -= actor.weight
        return actor

    def rest(self, actor: Actor) -> None:
        """It has nothing to do for now; a second time changes nothing."""
        if self._all.get(actor.id) is not actor or actor.id in self._resting:
            return
        if actor.execution is None or actor.execution.status.final:
            del self._all[actor.id]
            return
        self._resting[actor.id] = actor
        self._resting_weight += actor.weight
        while len(self._resting) > _MOST_RESTING or self._resting_weight > _MOST_RESTING_CHARS:
            execution_id, oldest = self._resting.popitem(last=False)
            self._resting_weight -= oldest.weight
            del self._all[execution_id]
