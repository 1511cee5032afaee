"""Events go to executions, to each one at a time; what they change is written, then done."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from services.auditing.calling import Calling
from services.errors import ConcurrencyLimited, NotFound
from services.executor import loading, queries
from services.executor.actors import Actor, Actors, Beginning, Letter, Reply, Told
from services.executor.answers import answer, attaching, joining
from services.executor.carried import Carried
from services.executor.commits import Child, begun, unit_of
from services.executor.computing import Computing
from services.executor.core.events import (
    Event,
    Interrupted,
    Started,
    TimerFired,
    TimerKey,
)
from services.executor.core.kind import Kind
from services.executor.core.model import Execution, Json
from services.executor.crowds import Crowds
from services.executor.definitions import Definitions
from services.executor.documents import value_of
from services.executor.kin import Kin
from services.executor.loads import Found, Loads
from services.executor.orders import Order
from services.executor.queues import Queues
from services.executor.rows import Row, micros
from services.executor.setbacks import Setbacks
from services.executor.snapshots import Snapshot, Snapshots
from services.executor.store import Store
from services.executor.timers import Timers, now as utc_now
from services.executor.unfolding import Unfolded, brings_much
from services.executor.units import Unit
from services.executor.waking import Waking
from services.javascript import Scripts
from services.judging import Judges
from services.tracing import Trace

logger = logging.getLogger(__name__)

# Of one execution, decided and written together: a unit keeps others waiting.
_MOST_TOGETHER = 255

Committed = Callable[[Actor, Letter, Unfolded, Unit], None]
TimerRows = Callable[[sqlite3.Connection, int, int], Sequence[Row]]


class Engine:
    """Runs executions.

    Args:
        committed: Called after each commit, before callers are told.
        crowds: By key, how many executions hold a slot among those of their workflow.
    """

    def __init__(
        self,
        store: Store,
        snapshots: Snapshots,
        kinds: Mapping[str, Kind],
        scripts: Scripts,
        judges: Judges,
        tasks: asyncio.TaskGroup,
        committed: Committed,
        *,
        now: Callable[[], datetime] = utc_now,
        crowds: Mapping[bytes, int] | None = None,
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._kinds = kinds
        self._committed = committed
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._actors = Actors()
        self._waking = Waking(self.is_known, self._deliver)
        self.kin = Kin(self._waking.send)
        self.crowds = Crowds(crowds or {}, self.begin)
        self.queues = Queues(self._loop, self._waking.send)
        self.carried = Carried()
        made_of = (tasks, scripts, judges, kinds, self.queues, now)
        self._computing = Computing(*made_of, self._kept, self._waking.make_way)
        # How many events were decided on so far.
        self.decisions = 0
        self._loads = Loads(store.loaders, snapshots, self._loaded)
        self._setbacks = Setbacks(self._loop, self._deliver)
        # Called whenever an execution has nothing more to do.
        self.rested: Callable[[], None] | None = None
        # Reads timers that are due.
        self.timer_rows: TimerRows = loading.timers
        self.timers = Timers(self._loop, self._read_timers, self._due)

    @property
    def active(self) -> int:
        """How many executions have something to do this moment."""
        return self._actors.active

    def close(self) -> None:
        """Fire no timer and compute nothing more; of what was being computed nothing is stored.

        Whoever asked is told; the store says what else was under way, and the next start goes on.
        """
        self.timers.close()
        self.queues.close()
        self._computing.close()

    # Events.

    def start(self, order: Order, reply: Reply) -> None:
        """Begin an execution, or attach to the one that has its id, workflow and fingerprint.

        So with the one whose start had the same idempotency key. ``reply`` is told AlreadyExists,
        or KeyReused, where one of the latter is another one, or no fingerprint says that it is
        the same start.
        """
        execution_id = order.execution.id
        known = self._actors.get(execution_id) is not None
        actor = self._actors.wake(execution_id)
        if known:
            self._put(actor, Letter(None, attaching(order, reply), start=Beginning(order, reply)))
            return
        self._begin(actor, Beginning(order, reply))
        self._go_on(actor)

    def _begin(self, actor: Actor, start: Beginning) -> None:
        order = start.order
        actor.origin, actor.snapshot = order.origin, order.snapshot
        unfolded = self._unfolding(actor, order.execution)
        unfolded.refuses = True
        self._decide(actor, Letter(Started(), start.reply, start=start), unfolded)

    def tell(
        self,
        execution_id: str,
        event: Event | None,
        reply: Reply | None = None,
        snapshot: Snapshot | None = None,
        note: Calling | None = None,
    ) -> None:
        """Something has happened to an execution; None only asks how it stands.

        Args:
            note: The call that says so, whose entry in the audit log is stored with it.
        """
        self._put(self._actors.wake(execution_id), Letter(event, reply, snapshot, note=note))

    def begin(self, execution_id: str) -> None:
        """An execution is stored that has not begun: it does."""
        self._waking.send(execution_id, Letter(Started()))

    def trace(self, execution_id: str) -> Trace | None:
        """The trace of an execution that is in memory."""
        actor = self._actors.get(execution_id)
        return actor.origin.trace if actor is not None else None

    def is_known(self, execution_id: str) -> bool:
        """Whether the execution is in memory."""
        return self._actors.get(execution_id) is not None

    def recover(
        self, interrupted: Iterable[tuple[str, str, int]], not_begun: Iterable[str]
    ) -> None:
        """Go on with what the process before this one left half-done.

        Read it before anything else happens: later, what this process does looks the same.

        Args:
            interrupted: (execution id, task id, call number) of effects that were under way.
            not_begun: Executions that another one has started.
        """
        for execution_id, task_id, number in interrupted:
            self._waking.send(execution_id, Letter(Interrupted(task_id, number)))
        for execution_id in not_begun:
            self.begin(execution_id)

    def _due(self, execution_id: str, key: TimerKey) -> None:
        self._waking.send(execution_id, Letter(TimerFired(key)))

    def _deliver(self, execution_id: str, letter: Letter) -> None:
        self._put(self._actors.wake(execution_id), letter)

    async def _read_timers(self, until: int, limit: int) -> Sequence[Row]:
        return await self._store.loaders.read(self.timer_rows, until, limit)

    async def _kept(self, key: bytes) -> Json:
        text = await self._store.loaders.read(queries.kept_output, key, micros(self._now()))
        return value_of(text) if text is not None else None

    # One execution.

    def _put(self, actor: Actor, letter: Letter) -> None:
        actor.mail.append(letter)
        if not actor.busy:
            self._go_on(actor)

    def _go_on(self, actor: Actor) -> None:
        """Work on the mail until something has to be waited for."""
        while actor.mail and not actor.busy:
            if actor.execution is None:
                actor.busy = True
                self._loads.want(actor)
                return
            letter = actor.mail.popleft()
            if letter.event is None:
                answer(letter, Told(actor.execution, actor.execution, actor.origin))
            else:
                self._decide(actor, letter, self._unfolding(actor, actor.execution))
        if not actor.busy:
            self._actors.rest(actor)
            self._waking.make_way(actor.id)
            if self.rested is not None:
                self.rested()

    def _loaded(self, actor: Actor, loaded: Found) -> None:
        actor.busy = False
        if isinstance(loaded, loading.Loaded):
            actor.execution, actor.origin = loaded.execution, loaded.origin
            actor.snapshot, actor.weight, actor.timed = loaded.snapshot, loaded.weight, True
            actor.large = loaded.large
        elif loaded is None:
            self._unknown(actor)
        else:
            self._setbacks.unreadable(actor, loaded)
        self._go_on(actor)

    def _unknown(self, actor: Actor) -> None:
        missing = NotFound(f"There is no execution {actor.id!r}.", execution_id=actor.id)
        self.crowds.let_go(actor.id)
        while actor.mail and not actor.busy:
            letter = actor.mail.popleft()
            if letter.start is not None:
                self._begin(actor, letter.start)
                continue
            if isinstance(letter.event, TimerFired):
                self.timers.disarm(actor.id, letter.event.key)
            answer(letter, missing)

    def _unfolding(self, actor: Actor, execution: Execution) -> Unfolded:
        choose = self.queues.choose
        definitions = Definitions(self._snapshots, actor.snapshot, choose, actor.held)
        return Unfolded(execution, definitions)

    def _decide(self, actor: Actor, letter: Letter, unfolded: Unfolded) -> None:
        if letter.event is None:
            return
        if actor.mail and letter.start is None and not letter.alone:
            self._join(actor, letter)
        self.decisions += 1 + len(letter.more)
        events = [each.event for each in letter.all if each.event is not None]
        if unfolded.before.workflow.rate_limit is not None:
            try:
                is_start = letter.start is not None
                events = [self.crowds.admitted(each, unfolded.before, is_start) for each in events]
            except ConcurrencyLimited as full:
                answer(letter, full)
                return
        if actor.large or any(brings_much(each, unfolded.execution) for each in events):
            unfolded.is_large()
            self._take_time(actor, letter, unfolded, events)
            return
        try:
            for event in events:
                unfolded.decide(event, self._kinds, self._now())
            if unfolded.offers:
                self.queues.hand_out(unfolded, self._kinds, self._now())
            children = () if unfolded.computes else begun(actor, unfolded, self._now())
        except Exception as error:  # noqa: BLE001
            self._not_decided(actor, letter, unfolded, error)
            return
        if unfolded.computes:
            self._waking.make_way(actor.id)
            self._take_time(actor, letter, unfolded)
        else:
            self._submit(actor, letter, unfolded, children)

    def _join(self, actor: Actor, letter: Letter) -> None:
        """What has come meanwhile is decided with ``letter``: a commit a letter is slow to many."""
        while actor.mail and actor.mail[0].joins and len(letter.more) < _MOST_TOGETHER:
            letter.more.append(actor.mail.popleft())

    def _take_time(
        self, actor: Actor, letter: Letter, unfolded: Unfolded, events: Sequence[Event] = ()
    ) -> None:
        def settled(came: Sequence[Child] | Exception) -> None:
            if isinstance(came, Exception):
                actor.busy = False
                self._not_decided(actor, letter, unfolded, came)
            else:
                self._submit(actor, letter, unfolded, came)
            if not actor.busy:
                self._go_on(actor)

        self._computing.begin(actor, letter, unfolded, events, settled)

    def _not_decided(
        self, actor: Actor, letter: Letter, unfolded: Unfolded, error: Exception
    ) -> None:
        self.queues.not_written(unfolded)
        self.crowds.let_go(actor.id)
        self._setbacks.not_decided(actor, letter, error)

    def _submit(
        self, actor: Actor, letter: Letter, unfolded: Unfolded, children: Sequence[Child]
    ) -> None:
        """Have what was decided written; nobody hears of it before."""
        new = unfolded.before is not actor.execution
        if unfolded.nothing and not new and not letter.fired:
            actor.busy = False
            self.crowds.let_go(actor.id)
            for each in letter.all:
                answer(each, Told(unfolded.before, unfolded.before, actor.origin))
            return
        try:
            unit = unit_of(
                actor,
                letter,
                unfolded,
                children,
                lambda unit: self._written(actor, letter, unfolded, unit),
            )
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            logger.exception("What happened to execution %s cannot be stored.", actor.id)
            self.queues.not_written(unfolded)
            actor.busy = False
            if letter.more:
                self._setbacks.part(actor, letter)
            else:
                self._setbacks.broke(actor, letter, error)
            return
        actor.busy = True
        self._store.writer.submit(unit)

    def _written(self, actor: Actor, letter: Letter, unfolded: Unfolded, unit: Unit) -> None:
        actor.busy = False
        if unit.error is not None or unit.known:
            self.crowds.let_go(actor.id)
        if unfolded.claims and (unit.error is not None or unit.known or unit.held):
            self.queues.not_written(unfolded)
        if unit.error is not None:
            logger.error("Execution %s was not written: %s", actor.id, unit.error)
            # What is in memory may be ahead of what is stored.
            actor.execution = None
            for each in letter.all:
                self._setbacks.failed(actor, each, unit.error)
            letter.more = []
        elif unit.known:
            actor.execution = None
            self._attach(actor, letter, unit)
        elif unit.held:
            # It would start what others have the key of: with that known it is decided again.
            actor.held = {**(actor.held or {}), **unit.held}
            self._decide(actor, letter, self._unfolding(actor, unfolded.before))
        else:
            try:
                self._follow(actor, letter, unfolded, unit)
            except Exception:
                # The outermost loop of an execution. It is stored: it is read again from there.
                logger.exception("What followed from a commit of execution %s broke.", actor.id)
                actor.execution = None
        self._go_on(actor)

    def _attach(self, actor: Actor, letter: Letter, unit: Unit) -> None:
        """The start's execution was there already: by its id, or by its idempotency key."""
        start = letter.start
        if start is None:
            return
        if unit.known == actor.id:
            actor.mail.appendleft(Letter(None, attaching(start.order, start.reply)))
        else:
            self.tell(unit.known, None, joining(start.order, unit.refs, start.reply))

    def _follow(self, actor: Actor, letter: Letter, unfolded: Unfolded, unit: Unit) -> None:
        """Do what follows from a commit."""
        if letter.note is not None:
            letter.note.noted = True
        actor.held = None
        before, after = unfolded.before, unfolded.execution
        actor.execution = after
        if before.workflow.rate_limit is not None or after.workflow.rate_limit is not None:
            self.crowds.committed(before, after)
        if letter.snapshot is not None:
            actor.snapshot = letter.snapshot
        fired = [event.key for event in letter.fired]
        self.timers.committed(actor.id, fired, unfolded.timers.values())
        self.queues.committed(unfolded)
        self._committed(actor, letter, unfolded, unit)
        for row in unit.children:
            self.begin(row[0])
        self.kin.committed(letter.event, unfolded)
        for each in letter.all:
            if each.reply is not None:
                each.reply(Told(unfolded.before, unfolded.execution, actor.origin))
