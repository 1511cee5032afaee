"""The executor at work: its engine with all that follows from a commit, from start to drain."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from services.errors import ServiceError
from services.executor import breaker_rows, kinship, queries, turn_rows
from services.executor.actors import Actor, Letter, Told
from services.executor.admission import Gate, Lanes
from services.executor.answers import Answer, stopping
from services.executor.breaking.breakers import Breakers
from services.executor.core.events import Event
from services.executor.core.model import ExecutionStatus
from services.executor.deliveries import Deliveries, Terms
from services.executor.effects import Effect
from services.executor.engine import Engine
from services.executor.entrance import Entrance
from services.executor.eventing.dispatcher import Dispatcher
from services.executor.feed import Feed
from services.executor.handingoff import HandingOff
from services.executor.kinds import with_branches
from services.executor.kinds.fork_join import MOST_BRANCHES
from services.executor.launching import Launching
from services.executor.metering import Metering
from services.executor.performing import Performing
from services.executor.results import Waiters
from services.executor.scheduling import rows as schedule_rows
from services.executor.scheduling.scheduler import Known, Scheduler
from services.executor.slots import Slots
from services.executor.snapshots import Snapshots
from services.executor.store import Store
from services.executor.tally import Tally
from services.executor.unfolding import Unfolded
from services.executor.units import Unit
from services.executor.upkeep import Upkeep
from services.javascript import Scripts
from services.judging import Judges

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PATIENCE = timedelta(minutes=1)
_FIRST_RETRY_SECONDS = 0.1
_LONGEST_RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the executor takes on.

    Attributes:
        calls_per_host, calls: Effects under way at once.
        units: Waiting to be written; beyond, no new executions.
        branches: Of one fork; beyond, it fails.
    """

    calls_per_host: int = 256
    calls: int = 2048
    units: int = 1000
    branches: int = MOST_BRANCHES


class Runtime:
    """What the service asks; get one from :func:`running`.

    Attributes:
        tally: How many executions are stored, by status.
        metering: What the engine does, in figures.
        public_url: The URL of a path at the gateway.
        secret: The value of a secret.
        slots: How many of those that are limited run side by side, by key.
        entrance: Where executions are started.
        launching: Writes what the executor starts by itself.
        scheduler: Makes the runs of schedules.
        dispatcher: Hands what was told to event handlers.
        breakers: The circuit breakers of those whom tasks call.
    """

    def __init__(
        self,
        store: Store,
        snapshots: Snapshots,
        scripts: Scripts,
        effects: Mapping[str, Effect],
        handing_off: HandingOff,
        tasks: asyncio.TaskGroup,
        feed: Feed,
        limits: Limits,
        counts: Mapping[str, int],
        held: Mapping[bytes, int],
        crowds: Mapping[bytes, int],
        scheduled: Known,
        terms: Terms | None = None,
        breakers: Breakers | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.store = store
        self.snapshots = snapshots
        self.feed = feed
        self.waiters = Waiters()
        self.judges = Judges()
        self.engine = Engine(
            store,
            snapshots,
            with_branches(limits.branches),
            scripts,
            self.judges,
            tasks,
            self._committed,
            crowds=crowds,
        )
        self.metering = Metering(loop, store.writer, self.engine)
        self.slots = Slots(held)
        self.entrance = Entrance(self.engine, store.loaders, self.slots)
        lanes = Lanes(limits.calls_per_host, limits.calls)
        self.launching = Launching(store, snapshots, self._launched, self.check_start)
        self.scheduler = Scheduler(
            tasks, store, snapshots.replica, self.launching, self._tell, scheduled
        )
        self.dispatcher = Dispatcher(
            tasks, store, snapshots.replica, scripts, self.launching, self._tell
        )
        self.performing = Performing(tasks, effects, handing_off, self.engine.tell, lanes)
        self.deliveries = Deliveries(tasks, store, effects, handing_off, terms)
        self.handing_off = handing_off
        self.public_url = handing_off.absolute
        self.secret = handing_off.secret
        self.scripts = scripts
        self.breakers = breakers or Breakers()
        self.gate = Gate(
            loop,
            lambda: store.writer.outstanding,
            scripts.waited,
            self.metering.late,
            most_units=limits.units,
        )
        self.tally = Tally(counts)
        self.draining = False

    def check_open(self) -> None:
        """Whether a new execution may begin.

        Raises:
            Overloaded: There is too much to do.
            Unavailable: The executor is about to end.
        """
        if self.draining:
            raise stopping()
        self.gate.check()

    def check_start(self, workflow: str) -> None:
        """Whether an execution of ``workflow`` may begin that nobody outside has asked for.

        Raises:
            Overloaded, Unavailable: As from :meth:`check_open`, or its scripts wait for too long.
        """
        self.check_open()
        self.gate.check_scripts(workflow)

    def check_serving(self) -> None:
        """Whether tasks are given to workers. Raises :class:`Unavailable`: it is about to end."""
        if self.draining:
            raise stopping()

    def _committed(self, actor: Actor, letter: Letter, unfolded: Unfolded, unit: Unit) -> None:
        execution = unfolded.execution
        self.feed.publish(unit)
        self._count(actor, unfolded, unit)
        ended = [task for task in unfolded.changed.values() if task.status.final]
        if ended:
            self.metering.tasks_ended(ended, unfolded.before.tasks)
            if len(self.performing):
                for task in ended:
                    self.performing.cancel(task.id)
        for perform in unfolded.performs:
            task = unfolded.changed[perform.task_id]
            if task.pending == perform.number:
                self.performing.begin(execution.id, perform, task.scheduled_at)
        if unit.webhooks:
            self.deliveries.committed(unit.webhooks)
        if unfolded.published:
            self.dispatcher.wake()
        for listen in unfolded.listens:
            self.dispatcher.waking.early.listen(execution.id, listen)
        self.waiters.tell(execution, actor.origin, unit.output)

    def _launched(self, execution_id: str) -> None:
        self.tally.moved(None, ExecutionStatus.RUNNING)
        self.metering.moved(None, ExecutionStatus.RUNNING)
        self.engine.begin(execution_id)

    async def _tell(self, execution_id: str, event: Event | None) -> Told:
        answer = Answer()
        self.engine.tell(execution_id, event, answer)
        return await answer.told()

    def _count(self, actor: Actor, unfolded: Unfolded, unit: Unit) -> None:
        before = None if unit.start else unfolded.before.status
        after = unfolded.execution.status
        if before is not after:
            self.tally.moved(before, after)
            self.metering.moved(before, after)
        for _ in unit.children:
            self.tally.moved(None, ExecutionStatus.RUNNING)
            self.metering.moved(None, ExecutionStatus.RUNNING)
        opened = (not after.final) - (before is not None and not before.final)
        if opened and actor.origin.slot:
            self.slots.count(actor.origin.slot, opened)

    async def drain(self, seconds: float) -> None:
        """Begin nothing new; give what is under way ``seconds`` to end."""
        self.draining = True
        self.entrance.close()
        self.scheduler.close()
        self.dispatcher.close()
        self.engine.timers.close()
        self.deliveries.timers.close()
        self.feed.end()
        self.metering.close()
        quiet = asyncio.Event()

        def look() -> None:
            if not len(self.performing) and not self.engine.active:
                quiet.set()

        self.engine.rested = look
        look()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await quiet.wait()
        self.performing.close()
        self.deliveries.close()
        self.engine.close()


@asynccontextmanager
async def running(
    store: Store,
    snapshots: Snapshots,
    scripts: Scripts,
    effects: Mapping[str, Effect],
    handing_off: HandingOff,
    *,
    limits: Limits | None = None,
    upkeep: Upkeep | None = None,
    terms: Terms | None = None,
    breakers: Breakers | None = None,
) -> AsyncGenerator[Runtime]:
    """An executor that goes on with what its store says was begun, until the end of the block.

    Args:
        breakers: Those that ``effects`` go by; what operators have said of them is told to them.
    """
    (head, floor), counts, held, interrupted, not_begun, unheard = await asyncio.gather(
        store.readers.read(queries.revisions),
        _surely(store, queries.counts),
        _surely(store, queries.slots_held),
        _surely(store, queries.interrupted),
        _surely(store, queries.not_begun),
        _surely(store, kinship.unheard),
    )
    scheduled = await _surely(store, schedule_rows.known)
    waiting = await _surely(store, turn_rows.turns)
    crowds = await _surely(store, queries.crowds)
    breakers = breakers or Breakers()
    for host, said in (await _surely(store, breaker_rows.said)).items():
        breakers.say(host, said, monotonic())
    feed = Feed(store.readers, store.epoch, head, floor)
    async with asyncio.TaskGroup() as tasks:
        runtime = Runtime(
            store,
            snapshots,
            scripts,
            effects,
            handing_off,
            tasks,
            feed,
            limits or Limits(),
            counts,
            held,
            crowds,
            scheduled,
            terms,
            breakers,
        )
        runtime.engine.queues.recover(waiting)
        runtime.engine.recover(interrupted, not_begun)
        runtime.engine.kin.recover(unheard)
        runtime.engine.queues.go_on()
        background = [
            tasks.create_task(store.writer.failing()),
            tasks.create_task(runtime.engine.timers.run()),
            tasks.create_task(runtime.deliveries.timers.run()),
            tasks.create_task(runtime.scheduler.run()),
            tasks.create_task(runtime.dispatcher.run()),
            tasks.create_task(runtime.dispatcher.waking.early.run()),
            tasks.create_task((upkeep or Upkeep()).run(store, feed, runtime.tally, snapshots)),
            tasks.create_task(store.words.run(lambda: feed.head, lambda: store.writer.outstanding)),
        ]
        try:
            yield runtime
        finally:
            runtime.draining = True
            runtime.entrance.close()
            runtime.scheduler.close()
            runtime.dispatcher.close()
            runtime.engine.close()
            runtime.performing.close()
            runtime.deliveries.close()
            runtime.gate.close()
            runtime.metering.close()
            feed.end()
            for task in background:
                task.cancel()
            await runtime.judges.close()


async def _surely(store: Store, read: Callable[[sqlite3.Connection], T]) -> T:
    """What ``read`` returns, however often it has to be tried."""
    delay = _FIRST_RETRY_SECONDS
    while True:
        try:
            return await store.loaders.read(read, within=_PATIENCE)
        except ServiceError as error:
            logger.warning("What was left half-done cannot be read just now: %s", error)
        await asyncio.sleep(delay)
        delay = min(2 * delay, _LONGEST_RETRY_SECONDS)
