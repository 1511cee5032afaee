"""Tasks that this edge has handed to workers of late: an executor that was killed asks for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from podium.worker.v1 import worker_pb2 as pb

# Those of so long before the last, and so many at most.
_SECONDS = 60.0
_MOST = 100_000


class Handed:
    """Those of the last minute.

    Args:
        edge_id: Whose they are: the same for as long as the edge runs, and no other's.
    """

    def __init__(self, edge_id: str) -> None:
        self._edge_id = edge_id
        # When, which, and how often it had been given by then.
        self._last: deque[tuple[float, str, int]] = deque(maxlen=_MOST)

    def note(self, tasks: Iterable[pb.Task], now: float) -> None:
        """A worker has been handed ``tasks``; ``now`` is in seconds, monotonic."""
        self._last.extend((now, task.task_id, task.poll_count) for task in tasks)
        while self._last and self._last[0][0] < now - _SECONDS:
            self._last.popleft()

    def hello(self) -> pb.RelayHello:
        """What a new stream begins with."""
        return pb.RelayHello(
            edge_id=self._edge_id,
            handed_task_ids=(task_id for _, task_id, _ in self._last),
            handed_poll_counts=(polls for _, _, polls in self._last),
        )
