"""The workers of one queue: who is connected, with how many free hands, and who was seen lately."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from services.executor.core.model import Execution, Task

MOST_SEEN = 1000
# Who was seen within it is expected to come again. Conductor's clients pause for a second at most
# between their polls, and wait in one for five; Conductor itself counts them for as long.
ACTIVE_SECONDS = 10.0


class Taker:
    """Somebody who takes tasks for a worker.

    Attributes:
        reserved: How many are about to be given to it.
        carrier: The edge over whose stream it is given them; empty: over none.
        comes_again: Its worker asks one call after another: between two it has not left.
    """

    worker_id: str
    carrier = ""
    comes_again = False

    def __init__(self) -> None:
        self.reserved = 0

    def given(self, execution: Execution, task: Task) -> None:
        """The task is the worker's: that is stored."""
        raise NotImplementedError

    def voided(self) -> None:
        """One that was reserved is not given after all."""

    def ended(self, task: Task) -> None:
        """A task that the worker had has ended, or is not its any more."""

    def late(self) -> None:
        """It has let the time of a task pass."""

    def done_with(self, task_id: str) -> int:
        """How many hands that had the task are free by now: whoever asks has them freed."""
        return 0


class Seen(NamedTuple):
    """A worker.

    Attributes:
        at: When it was last heard of, in seconds since the epoch.
        active: It is connected, or has asked so lately that it is expected to ask again.
    """

    worker_id: str
    at: float
    connected: bool
    active: bool


class Hands:
    """Free hands; they are taken in turns.

    Args:
        clock: Seconds, by a clock that nobody sets: else who left long ago could seem to be here.
        wall: Seconds since the epoch, for those who look.
        most_seen: How many workers are remembered, at this moment: the last.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        most_seen: Callable[[], int] = lambda: MOST_SEEN,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._most_seen = most_seen
        self._free: dict[Taker, int] = {}
        self._ready: OrderedDict[Taker, None] = OrderedDict()
        self._resting: set[Taker] = set()
        self._seen: OrderedDict[str, float] = OrderedDict()
        # Of those that are not connected, whose stream has ended: nobody asks between.
        self._ended: set[str] = set()

    @property
    def unused(self) -> bool:
        """Whether nobody is connected, or was seen within a day."""
        return not self._free and not self.active(86_400)

    def join(self, taker: Taker, free: int) -> None:
        """``taker`` has so many free hands; it may have none."""
        self._free[taker] = free
        if free > 0:
            self._ready[taker] = None
        self._note(taker.worker_id)

    def leave(self, taker: Taker) -> None:
        self._ready.pop(taker, None)
        self._resting.discard(taker)
        if self._free.pop(taker, None) is not None:
            self._note(taker.worker_id)
            ended = self._ended.discard if taker.comes_again else self._ended.add
            ended(taker.worker_id)

    def rest(self, taker: Taker) -> None:
        """``taker`` is given nothing, until it goes on; its free hands are counted meanwhile."""
        if taker in self._free:
            self._ready.pop(taker, None)
            self._resting.add(taker)

    def resume(self, taker: Taker) -> None:
        """``taker`` is given tasks again."""
        self._resting.discard(taker)
        if self._free.get(taker, 0) > 0:
            self._ready.setdefault(taker)

    def take(self) -> Taker | None:
        """The next who has a free hand, with one less; None: nobody has."""
        if not self._ready:
            return None
        taker, _ = self._ready.popitem(last=False)
        self._free[taker] -= 1
        if self._free[taker] > 0:
            self._ready[taker] = None
        return taker

    def free(self, taker: Taker) -> bool:
        """One hand more; False: it is not connected any more."""
        if taker not in self._free:
            return False
        self._free[taker] += 1
        if self._free[taker] > 0 and taker not in self._resting:
            self._ready.setdefault(taker)
        self._note(taker.worker_id)
        return True

    def active(self, seconds: float) -> bool:
        """Whether somebody is connected, or was seen so lately."""
        if self._free:
            return True
        if not self._seen:
            return False
        return next(reversed(self._seen.values())) >= self._clock() - seconds

    def seen(self) -> list[Seen]:
        """The workers, last seen last."""
        now, since = self._wall(), self._clock()
        connected = {taker.worker_id for taker in self._free}
        seen = list[Seen]()
        for worker, at in self._seen.items():
            here, ago = worker in connected, since - at
            active = here or (ago <= ACTIVE_SECONDS and worker not in self._ended)
            seen.append(Seen(worker, now if here else now - ago, here, active))
        return seen

    def _note(self, worker_id: str) -> None:
        self._seen[worker_id] = self._clock()
        self._seen.move_to_end(worker_id)
        while len(self._seen) > self._most_seen():
            forgotten, _ = self._seen.popitem(last=False)
            self._ended.discard(forgotten)
