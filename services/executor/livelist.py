"""A list of executions that is kept current: a snapshot, newest first, then what happens."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from podium.executor.v1 import executor_pb2 as pb
from services.errors import InvalidRequest
from services.executor import queries
from services.executor.batches import batch, change_of
from services.executor.feed import FULL, Behind, Change, Feed, Follower
from services.executor.patterns import MOST_STARS, matches
from services.executor.queries import Filters
from services.executor.readers import Readers
from services.executor.states import EXECUTION_STATUS
from services.executor.tally import Tally

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
        workflow: A name, in which ``*`` stands for any characters; empty: any.
    """

    recent: int
    workflow: str

    @classmethod
    def of(cls, request: pb.WatchExecutionsRequest) -> Wanted:
        """Raises :class:`InvalidRequest` for what no list can have."""
        if not 0 <= request.recent <= _MOST_RECENT:
            raise InvalidRequest(f"recent must be 0 to {_MOST_RECENT}.")
        if request.workflow_name.count("*") > MOST_STARS:
            raise InvalidRequest(f"workflow_name may hold {MOST_STARS} '*' at most.")
        return cls(request.recent, request.workflow_name)

    def has(self, change: Change) -> bool:
        return not self.workflow or matches(self.workflow, change.workflow)


class LiveList:
    """One list, for one that follows it.

    Args:
        heartbeat: So long at most until the next message.
    """

    def __init__(
        self,
        feed: Feed,
        readers: Readers,
        tally: Tally,
        wanted: Wanted,
        heartbeat: timedelta = _HEARTBEAT,
    ) -> None:
        self._feed = feed
        self._readers = readers
        self._tally = tally
        self._wanted = wanted
        self._seconds = heartbeat.total_seconds()
        self._place = 0
        self._counted = -1

    async def follow(
        self, resume: pb.ResumeToken | None
    ) -> AsyncIterator[pb.WatchExecutionsResponse]:
        """The list and what happens to it, without end."""
        lost = resume is not None and not self._feed.has(resume.epoch, resume.revision)
        anew = resume is None or lost
        self._place = 0 if resume is None else resume.revision
        while True:
            with self._feed.following() as follower:
                try:
                    async for response in self._follow(follower, lost, anew):
                        yield response
                    return
                except Behind:
                    # What it has missed is read from the disk, unless that is too much.
                    lost = anew = not self._reachable()

    def _reachable(self) -> bool:
        near = self._feed.head - self._place <= _MOST_CAUGHT_UP
        return near and self._feed.has(self._feed.epoch, self._place)

    async def _follow(
        self, follower: Follower, lost: bool, anew: bool
    ) -> AsyncIterator[pb.WatchExecutionsResponse]:
        if lost:
            yield self._response(_BROKEN_OFF, compacted=True)
        if anew:
            self._place = follower.head
            async for changes in self._snapshot():
                yield self._response(_BROKEN_OFF, changes)
        else:
            async for page in self._feed.pages(self._place, follower.head):
                if changes := self._batch(page):
                    yield self._response(self._token(), changes)
        self._place = follower.head
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
                response = self._response(None, self._batch(taken[start : start + FULL]))
                if response.changes or response.counts:
                    response.resume.CopyFrom(self._token())
                    yield response
                    told = clock()
            if clock() - told >= self._seconds:
                yield self._response(self._token())
                told = clock()

    async def _snapshot(self) -> AsyncIterator[list[pb.ExecutionChange]]:
        wanted, before = self._wanted, None
        while True:
            changes, before, recent = await self._readers.read(_page, wanted, before)
            if changes:
                yield changes
            if before is None:
                return
            wanted = replace(wanted, recent=recent)

    def _batch(self, changes: Sequence[Change]) -> list[pb.ExecutionChange]:
        self._place = changes[-1].revision
        return batch(filter(self._wanted.has, changes))

    def _response(
        self,
        resume: pb.ResumeToken | None,
        changes: Sequence[pb.ExecutionChange] = (),
        *,
        compacted: bool = False,
        caught_up: bool = False,
    ) -> pb.WatchExecutionsResponse:
        return pb.WatchExecutionsResponse(
            resume=resume,
            changes=changes,
            compacted=compacted,
            caught_up=caught_up,
            counts=self._counts(),
        )

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
    db: sqlite3.Connection, wanted: Wanted, before: Place | None
) -> tuple[list[pb.ExecutionChange], Place | None, int]:
    """The next page of a snapshot, which begins after ``before``.

    With it: where it ends (None: it was the last), and how many are still wanted that have ended.
    """
    filters = Filters(workflow=wanted.workflow, open=not wanted.recent)
    rows = queries.states(db, filters, before, FULL)
    tasks = queries.open_tasks(db, [row[0] for row in rows if row[6] is None])
    changes, recent = [], wanted.recent
    for row in rows:
        if row[6] is None:
            changes.append(change_of(row, tasks.get(row[0], ())))
        elif recent:
            changes.append(change_of(row))
            recent -= 1
    last = rows[-1] if len(rows) == FULL else None
    return changes, (last[4], last[0]) if last is not None else None, recent
