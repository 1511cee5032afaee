"""The two watches: of one execution until it ends, and of all without end."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from podium.executor.v1 import executor_pb2 as pb
from services.errors import NotFound
from services.executor import loading, queries
from services.executor.feed import Behind, Change, Feed, Follower
from services.executor.patterns import matches
from services.executor.readers import Readers
from services.executor.rows import Row
from services.executor.snapshots import Snapshots
from services.executor.states import (
    EXECUTION_STATUS,
    execution_state,
    parsed_change,
    state_of,
    task_facts,
    task_state,
)

_HEARTBEAT = timedelta(seconds=5)
_PAGE = 200
# Of one execution: to look through more changes for it takes longer than to begin anew.
_MOST_LOOKED_THROUGH = 20_000

# The place within a snapshot: who comes back with it has not seen all that runs, and begins anew.
_BROKEN_OFF = pb.ResumeToken()

_OPEN = frozenset((EXECUTION_STATUS["RUNNING"], EXECUTION_STATUS["PAUSED"]))


class Watching:
    """Serves watches from the feed."""

    def __init__(
        self,
        feed: Feed,
        readers: Readers,
        snapshots: Snapshots,
        heartbeat: timedelta = _HEARTBEAT,
    ) -> None:
        self._feed = feed
        self._readers = readers
        self._snapshots = snapshots
        self._seconds = heartbeat.total_seconds()

    async def one(
        self, execution_id: str, resume: pb.ResumeToken | None
    ) -> AsyncIterator[pb.WatchExecutionResponse]:
        """What happens to one execution, until it ends.

        Raises:
            NotFound: There is no such execution.
        """
        compacted = False
        while True:
            with self._feed.following(execution_id) as follower:
                try:
                    async for response in self._one(execution_id, resume, follower, compacted):
                        yield response
                        if response.execution.status not in _OPEN:
                            return
                    return
                except Behind:
                    compacted, resume = True, None

    async def _one(
        self,
        execution_id: str,
        resume: pb.ResumeToken | None,
        follower: Follower,
        compacted: bool,
    ) -> AsyncIterator[pb.WatchExecutionResponse]:
        state = await self._state(execution_id, follower.head)
        if resume is not None and self._reaches(resume, follower.head):
            async for change in self._feed.backlog(resume.revision, follower.head, execution_id):
                yield self._of_one(change)
            if state.execution.status not in _OPEN:
                # It had ended before; the watcher may have been told already, or not.
                state.ClearField("tasks")
                yield state
        else:
            state.compacted = compacted or resume is not None
            yield state
        while (changes := await follower.take(self._seconds)) is not None:
            for change in changes:
                yield self._of_one(change)

    def _reaches(self, resume: pb.ResumeToken, head: int) -> bool:
        near = head - resume.revision <= _MOST_LOOKED_THROUGH
        return near and self._feed.has(resume.epoch, resume.revision)

    async def _state(self, execution_id: str, revision: int) -> pb.WatchExecutionResponse:
        loaded = await self._readers.read(loading.load_whole, execution_id, self._snapshots)
        if loaded is None:
            raise NotFound(f"There is no execution {execution_id!r}.", execution_id=execution_id)
        return pb.WatchExecutionResponse(
            resume=self._token(revision),
            execution=state_of(loaded.execution, loaded.origin),
            tasks=[task_state(task_facts(task)) for task in loaded.attempts],
        )

    def _of_one(self, change: Change) -> pb.WatchExecutionResponse:
        execution, tasks = parsed_change(change.state)
        return pb.WatchExecutionResponse(
            resume=self._token(change.revision), execution=execution, tasks=tasks
        )

    async def all(
        self, resume: pb.ResumeToken | None, workflow: str
    ) -> AsyncIterator[pb.WatchExecutionsResponse]:
        """What happens to all executions of ``workflow`` (a pattern; empty: of any)."""
        compacted = resume is not None and not self._feed.has(resume.epoch, resume.revision)
        after = None if resume is None or compacted else resume.revision
        while True:
            with self._feed.following() as follower:
                try:
                    async for response in self._all(after, workflow, follower, compacted):
                        yield response
                    return
                except Behind:
                    compacted, after = True, None

    async def _all(
        self, after: int | None, workflow: str, follower: Follower, compacted: bool
    ) -> AsyncIterator[pb.WatchExecutionsResponse]:
        if compacted:
            yield pb.WatchExecutionsResponse(resume=_BROKEN_OFF, compacted=True)
        if after is None:
            async for response in self._running(workflow):
                yield response
        else:
            async for change in self._feed.backlog(after, follower.head):
                if not workflow or matches(workflow, change.workflow):
                    yield self._of_all(change)
        revision = follower.head
        yield pb.WatchExecutionsResponse(resume=self._token(revision), caught_up=True)
        clock = asyncio.get_running_loop().time
        told = clock()
        while (changes := await follower.take(self._seconds)) is not None:
            for change in changes:
                revision = change.revision
                if not workflow or matches(workflow, change.workflow):
                    told = clock()
                    yield self._of_all(change)
            if clock() - told >= self._seconds:
                told = clock()
                yield pb.WatchExecutionsResponse(resume=self._token(revision))

    async def _running(self, workflow: str) -> AsyncIterator[pb.WatchExecutionsResponse]:
        """Every execution that runs, with its open tasks."""
        after = (0, "")
        while True:
            rows = await self._readers.read(_page_of_running, after, workflow)
            for row, tasks in rows:
                if tasks is not None:
                    yield pb.WatchExecutionsResponse(
                        resume=_BROKEN_OFF,
                        execution=execution_state(row),
                        tasks=map(task_state, tasks),
                    )
            if len(rows) < _PAGE:
                return
            last, _ = rows[-1]
            after = (last[4], last[0])

    def _of_all(self, change: Change) -> pb.WatchExecutionsResponse:
        execution, tasks = parsed_change(change.state)
        return pb.WatchExecutionsResponse(
            resume=self._token(change.revision), execution=execution, tasks=tasks
        )

    def _token(self, revision: int) -> pb.ResumeToken:
        return pb.ResumeToken(epoch=self._feed.epoch, revision=revision)


def _page_of_running(
    db: sqlite3.Connection, after: tuple[int, str], workflow: str
) -> list[tuple[Row, list[list[Any]] | None]]:
    """Rows of STATE_COLUMNS with the facts of their open tasks; None: it is not ``workflow``'s."""
    return [
        (
            row,
            queries.open_tasks(db, row[0]) if not workflow or matches(workflow, row[1]) else None,
        )
        for row in queries.running(db, after, _PAGE)
    ]
