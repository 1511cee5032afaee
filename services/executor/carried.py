"""Tasks of which an edge may never have heard: given over its stream just before a crash. No IO."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from services.executor.core.model import TaskStatus
from services.executor.turn_rows import NO_TURNS, Turns

# What was stored longer before the crash has been sent: the edge remembers twice as much.
_DOUBTED_MICROSECONDS = 30_000_000


class Carried:
    """Those that were given, and that no worker may have been given.

    An executor that is killed between storing that a task is given and telling the edge so leaves
    it with a worker that has not got it. The edge, which is still there, knows what it has handed
    over, and what it has not goes back.

    Args:
        turns: As they are stored when the executor starts.
    """

    def __init__(self, turns: Turns = NO_TURNS) -> None:
        self._of: defaultdict[str, list[tuple[str, str, int]]] = defaultdict(list)
        if turns.last_at is None:
            return
        since = turns.last_at - _DOUBTED_MICROSECONDS
        for task_id, _, _, _, status, worker_id, _, at, _, carrier, polls in turns.waiting:
            if carrier and at >= since and status == TaskStatus.IN_PROGRESS.value:
                self._of[carrier].append((task_id, worker_id, polls))

    def unheard(self, carrier: str, handed: Mapping[str, int]) -> list[tuple[str, str, int]]:
        """Of an edge, once: (task id, worker id, poll count) of those not handed over.

        Args:
            handed: By task that the edge has handed over, its poll count when it did so last.
        """
        return [each for each in self._of.pop(carrier, ()) if handed.get(each[0], 0) < each[2]]
