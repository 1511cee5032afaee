"""The watch of one execution, until it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from podium.executor.v1 import executor_pb2 as pb
from services.errors import NotFound
from services.executor import loading
from services.executor.feed import Behind, Change, Feed, Follower
from services.executor.readers import Readers
from services.executor.seeing import not_there
from services.executor.snapshots import Snapshots
from services.executor.states import (
    EXECUTION_STATUS,
    GONE,
    parsed_change,
    state_of,
    task_facts,
    task_state,
)

_HEARTBEAT = timedelta(seconds=5)
# Of one execution: to look through more changes for it takes longer than to begin anew.
_MOST_LOOKED_THROUGH = 20_000

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
            raise not_there(execution_id)
        return pb.WatchExecutionResponse(
            resume=self._token(revision),
            execution=state_of(loaded.execution, loaded.origin),
            tasks=[task_state(task_facts(task)) for task in loaded.attempts],
        )

    def _of_one(self, change: Change) -> pb.WatchExecutionResponse:
        if change.state == GONE:
            raise NotFound("The execution was deleted.", execution_id=change.execution_id)
        execution, tasks = parsed_change(change.state)
        return pb.WatchExecutionResponse(
            resume=self._token(change.revision), execution=execution, tasks=tasks
        )

    def _token(self, revision: int) -> pb.ResumeToken:
        return pb.ResumeToken(epoch=self._feed.epoch, revision=revision)
