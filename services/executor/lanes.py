"""One queue: by definition, those who wait in order; and the workers for it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping

from services.executor.entries import Entry, Standing
from services.executor.hands import Hands

Lane = list[Entry]


class Queue:
    """Tasks that wait, in a lane for each definition: the limits of one hold up no other.

    An entry stays in its lane when it waits no more, and is passed over.

    Args:
        waiting: The entries that do wait, by task.
        most_seen: How many of its workers are remembered, at this moment.
    """

    def __init__(
        self,
        waiting: Mapping[str, Entry],
        clock: Callable[[], float],
        wall: Callable[[], float],
        most_seen: Callable[[], int],
    ) -> None:
        self._waiting = waiting
        self.lanes: dict[str, Lane] = {}
        self.size = 0
        self.running = 0
        self.hands = Hands(clock, wall, most_seen)

    @property
    def idle(self) -> bool:
        """Whether nothing is lost with it."""
        return not self.size and not self.running and self.hands.unused

    def used_within(self, seconds: float) -> bool:
        """Whether tasks are in it, or a worker asked so lately."""
        return bool(self.size or self.running or self.hands.active(seconds))

    def standing(self, name: str) -> Standing:
        """How it stands."""
        for lane in self.lanes.values():
            self.prune(lane)
        oldest = min((lane[0].at for lane in self.lanes.values() if lane), default=None)
        return Standing(name, self.size, oldest, self.running, self.hands.seen())

    def prune(self, lane: Lane) -> bool:
        """Whether somebody waits in ``lane``: its first entry does, then."""
        while lane and self._waiting.get(lane[0].task_id) is not lane[0]:
            heapq.heappop(lane)
        return bool(lane)

    def best(self, has_room: Callable[[str], bool]) -> Lane | None:
        """The lane of the first of all whose definition has room; None: there is none."""
        if not self.size:
            return None
        lanes = [lane for name, lane in self.lanes.items() if self.prune(lane) and has_room(name)]
        if len(self.lanes) > len(lanes) + 1:
            self.lanes = {name: lane for name, lane in self.lanes.items() if lane}
        return min(lanes, key=lambda lane: lane[0], default=None)
