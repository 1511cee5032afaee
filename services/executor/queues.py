"""Tasks that wait for their turn, workers with free hands, and who has what.

What is here follows from rows: a task is in its queue, or with somebody, by what was committed of
it last (:meth:`Queues.committed`). A turn is reserved, then decided as an event, and given when
that is stored: a task that becomes due while a worker is free has both in one unit.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from services.executor.actors import Letter
from services.executor.core.attempts import OWN_TURN
from services.executor.core.commands import Offer
from services.executor.core.events import LetGo, Taken
from services.executor.core.kind import Kind
from services.executor.core.model import Execution, Task, TaskStatus
from services.executor.entries import Entry, Held, HeldTasks, Standing, limited_by
from services.executor.hands import ACTIVE_SECONDS, MOST_SEEN, Taker
from services.executor.lanes import Lane, Queue
from services.executor.rooms import Rooms
from services.executor.rows import micros
from services.executor.timers import elapsed
from services.executor.turn_rows import Turns

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from services.executor.unfolding import Unfolded

_MOST_QUEUES = 10_000
# Workers that are remembered: of all queues together, roughly; of each some at least.
_MOST_SEEN = 100_000
_LEAST_SEEN = 10
# A clock that is set back by more lets nobody pass those who have waited for longer.
_SET_BACK_MICROSECONDS = 1_000_000


class Queues:
    """All of them.

    Args:
        send: Delivers a letter to an execution, which nobody waits for.
        clock: Seconds, by a clock that nobody sets.
        wall: Seconds since the epoch.

    Attributes:
        held: What somebody has.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        send: Callable[[str, Letter], None],
        clock: Callable[[], float] = elapsed,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._send = send
        self._clock = clock
        self._wall = wall
        # Of all that wait or waited, the last since when.
        self._newest = 0
        self._queues: dict[str, Queue] = {}
        self._prune_at = _MOST_QUEUES
        self._waiting: dict[str, Entry] = {}
        self.held = HeldTasks()
        # Reserved and not stored yet.
        self._claims: dict[str, tuple[Entry, Taker | None]] = {}
        self._numbers = itertools.count()
        self._rooms = Rooms(loop, self._match_all, clock)
        self._without: Container[str] = ()
        self._open = True

    def close(self) -> None:
        """Give no more turns."""
        self._open = False
        self._rooms.close()

    # What is asked of it.

    def waiting(self) -> int:
        """How many tasks wait for their turn."""
        return len(self._waiting)

    def standings(self) -> Iterator[Standing]:
        """How the queues of workers stand."""
        for name, queue in self._queues.items():
            if not name.startswith(OWN_TURN):
                yield queue.standing(name)

    def execution_of(self, task_id: str) -> str:
        """Whose a task is that waits for its turn, or that somebody has; empty: none is known."""
        known = self.held.get(task_id) or self._waiting.get(task_id)
        return known.execution_id if known is not None else ""

    def choose(self, queues: Sequence[str]) -> str:
        """The first with a worker that is connected or was seen lately, else the last."""
        for name in queues[:-1]:
            queue = self._queues.get(name)
            if queue is not None and queue.hands.active(ACTIVE_SECONDS):
                return name
        return queues[-1]

    # Workers.

    def join(self, taker: Taker, slots: Mapping[str, int]) -> None:
        """``taker`` can have so many tasks of each queue."""
        for name, free in slots.items():
            self._queue(name).hands.join(taker, free)
        self._match_all(slots)

    def leave(self, taker: Taker, names: Iterable[str]) -> None:
        """It takes nothing more; what it has stays with it."""
        for name in names:
            queue = self._queue(name)
            queue.hands.leave(taker)

    def rest(self, taker: Taker, names: Iterable[str]) -> None:
        """It is given nothing until :meth:`resume`."""
        for name in names:
            self._queue(name).hands.rest(taker)

    def resume(self, taker: Taker, names: Collection[str]) -> None:
        """It is given tasks again."""
        for name in names:
            self._queue(name).hands.resume(taker)
        self._match_all(names)

    def free(self, taker: Taker, name: str) -> None:
        """It is done with a task of that queue, and can have another one."""
        queue = self._queue(name)
        if queue.hands.free(taker):
            self._match(queue)

    def let_go(self, task_id: str, worker_id: str, poll_count: int = 0) -> None:
        """A worker does not do what it has, or was about to be given.

        Args:
            poll_count: Which time that it was given is meant; 0: the last.
        """
        held = self.held.get(task_id)
        if held is None or held.worker_id != worker_id:
            return
        if poll_count in (0, held.poll_count):
            event = LetGo(task_id, worker_id, held.poll_count)
            self._send(held.execution_id, Letter(event))

    def taken_over(self, task_id: str, taker: Taker) -> None:
        """``taker`` speaks for the worker that has the task from now on."""
        held = self.held.get(task_id)
        if held is not None:
            self.held[task_id] = replace(held, taker=taker)

    # What happens to tasks.

    def recover(self, turns: Turns, held: Container[str] = ()) -> None:
        """What the rows say; the tasks of executions are in no queue while these are ``held``."""
        self._without = held
        for row in turns.waiting:
            # Before anybody is in one: not every task remembers the limits.
            self._rooms.known(limited_by(row[3], row[2]), row[8])
        for row in turns.waiting:
            task_id, execution_id, name, queue, status, worker, priority, at, _, _, polls = row
            name = limited_by(queue, name)
            if status == TaskStatus.IN_PROGRESS.value:
                self._hold(task_id, Held(execution_id, queue, name, worker, None, polls))
            elif execution_id not in held:
                number = next(self._numbers)
                self._add(Entry(-priority, at, number, task_id, execution_id, queue, name))
        now, wall = self._clock(), self._wall()
        for name, at in turns.begun:
            self._rooms.begun(name, now - max(wall - at / 1e6, 0))

    def go_on_with(self, execution: Execution) -> None:
        """Its tasks that wait for a turn are in their queues from now on."""
        for task in execution.tasks.values():
            if task.queue and task.status is TaskStatus.SCHEDULED and not task.held:
                self._see(execution, task)

    def go_on(self) -> None:
        """Give turns to those who have waited since before the start."""
        self._match_all(self._queues)

    def hand_out(self, unfolded: Unfolded, kinds: Mapping[str, Kind], now: datetime) -> None:
        """Decide, within the unit, the turns of tasks that have just become due."""
        if unfolded.offers:
            self._see_who_is_late(unfolded)
        while unfolded.offers:
            offer = unfolded.offers.popleft()
            # A turn that it has had in this unit was one as something else (DYNAMIC).
            self._void(offer.task_id)
            task = unfolded.changed.get(offer.task_id)
            if task is None or task.status is not TaskStatus.SCHEDULED or task.next_at:
                continue
            self._rooms.limited(offer.name, offer.limits, self.held)
            turns = self._open and unfolded.execution.id not in self._without
            reserved = self._reserve(offer, unfolded.execution) if turns else None
            if reserved is not None:
                entry, taker = reserved
                self._claim(entry, taker)
                unfolded.claims.append(entry.task_id)
                unfolded.decide(_taken(entry.task_id, taker), kinds, now)

    def _see_who_is_late(self, unfolded: Unfolded) -> None:
        """Before others' turns: the next attempt is not for who let the time of this one pass."""
        for task in unfolded.changed.values():
            held = self.held.get(task.id) if task.status is TaskStatus.TIMED_OUT else None
            if held is not None and held.taker is not None:
                held.taker.late()

    def _reserve(self, offer: Offer, execution: Execution) -> tuple[Entry, Taker | None] | None:
        queue = self._queue(offer.queue)
        lane = queue.lanes.get(offer.name)
        if (lane and queue.prune(lane)) or not self._rooms.has(offer.name):
            # Others were there before.
            return None
        taker = None
        if not offer.queue.startswith(OWN_TURN):
            taker = queue.hands.take()
            if taker is None:
                return None
        at = int(self._wall() * 1e6)
        entry = self._entry(execution, offer.task_id, offer.queue, offer.name, at)
        self._rooms.begin(offer.name, offer.task_id)
        return entry, taker

    def not_written(self, unfolded: Unfolded) -> None:
        """What was decided is void."""
        for task_id in unfolded.claims:
            self._void(task_id)
        unfolded.claims.clear()

    def committed(self, unfolded: Unfolded) -> None:
        """See how the tasks stand that a unit has changed."""
        for task in unfolded.changed.values():
            if task.queue:
                self._see(unfolded.execution, task)
            elif task.id in self._claims:
                # Its execution is paused: it takes its turn after that.
                self._gone(task)
        for task in unfolded.left:
            if task.queue:
                self._gone(task)

    def _see(self, execution: Execution, task: Task) -> None:
        if task.status is TaskStatus.IN_PROGRESS:
            self._has(execution, task)
        elif task.status.final or task.next_at is not None:
            self._gone(task)
        elif task.id not in self._claims:
            self._tell(task)
            self._release(task.id)
            if task.id not in self._waiting and execution.id not in self._without:
                name, at = limited_by(task.queue, task.name), micros(task.updated_at)
                self._add(self._entry(execution, task.id, task.queue, name, at))
                self._match(self._queue(task.queue))

    def _has(self, execution: Execution, task: Task) -> None:
        self._drop(task.id)
        claim = self._claims.pop(task.id, None)
        if claim is None and task.id in self.held:
            return
        taker = claim[1] if claim is not None else None
        before = self.held.get(task.id)
        if before is not None and before.taker is not taker:
            # Put back, and taken by another one, at once.
            self._tell(task)
        name = limited_by(task.queue, task.name)
        held = Held(execution.id, task.queue, name, task.worker_id, taker, task.poll_count)
        self._hold(task.id, held)
        if taker is not None:
            taker.reserved -= 1
            taker.given(execution, task)

    def _gone(self, task: Task) -> None:
        self._drop(task.id)
        self._void(task.id)
        self._tell(task)
        self._release(task.id)

    def _tell(self, task: Task) -> None:
        """Whoever has it has it no more."""
        held = self.held.get(task.id)
        if held is not None and held.taker is not None:
            if task.status is TaskStatus.TIMED_OUT:
                held.taker.late()
            held.taker.ended(task)

    def _hold(self, task_id: str, held: Held) -> None:
        if task_id not in self.held:
            self._queue(held.queue).running += 1
        self.held[task_id] = held
        self._rooms.enter(held.name, task_id)

    def _release(self, task_id: str) -> None:
        held = self.held.pop(task_id, None)
        if held is None:
            return
        queue, freed = self._queue(held.queue), 0
        queue.running -= 1
        if held.taker is not None:
            freed = held.taker.done_with(task_id)
            for _ in range(freed):
                queue.hands.free(held.taker)
        # With its hand: whoever has waited longest may be the next of the same worker.
        self._rooms.leave(held.name, task_id)
        if freed:
            self._match(queue)

    # Turns.

    def _add(self, entry: Entry) -> None:
        self._waiting[entry.task_id] = entry
        self._newest = max(self._newest, entry.at)
        queue = self._queue(entry.queue)
        queue.size += 1
        lane = queue.lanes.setdefault(entry.name, [])
        heapq.heappush(lane, entry)
        self._rooms.waits(entry.name, entry.queue)

    def _entry(self, execution: Execution, task_id: str, queue: str, name: str, at: int) -> Entry:
        number = next(self._numbers)
        if at < self._newest - _SET_BACK_MICROSECONDS:
            at = self._newest
        return Entry(-execution.priority, at, number, task_id, execution.id, queue, name)

    def _drop(self, task_id: str) -> None:
        """It does not wait; its place in the heap is passed over."""
        entry = self._waiting.pop(task_id, None)
        if entry is not None:
            self._queue(entry.queue).size -= 1

    def _match(self, queue: Queue) -> None:
        while (lane := self._best(queue)) is not None:
            if not self._give(queue, lane):
                return

    def _give(self, queue: Queue, lane: Lane) -> bool:
        """Whether there was a hand for the first in ``lane``: it takes its turn."""
        entry, taker = lane[0], None
        if not entry.queue.startswith(OWN_TURN):
            taker = queue.hands.take()
            if taker is None:
                return False
        heapq.heappop(lane)
        self._drop(entry.task_id)
        self._rooms.begin(entry.name, entry.task_id)
        self._claim(entry, taker)
        taken = _taken(entry.task_id, taker)
        heard = partial(self._refused, entry.task_id)
        self._send(entry.execution_id, Letter(taken, heard=heard))
        return True

    def _best(self, queue: Queue) -> Lane | None:
        return queue.best(self._rooms.has) if self._open else None

    def _claim(self, entry: Entry, taker: Taker | None) -> None:
        self._claims[entry.task_id] = entry, taker
        if taker is not None:
            taker.reserved += 1

    def _refused(self, task_id: str, told: object) -> None:
        self._void(task_id)

    def _void(self, task_id: str) -> None:
        """What was reserved is free again."""
        claim = self._claims.pop(task_id, None)
        if claim is None:
            return
        entry, taker = claim
        if task_id not in self.held:
            self._rooms.did_not_begin(entry.name, task_id)
        if taker is not None:
            taker.reserved -= 1
            self.free(taker, entry.queue)
            taker.voided()

    def _match_all(self, names: Iterable[str]) -> None:
        """Whoever is first of all: several queues may be for one definition, in its domains."""
        queues = [queue for name in names if (queue := self._queues.get(name)) is not None]
        heads = [
            (lane[0], number)
            for number, queue in enumerate(queues)
            if (lane := self._best(queue)) is not None
        ]
        heapq.heapify(heads)
        while heads:
            entry, number = heapq.heappop(heads)
            queue = queues[number]
            lane = self._best(queue)
            # Where the room was taken meanwhile, somebody else is the first of that queue.
            if lane is not None and lane[0] is entry:
                lane = self._best(queue) if self._give(queue, lane) else None
            if lane is not None:
                heapq.heappush(heads, (lane[0], number))

    def _prune(self) -> None:
        """Forget queues of which nothing is lost; of too many, those that nobody asks for now."""
        kept = {name: each for name, each in self._queues.items() if not each.idle}
        if len(kept) >= _MOST_QUEUES:
            kept = {name: each for name, each in kept.items() if each.used_within(ACTIVE_SECONDS)}
        self._queues = kept
        # Each is looked at as often as there are new ones, whoever asks for how many.
        self._prune_at = max(_MOST_QUEUES, 2 * len(kept))

    def _queue(self, name: str) -> Queue:
        queue = self._queues.get(name)
        if queue is None:
            if len(self._queues) >= self._prune_at:
                self._prune()
            queue = Queue(self._waiting, self._clock, self._wall, self._most_seen)
            self._queues[name] = queue
        return queue

    def _most_seen(self) -> int:
        """How many workers each queue remembers: fewer where there are many queues."""
        return max(_LEAST_SEEN, min(_MOST_SEEN // len(self._queues), MOST_SEEN))


def _taken(task_id: str, taker: Taker | None) -> Taken:
    return Taken(task_id, taker.worker_id, taker.carrier) if taker else Taken(task_id)
