"""How many executions somebody may see, by status; how many others there are is not told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from services.errors import DeadlineExceeded
from services.executor import finding
from services.executor.core.model import ExecutionStatus
from services.executor.searches import Searches
from services.executor.tally import Tally
from services.executor.timers import now
from services.query import Query

# To count takes this part of the time at most, and is done no more often than that.
_PART = 20
_SHORTEST_SECONDS = 1.0
_WITHIN = timedelta(seconds=5)


class SeenTally:
    """Counts the executions that a query finds; otherwise a :class:`Tally`.

    Attributes:
        version: Another one whenever a count changed; -1: nothing was counted yet.
    """

    def __init__(self, tally: Tally, searches: Searches, query: Query) -> None:
        self.version = -1
        self._tally = tally
        self._searches = searches
        self._query = query
        self._counts: Mapping[str, int] = {}
        self._counted_at = -1
        self._due = 0.0

    @property
    def dropped_before(self) -> int:
        """As the tally has it."""
        return self._tally.dropped_before

    def counts(self) -> dict[ExecutionStatus, int]:
        """By status; every one is in it."""
        return {status: self._counts.get(status.value, 0) for status in ExecutionStatus}

    async def refresh(self) -> None:
        """Count again where a count may have changed, and it is time."""
        clock = asyncio.get_running_loop().time
        begun, version = clock(), self._tally.version
        if version == self._counted_at or begun < self._due:
            return
        try:
            counts = await self._searches.search(
                finding.counts_of, self._query, now(), within=_WITHIN
            )
        except DeadlineExceeded:
            # Where there are too many, the list goes on without.
            counts = dict(self._counts)
        self._due = clock() + max(_SHORTEST_SECONDS, _PART * (clock() - begun))
        self._counted_at = version
        if counts != self._counts or self.version < 0:
            self._counts = counts
            self.version += 1
