"""How many executions are stored, by status: kept current with every commit."""

from __future__ import annotations

from collections.abc import Mapping

from services.executor.core.model import ExecutionStatus


class Tally:
    """Counts executions.

    Args:
        counts: What the store has, by status.

    Attributes:
        version: Another one whenever a count changed.
        dropped_before: What ended before is stored no more; microseconds since the epoch, 0: it is
            not known yet.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = {status: counts.get(status.value, 0) for status in ExecutionStatus}
        self.version = 0
        self.dropped_before = 0

    @property
    def running(self) -> int:
        """How many have not ended."""
        return sum(count for status, count in self._counts.items() if not status.final)

    def count(self, status: ExecutionStatus, number: int) -> None:
        """So many more executions, or fewer, stand at ``status``."""
        self._counts[status] += number
        self.version += 1

    def moved(self, before: ExecutionStatus | None, after: ExecutionStatus) -> None:
        """One execution went from a status to another; None: it is new."""
        if before is after:
            return
        if before is not None:
            self._counts[before] -= 1
        self._counts[after] += 1
        self.version += 1

    def counts(self) -> dict[ExecutionStatus, int]:
        """By status; every one is in it."""
        return dict(self._counts)
