"""A list of executions that is kept current: a snapshot, newest first, then what happens."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from podium.executor.v1 import executor_pb2 as pb
from services.access import EVERY, Sight
from services.errors import InvalidRequest
from services.executor import finding, queries
from services.executor.batches import batch, change_of
from services.executor.feed import FULL, Behind, Change, Feed, Follower
from services.executor.listing import parsed
from services.executor.searches import Searches
from services.executor.seeing import Looking, digest_of, in_sight
from services.executor.seen_tally import SeenTally
from services.executor.shown import Shown
from services.executor.states import EXECUTION_STATUS, GONE, timestamp
from services.executor.tally import Tally
from services.executor.timers import now
from services.query import EVERYTHING, Query

_HEARTBEAT = timedelta(seconds=1)
_MOST_RECENT = 100_000
# A message costs as much as a dozen changes: in a rush each carries what came up meanwhile.
_SHORTEST_INTERVAL_SECONDS = 0.05
# A sight is good for so long: rights that change all the time leave a snapshot time to end.
_SIGHT_SECONDS = 0.2
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


class _Resighted(Exception):
    """The follower may see other workflows than those that the list is of."""


class LiveList:
    """One list, for one that follows it.

    Args:
        looking: What the follower may see; None: all.
        heartbeat: So long at most until the next message.
    """

    def __init__(
        self,
        feed: Feed,
        searches: Searches,
        tally: Tally,
        wanted: Wanted,
        looking: Looking | None = None,
        heartbeat: timedelta = _HEARTBEAT,
    ) -> None:
        self._feed = feed
        self._searches = searches
        self._stored = tally
        self._tally: Tally | SeenTally = tally
        self._wanted = wanted
        self._looking = looking
        self._sight = EVERY
        # What the snapshot is read by: what is wanted, among what may be seen.
        self._query = wanted.query
        self._seconds = heartbeat.total_seconds()
        self._clock = asyncio.get_running_loop().time
        # When its sight was looked at last, by that clock.
        self._seen = 0.0
        self._place = 0
        self._counted = -1
        # Of Tally.dropped_before, what was told; None: the list is not complete.
        self._dropped: int | None = None
        self._shown = None if wanted.query == EVERYTHING else Shown()

    async def follow(
        self, resume: pb.ResumeToken | None
    ) -> AsyncIterator[pb.WatchExecutionsResponse]:
        """The list and what happens to it, without end; it begins anew with another sight."""
        self._place = 0 if resume is None else resume.revision
        self._see()
        lost = resume is not None and not self._reachable(resume.epoch)
        anew = resume is None or lost
        while True:
            with self._feed.following() as follower, self._woken(follower):
                try:
                    async for response in self._follow(follower, lost, anew):
                        yield response
                    return
                except Behind:
                    # What it has missed is read from the disk, unless that is too much.
                    lost = anew = not self._reachable(self._epoch)
                except _Resighted:
                    lost = anew = True
                    self._see()

    def _look(self) -> Sight:
        return EVERY if self._looking is None else self._looking.now()

    def _woken(self, follower: Follower) -> AbstractContextManager[None]:
        return nullcontext() if self._looking is None else self._looking.telling(follower.wake)

    def _see(self) -> None:
        sight = self._look()
        self._sight, self._seen = sight, self._clock()
        self._query = in_sight(self._wanted.query, sight)
        self._counted = -1
        self._epoch = self._feed.epoch
        if sight.names is None:
            self._tally = self._stored
            return
        self._tally = SeenTally(self._stored, self._searches, in_sight(EVERYTHING, sight))
        # Who comes back and may see others now has to be told of all of them.
        self._epoch += f".{digest_of(sight.names)}"

    def _check_sight(self) -> None:
        """Raises :class:`_Resighted`, or what tells that nothing may be seen any more."""
        if self._is_resighted() and self._clock() >= self._seen + _SIGHT_SECONDS:
            raise _Resighted

    def _is_resighted(self) -> bool:
        sight = self._look()
        return sight is not self._sight and sight != self._sight

    async def _count(self) -> None:
        if isinstance(self._tally, SeenTally):
            await self._tally.refresh()

    def _reachable(self, epoch: str) -> bool:
        near = self._feed.head - self._place <= _MOST_CAUGHT_UP
        return epoch == self._epoch and near and self._feed.has(self._feed.epoch, self._place)

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
                if _says_anything(response):
                    yield response
        self._place = follower.head
        # Not before: what is read of the past may tell of what is dropped by now.
        self._dropped = 0
        await self._count()
        yield self._response(self._token(), caught_up=True)
        async for response in self._live(follower):
            yield response

    async def _live(self, follower: Follower) -> AsyncIterator[pb.WatchExecutionsResponse]:
        clock = self._clock
        told = clock()
        while True:
            await follower.gather(told + _SHORTEST_INTERVAL_SECONDS)
            until = told + self._seconds
            if self._is_resighted():
                until = min(until, self._seen + _SIGHT_SECONDS)
            taken = await follower.take(max(until - clock(), 0))
            if taken is None:
                return
            self._check_sight()
            await self._count()
            for start in range(0, len(taken), FULL):
                response = await self._batch(taken[start : start + FULL])
                if _says_anything(response):
                    yield response
                    told = clock()
            if clock() - told >= self._seconds:
                yield self._response(self._token())
                told = clock()

    async def _snapshot(self) -> AsyncIterator[list[pb.ExecutionChange]]:
        query, recent, before = self._query, self._wanted.recent, None
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
        changes = [change for change in changes if change.workflow in self._sight]
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
        # Whatever was read before.
        self._check_sight()
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
        return pb.ResumeToken(epoch=self._epoch, revision=self._place)


def _says_anything(response: pb.WatchExecutionsResponse) -> bool:
    """More than how far it has come: what was told once is not told again."""
    told = response.changes or response.gone_ids or response.counts
    return bool(told) or response.HasField("dropped_before")


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
