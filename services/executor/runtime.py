"""The executor at work: its engine with all that follows from a commit, from start to drain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic

from services.executor import loading, restored
from services.executor.actors import Actor, Letter, Told
from services.executor.admission import Gate, Lanes
from services.executor.answers import Answer, stopping
from services.executor.breaking.breakers import Breakers
from services.executor.capacity import MOST_OPEN, MOST_WAITING_TASKS, Capacity
from services.executor.core.events import Event, Interrupted
from services.executor.core.model import ExecutionStatus
from services.executor.deliveries import Deliveries, Terms
from services.executor.effects import Effect
from services.executor.engine import Engine
from services.executor.entrance import Entrance
from services.executor.eventing.dispatcher import Dispatcher
from services.executor.feed import Feed
from services.executor.handingoff import HandingOff
from services.executor.holding import Holding
from services.executor.kinds import with_branches
from services.executor.kinds.fork_join import MOST_BRANCHES
from services.executor.large_starts import LargeStarts
from services.executor.launching import Launching
from services.executor.metering import Metering
from services.executor.observing import Observer, Observing
from services.executor.performing import Performing
from services.executor.recovery import Left, left
from services.executor.results import Waiters
from services.executor.scheduling.scheduler import Scheduler
from services.executor.slots import Slots
from services.executor.snapshots import Snapshots
from services.executor.store import Store
from services.executor.tally import Tally
from services.executor.unfolding import Unfolded
from services.executor.units import Unit
from services.executor.upkeep import Upkeep
from services.javascript import Scripts
from services.judging import Judges
from services.tracing import Trace

NewTrace = Callable[[str], Trace | None]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the executor takes on.

    Attributes:
        calls_per_host, calls: Effects under way at once.
        units: Waiting to be written; beyond, no new executions.
        branches: Of one fork; beyond, it fails.
        open, open_of_workflow: Executions that have not ended; beyond, none begins. 0 of the
            latter: as many as in all.
        waiting_tasks: For a worker; beyond, no new executions.
    """

    calls_per_host: int = 256
    calls: int = 2048
    units: int = 1000
    branches: int = MOST_BRANCHES
    open: int = MOST_OPEN
    open_of_workflow: int = 0
    waiting_tasks: int = MOST_WAITING_TASKS


@dataclass(frozen=True, slots=True)
class Parts:
    """What a runtime is made of."""

    store: Store
    snapshots: Snapshots
    scripts: Scripts
    effects: Mapping[str, Effect]
    handing_off: HandingOff
    limits: Limits
    breakers: Breakers
    observing: Observing | None
    new_trace: NewTrace


class Runtime:
    """What the service asks; get one from :func:`running`.

    Attributes:
        tally: How many executions are stored, by status.
        metering: What the engine does, in figures.
        public_url: The URL of a path at the gateway.
        secret: The value of a secret.
        capacity: How many have not ended, and whether one more may begin.
        slots: How many of those that are limited run side by side, by key.
        entrance: Where executions are started.
        large_starts: How much of large inputs is held, and worked on (record 0052).
        launching: Writes what the executor starts by itself.
        scheduler: Makes the runs of schedules.
        dispatcher: Hands what was told to event handlers.
        breakers: The circuit breakers of those whom tasks call.
        new_trace: The trace of an execution that belongs to none; None: it goes without.
        holding: Who waits since the store was restored.
    """

    def __init__(
        self, parts: Parts, tasks: asyncio.TaskGroup, found: Left, terms: Terms | None
    ) -> None:
        store, replica = parts.store, parts.snapshots.replica
        self.store, self.snapshots, self.scripts = store, parts.snapshots, parts.scripts
        self.handing_off, self.breakers = parts.handing_off, parts.breakers
        self.public_url, self.secret = parts.handing_off.absolute, parts.handing_off.secret
        self.draining = False
        self._observing, self.new_trace = parts.observing, parts.new_trace
        self.judges, self.waiters = Judges(), Waiters()
        self.feed = Feed(store.readers, store.epoch, found.head, found.floor)
        self.tally, self.slots = Tally(found.counts), Slots(found.held)
        self.engine = self._engine(parts, tasks, found.crowds)
        self.holding = Holding(found.restoration, store.writer)
        if self.holding:
            self.engine.timer_rows = restored.timers
        self.metering = Metering(asyncio.get_running_loop(), store.writer, self.engine)
        self.gate = self._gate(parts)
        self.capacity = self._capacity(parts.limits, found.open)
        self.entrance = Entrance(
            self.engine, store.loaders, self.slots, refusal=self.capacity.refusal
        )
        self.large_starts = LargeStarts()
        self.launching = Launching(
            store, parts.snapshots, self._launched, self.check_start, new_trace=self.new_trace
        )
        self.scheduler = Scheduler(
            tasks, store, replica, self.launching, self._tell, found.schedules
        )
        self.dispatcher = Dispatcher(
            tasks, store, replica, parts.scripts, self.launching, self._tell
        )
        lanes = Lanes(parts.limits.calls_per_host, parts.limits.calls)
        outwards = parts.effects, parts.handing_off
        self.performing = Performing(tasks, *outwards, self.engine.tell, lanes)
        self.deliveries = Deliveries(tasks, store, *outwards, terms)

    def _engine(
        self, parts: Parts, tasks: asyncio.TaskGroup, crowds: Mapping[bytes, int]
    ) -> Engine:
        return Engine(
            parts.store,
            parts.snapshots,
            with_branches(parts.limits.branches),
            parts.scripts,
            self.judges,
            tasks,
            self._committed,
            crowds=crowds,
        )

    def _capacity(self, limits: Limits, open_of: Mapping[str, int]) -> Capacity:
        return Capacity(
            open_of,
            self.engine.queues.waiting,
            most=limits.open,
            most_each=limits.open_of_workflow,
            most_waiting=limits.waiting_tasks,
        )

    def _gate(self, parts: Parts) -> Gate:
        return Gate(
            asyncio.get_running_loop(),
            lambda: parts.store.writer.outstanding,
            parts.scripts.waited,
            self.metering.late,
            most_units=parts.limits.units,
        )

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
            Overloaded, Unavailable: As from :meth:`check_open`, or its scripts wait for too long,
                or as many have not ended as may.
        """
        self.check_open()
        if (full := self.capacity.refusal(workflow)) is not None:
            raise full
        self.gate.check_scripts(workflow)

    def check_serving(self) -> None:
        """Whether tasks are given to workers. Raises :class:`Unavailable`: it is about to end."""
        if self.draining:
            raise stopping()

    def _committed(self, actor: Actor, letter: Letter, unfolded: Unfolded, unit: Unit) -> None:
        execution = unfolded.execution
        if self.holding and execution.id in self.holding:
            self._go_on(unfolded)
        self.feed.publish(unit)
        self._count(actor, unfolded, unit)
        ended = [task for task in unfolded.changed.values() if task.status.final]
        if unfolded.left:
            ended += [task for task in unfolded.left if task.status.final]
        if self._observing is not None and (ended or execution.status.final):
            before = unfolded.before
            self._observing.committed(before, execution, actor.origin, ended, before.tasks)
        if ended:
            self.metering.tasks_ended(ended, unfolded.before.tasks)
            if len(self.performing):
                for task in ended:
                    self.performing.cancel(task.id)
        for perform in unfolded.performs:
            task = unfolded.changed[perform.task_id]
            if task.pending == perform.number:
                origin = actor.origin
                self.performing.begin(execution.id, perform, task.scheduled_at, origin.trace)
        if unit.webhooks:
            self.deliveries.committed(unit.webhooks)
        if unfolded.published:
            self.dispatcher.wake()
        for listen in unfolded.listens:
            self.dispatcher.waking.early.listen(execution.id, listen)
        self.waiters.tell(execution, actor.origin, unit.output)
        self.waiters.committed(execution, unfolded.changed.values())

    def _go_on(self, unfolded: Unfolded) -> None:
        """One that waited since the restore goes on with what it had under way, or has ended."""
        execution = unfolded.execution
        if not self.holding.goes_on(execution):
            return
        if not self.holding:
            self.engine.timer_rows = loading.timers
        self.engine.timers.look()
        if execution.status.final:
            return
        self.engine.queues.go_on_with(execution)
        for task in unfolded.before.tasks.values():
            if task.pending:
                self.engine.tell(execution.id, Interrupted(task.id, task.pending))

    def _launched(self, execution_id: str, workflow: str) -> None:
        self.capacity.count(workflow, 1)
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
        for row in unit.children:
            self.capacity.count(row[1], 1)
            self.tally.moved(None, ExecutionStatus.RUNNING)
            self.metering.moved(None, ExecutionStatus.RUNNING)
        opened = (not after.final) - (before is not None and not before.final)
        if opened:
            self.capacity.count(unfolded.execution.workflow.name, opened)
            if actor.origin.slot:
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

    def background(self, upkeep: Upkeep, snapshots: Snapshots) -> list[Coroutine[None, None, None]]:
        """What runs as long as the executor does."""
        store, feed = self.store, self.feed
        return [
            store.writer.failing(),
            self.engine.timers.run(),
            self.holding.then(self.deliveries.timers.run),
            self.holding.then(self._schedule),
            self.holding.then(self.dispatcher.run),
            self.holding.then(self.dispatcher.waking.early.run),
            upkeep.run(store, feed, self.tally, snapshots),
            store.words.run(lambda: feed.head, lambda: store.writer.outstanding),
        ]

    async def _schedule(self) -> None:
        if self.holding.restoration.held:
            self.scheduler.pass_over()
        await self.scheduler.run()

    def close(self) -> None:
        """End at once; what is under way is gone on with by the next process."""
        self.draining = True
        self.entrance.close()
        self.scheduler.close()
        self.dispatcher.close()
        self.engine.close()
        self.performing.close()
        self.deliveries.close()
        self.gate.close()
        self.metering.close()
        self.feed.end()


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
    observers: Sequence[Observer] = (),
    new_trace: NewTrace = lambda execution_id: None,
) -> AsyncGenerator[Runtime]:
    """An executor that goes on with what its store says was begun, until the end of the block.

    Args:
        breakers: Those that ``effects`` go by; what operators have said of them is told to them.
        observers: Told of every task and execution that ends.
        new_trace: As :attr:`Runtime.new_trace`.
    """
    breakers = breakers or Breakers()
    observing = Observing(observers) if observers else None
    made_of = (store, snapshots, scripts, effects, handing_off, limits or Limits(), breakers)
    parts = Parts(*made_of, observing, new_trace)
    async with asyncio.TaskGroup() as tasks:
        runtime = await _gone_on(parts, tasks, terms)
        background = [
            tasks.create_task(each) for each in runtime.background(upkeep or Upkeep(), snapshots)
        ]
        try:
            yield runtime
        finally:
            runtime.close()
            for task in background:
                task.cancel()
            await runtime.judges.close()


async def _gone_on(parts: Parts, tasks: asyncio.TaskGroup, terms: Terms | None) -> Runtime:
    """A runtime that goes on with what was left; of that nothing stays in memory."""
    found = await left(parts.store)
    for host, said in found.breakers.items():
        parts.breakers.say(host, said, monotonic())
    runtime = Runtime(parts, tasks, found, terms)
    found.go_on(runtime.engine, runtime.holding)
    return runtime
