"""A list of executions that is kept current: a snapshot, newest first, then what happens."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor import finding, queries
from services.executor.batches import batch, change_of
from services.executor.feed import FULL, Behind, Change, Feed, Follower
from services.executor.listing import parsed
from services.executor.searches import Searches
from services.executor.shown import Shown
from services.executor.states import EXECUTION_STATUS, GONE, timestamp
from services.executor.tally import Tally
from services.executor.timers import now
from services.query import EVERYTHING, Query

_HEARTBEAT = timedelta(seconds=1)
_MOST_RECENT = 100_000
# A message costs as much as a dozen changes: in a rush each carries what came up meanwhile.
_SHORTEST_INTERVAL_SECONDS = 0.05
# To read more changes than that takes longer than a snapshot.
_MOST_CAUGHT_UP = 100_000

# The place within a snapshot: who comes back with it has not seen all of it, and begins anew.
_BROKEN_OFF = pb.ResumeToken()

Place = tuple[int, str]
"""(created at, id) of the last execution of a snapshot's page."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is in a list.

    Attributes:
        recent: So many that have ended, beside all that run.
        query: What they are like.
    """

    recent: int
    query: Query = EVERYTHING

    @classmethod
    def of(cls, request: pb.WatchExecutionsRequest) -> Wanted:
        """Raises :class:`InvalidRequest` for what no list can have."""
        if not 0 <= request.recent <= _MOST_RECENT:
            raise InvalidRequest(f"recent must be 0 to {_MOST_RECENT}.")
        return cls(request.recent, parsed(request.query))


class LiveList:
    """One list, for one that follows it.

    Args:
        heartbeat: So long at most until the next message.
    """

    def __init__(
        self,
        feed: Feed,
        searches: Searches,
        tally: Tally,
        wanted: Wanted,
        heartbeat: timedelta = _HEARTBEAT,
    ) -> None:
        self._feed = feed
        self._searches = searches
        self._tally = tally
        self._wanted = wanted
        self._seconds = heartbeat.total_seconds()
        self._place = 0
        self._counted = -1
        # Of Tally.dropped_before, what was told; None: the list is not complete.
        self._dropped: int | None = None
        self._shown = None if wanted.query == EVERYTHING else Shown()

    async def follow(
        self, resume: pb.ResumeToken | None
    ) -> AsyncIterator[pb.WatchExecutionsResponse]:
        """The list and what happens to it, without end."""
        self._place = 0 if resume is None else resume.revision
        lost = resume is not None and not self._reachable(resume.epoch)
        anew = resume is None or lost
        while True:
            with self._feed.following() as follower:
                try:
                    async for response in self._follow(follower, lost, anew):
                        yield response
                    return
                except Behind:
                    # What it has missed is read from the disk, unless that is too much.
                    lost = anew = not self._reachable(self._feed.epoch)

    def _reachable(self, epoch: str) -> bool:
        near = self._feed.head - self._place <= _MOST_CAUGHT_UP
        return near and self._feed.has(epoch, self._place)

    async def _follow(
        self, follower: Follower, lost: bool, anew: bool
    ) -> AsyncIterator[pb.WatchExecutionsResponse]:
        self._dropped = None
        if lost:
            yield self._response(_BROKEN_OFF, compacted=True)
        if anew:
            self._place = follower.head
            async for changes in self._snapshot():
                yield self._response(_BROKEN_OFF, changes)
        else:
            async for page in self._feed.pages(self._place, follower.head):
                response = await self._batch(page)
                if response.changes or response.gone_ids:
                    yield response
        self._place = follower.head
        # Not before: what is read of the past may tell of what is dropped by now.
        self._dropped = 0
        yield self._response(self._token(), caught_up=True)
        async for response in self._live(follower):
            yield response

    async def _live(self, follower: Follower) -> AsyncIterator[pb.WatchExecutionsResponse]:
        clock = asyncio.get_running_loop().time
        told = clock()
        while True:
            await follower.gather(told + _SHORTEST_INTERVAL_SECONDS)
            taken = await follower.take(max(told + self._seconds - clock(), 0))
            if taken is None:
                return
            for start in range(0, len(taken), FULL):
                response = await self._batch(taken[start : start + FULL])
                if response.changes or response.gone_ids or response.counts:
                    yield response
                    told = clock()
            if clock() - told >= self._seconds:
                yield self._response(self._token())
                told = clock()

    async def _snapshot(self) -> AsyncIterator[list[pb.ExecutionChange]]:
        query, recent, before = self._wanted.query, self._wanted.recent, None
        if self._shown is not None:
            self._shown.begin()
        while True:
            changes, before, recent = await self._searches.search(
                _page, query, recent, now(), before
            )
            if self._shown is not None:
                self._shown.show(change.execution.execution_id for change in changes)
            if changes:
                yield changes
            if before is None:
                return

    async def _batch(self, changes: Sequence[Change]) -> pb.WatchExecutionsResponse:
        last = changes[-1].revision
        gone = list(dict.fromkeys(each.execution_id for each in changes if each.state == GONE))
        if gone:
            changes = [change for change in changes if change.execution_id not in gone]
        if self._shown is not None:
            ids = list({*gone, *(change.execution_id for change in changes)})
            kept = await self._searches.briefly(finding.matching, self._wanted.query, now(), ids)
            gone = self._shown.changed(ids, kept)
            changes = [change for change in changes if change.execution_id in kept]
        self._place = last
        return self._response(self._token(), batch(changes), gone)

    def _response(
        self,
        resume: pb.ResumeToken,
        changes: Sequence[pb.ExecutionChange] = (),
        gone_ids: Sequence[str] = (),
        *,
        compacted: bool = False,
        caught_up: bool = False,
    ) -> pb.WatchExecutionsResponse:
        return pb.WatchExecutionsResponse(
            resume=resume,
            changes=changes,
            gone_ids=gone_ids,
            compacted=compacted,
            caught_up=caught_up,
            counts=self._counts(),
            dropped_before=self._dropped_before(),
        )

    def _dropped_before(self) -> Timestamp | None:
        """None: it is what it was."""
        dropped = self._tally.dropped_before
        if self._dropped is None or self._dropped == dropped:
            return None
        self._dropped = dropped
        return timestamp(dropped)

    def _counts(self) -> list[pb.StatusCount]:
        """Empty: they are what they were."""
        if self._counted == self._tally.version:
            return []
        self._counted = self._tally.version
        return [
            pb.StatusCount(status=EXECUTION_STATUS[status], count=count)
            for status, count in self._tally.counts().items()
        ]

    def _token(self) -> pb.ResumeToken:
        return pb.ResumeToken(epoch=self._feed.epoch, revision=self._place)


def _page(
    db: sqlite3.Connection, query: Query, recent: int, at: datetime, before: Place | None
) -> tuple[list[pb.ExecutionChange], Place | None, int]:
    """The next page of a snapshot, which begins after ``before``.

    With it: where it ends (None: it was the last), and how many are still wanted that have ended.
    """
    read = finding.found if recent else finding.running
    rows = read(db, query, at, before, FULL)
    tasks = queries.open_tasks(db, [row[0] for row in rows if row[6] is None])
    changes = []
    for row in rows:
        if row[6] is None:
            changes.append(change_of(row, tasks.get(row[0], ())))
        elif recent:
            changes.append(change_of(row))
            recent -= 1
    last = rows[-1] if len(rows) == FULL else None
    return changes, (last[4], last[0]) if last is not None else None, recent
