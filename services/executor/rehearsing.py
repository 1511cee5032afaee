"""Tests of workflows: an execution that is stored nowhere and does nothing outside.

Its time is its own: whatever waits for a moment has that moment at once, in order. What its tasks
would do outside is said beforehand (:mod:`services.executor.kinds.mocked`).
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from services.errors import NotFound, Overloaded
from services.executor.core.commands import SetTimer, StartExecution
from services.executor.core.decide import start
from services.executor.core.events import ChildEnded, Event, Started, Taken, TimerFired, TimerKey
from services.executor.core.model import Execution, Json, Refused, Task
from services.executor.definitions import Definitions
from services.executor.kinds import KINDS
from services.executor.kinds.mocked import Mock, Mocks, mocked
from services.executor.snapshots import Snapshot, Snapshots
from services.executor.unfolding import Unfolded
from services.ids import new_execution_id
from services.javascript import NoWorker, Scripts
from services.judging import Judges

MOST_STEPS = 10_000
MOST_EXECUTIONS = 200
LONGEST_SECONDS = 10.0
_STEPS_AT_ONCE = 200
_TOO_LONG = f"It was stopped after {LONGEST_SECONDS:.0f} seconds."


@dataclass(frozen=True, slots=True)
class Script:
    """What is said beforehand: of a workflow's tasks, and by reference of its sub-workflows."""

    mocks: Mapping[str, tuple[Mock, ...]] = field(default_factory=dict)
    within: Mapping[str, Script] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Run:
    """One execution of a test, with all its attempts by id."""

    execution: Execution
    snapshot: Snapshot
    script: Script
    mocks: Mocks
    attempts: dict[str, Task] = field(default_factory=dict)
    timers: dict[TimerKey, datetime] = field(default_factory=dict)

    @property
    def in_order(self) -> list[Task]:
        return sorted(self.attempts.values(), key=lambda task: task.sequence)

    @property
    def waiting(self) -> list[str]:
        """The refs of the tasks that nothing was said of, and that wait for good."""
        return [task.ref for task in self.in_order if not task.status.final and not task.open]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a test came to.

    Attributes:
        runs: The execution, and those that its tasks have started, in that order.
        stopped: Why it was not seen to its end; empty: it was, or it waits for good.
    """

    runs: tuple[Run, ...]
    stopped: str = ""


class Rehearsal:
    """One test; see :meth:`run`."""

    def __init__(
        self, snapshots: Snapshots, scripts: Scripts, judges: Judges, now: datetime
    ) -> None:
        self._snapshots = snapshots
        self._scripts = scripts
        self._judges = judges
        self._now = now
        self._runs: dict[str, Run] = {}
        self._events: deque[tuple[Run, Event]] = deque()
        self._due: list[tuple[datetime, int, Run, TimerKey]] = []
        self._numbers = count()
        self._steps = 0
        self._root: Run | None = None

    async def run(self, snapshot: Snapshot, given: Mapping[str, Json], script: Script) -> Rehearsed:
        """Run it until it ends, waits for good, or has taken too much."""
        execution = start(new_execution_id(), snapshot.workflow, given, self._now)
        self._root = self._begin(execution, snapshot, script)
        until = time.monotonic() + LONGEST_SECONDS
        while not self._has_ended() and not (stopped := self._stopped(until)):
            # In a thread: the executor's loop has others to answer. It is not cancelled, since it
            # would go on all the same.
            unfolded = await asyncio.to_thread(self._some, until)
            if unfolded is not None and not await self._computed(*unfolded, until):
                return Rehearsed(tuple(self._runs.values()), _TOO_LONG)
        return Rehearsed(tuple(self._runs.values()), "" if self._has_ended() else stopped)

    def _stopped(self, until: float) -> str:
        if self._steps >= MOST_STEPS:
            return f"It was stopped after {MOST_STEPS} steps."
        if time.monotonic() >= until:
            return _TOO_LONG
        return ""

    def _begin(self, execution: Execution, snapshot: Snapshot, script: Script) -> Run:
        run = Run(execution, snapshot, script, Mocks(script.mocks))
        self._runs[execution.id] = run
        self._events.append((run, Started(admitted=True)))
        return run

    def _has_ended(self) -> bool:
        """Whether nothing happens any more."""
        if self._events:
            return False
        return not self._due or (self._root is not None and self._root.execution.status.final)

    def _some(self, until: float) -> tuple[Run, Unfolded] | None:
        """A few steps; ends with one of which something has to be computed, if one comes."""
        for _ in range(_STEPS_AT_ONCE):
            if self._has_ended() or self._stopped(until):
                return None
            following = self._events.popleft() if self._events else self._next_due()
            if following is None:
                continue
            self._steps += 1
            run, event = following
            unfolded = Unfolded(run.execution, Definitions(self._snapshots, run.snapshot))
            try:
                unfolded.decide(event, mocked(KINDS, run.mocks), self._now)
            except Refused:
                continue
            if unfolded.computes:
                return run, unfolded
            self._follow(run, unfolded)
        return None

    def _next_due(self) -> tuple[Run, Event] | None:
        """Time goes on to the next timer; None: that one is not set any more."""
        at, _, run, key = heapq.heappop(self._due)
        if run.timers.get(key) != at:
            return None
        del run.timers[key]
        self._now = max(self._now, at)
        return run, TimerFired(key)

    async def _computed(self, run: Run, unfolded: Unfolded, until: float) -> bool:
        """Whether it was computed in time."""
        kinds = mocked(KINDS, run.mocks)
        try:
            async with asyncio.timeout(max(until - time.monotonic(), 0)):
                await unfolded.compute(
                    self._scripts, self._judges, kinds, lambda: self._now, _nothing
                )
        except NoWorker as error:
            raise Overloaded(f"{error.detail} Try again in a moment.") from error
        except TimeoutError:
            return False
        self._follow(run, unfolded)
        return True

    def _follow(self, run: Run, unfolded: Unfolded) -> None:
        """Have what was decided stand, and what follows from it happen next."""
        before, run.execution = run.execution, unfolded.execution
        gone = {id for id, task in run.attempts.items() if task.ref in unfolded.forgotten}
        for id in gone:
            del run.attempts[id]
        run.attempts.update(unfolded.changed)
        for key, command in unfolded.timers.items():
            run.timers.pop(key, None)
            if isinstance(command, SetTimer):
                run.timers[key] = command.at
                heapq.heappush(self._due, (command.at, next(self._numbers), run, key))
        # Nothing else is at work: there is room.
        self._events.extend((run, Taken(offer.task_id)) for offer in unfolded.offers)
        for started in unfolded.children:
            if started.task_id:
                self._start(run, started, unfolded)
        for tell in unfolded.tells:
            if (told := self._runs.get(tell.id)) is not None:
                self._events.append((told, tell.event))
        if run.execution.status.final and not before.status.final:
            self._tell_parent(run.execution)

    def _start(self, parent: Run, command: StartExecution, unfolded: Unfolded) -> None:
        task = parent.attempts[command.task_id]
        if len(self._runs) >= MOST_EXECUTIONS:
            raise Overloaded(f"A test has {MOST_EXECUTIONS} executions at most.")
        try:
            snapshot = unfolded.definitions.child(command, unfolded.execution.workflow.masked)
        except NotFound:
            # It was looked up in this very step.
            return
        within = parent.script.within
        script = within.get(task.ref) or within.get(task.step) or Script()
        child = start(
            command.id,
            snapshot.workflow,
            command.input,
            self._now,
            correlation_id=command.correlation_id,
            priority=command.priority,
            parent_id=parent.execution.id,
            parent_task_id=command.task_id,
            depth=command.depth,
        )
        self._begin(child, snapshot, script)

    def _tell_parent(self, child: Execution) -> None:
        parent = self._runs.get(child.parent_id)
        if parent is None:
            return
        named = f"{child.workflow.name}.{child.workflow.version}/{child.id}.{child.status}"
        ended = ChildEnded(child.parent_task_id, named, child.status, child.output, child.reason)
        self._events.append((parent, ended))


async def _nothing(_key: bytes) -> Json:
    """What is kept of outputs: a rehearsal neither reads nor leaves any."""
    return None
