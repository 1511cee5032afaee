"""What happens to an execution, as values: its progress, and its end.

Who follows one is not bothered with an executor that dies meanwhile: what it has said is not said
again, and nothing of what happens is left out as long as the executor still has it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from podium.executor.v1 import executor_pb2 as pb
from services import rpc
from services.edge import statuses
from services.edge.answers import ended
from services.edge.executor import Executor
from services.edge.watched import Followed
from services.errors import ServiceError, Unavailable

logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_OPEN = frozenset((pb.EXECUTION_STATUS_RUNNING, pb.EXECUTION_STATUS_PAUSED))
_OPEN_TASK = frozenset((pb.TASK_STATUS_SCHEDULED, pb.TASK_STATUS_IN_PROGRESS))


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the executor's changes.

    Attributes:
        over: Of what is followed, the end is known there.
        status: The execution's there.
    """

    epoch: str
    revision: int
    over: bool = False
    status: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt of one task.

    Attributes:
        poll: How often it has polled.
        progress: What the remote said last.
    """

    ref: str
    kind: str
    status: str
    attempt: int
    iteration: int
    poll: int
    progress: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Update:
    """One change.

    Attributes:
        mark: The place after it.
        status: The execution's, e.g. RUNNING.
        progress: The number that a remote reported with it, if one did.
        steps: The attempts that changed; all there are, where the state as it is was asked for.
    """

    mark: Mark
    status: str
    progress: float | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The end; nothing follows."""

    result: pb.Result


Told: TypeAlias = Update | Ended


async def follow(
    executor: Executor, followed: Followed, since: Mark | None = None
) -> AsyncGenerator[Told]:
    """What happens, from ``since`` on, or from the state as it is; without end but :class:`Ended`.

    Raises:
        ServiceError: NotFound, PermissionDenied: it is not to be had (any more).
    """
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            async with aclosing(_follow(executor, followed, since)) as changes:
                async for told in changes:
                    yield told
                    if isinstance(told, Ended):
                        return
                    since, pause = told.mark, _FIRST_PAUSE_SECONDS
        except ServiceError as error:
            if not _broke(error):
                raise
            logger.info("A watch of %s broke: %s", followed.execution_id, error.detail)
        # An executor that ends closes its watches, and the next one is not there at once.
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _broke(error: ServiceError) -> bool:
    """Whether it is the connection's end, and says nothing of the execution."""
    return isinstance(error, Unavailable) or (
        type(error) is ServiceError and rpc.is_of_transport(error)
    )


async def _follow(
    executor: Executor, followed: Followed, since: Mark | None
) -> AsyncGenerator[Told]:
    """As :func:`follow`, on one connection."""
    if since is not None and since.over:
        result = await _result(executor, followed)
        if ended(result):
            yield Ended(result)
            return
    resume = None
    if since is not None:
        resume = pb.ResumeToken(epoch=since.epoch, revision=since.revision)
    end = _End(followed.await_refs, since.status if since else "")
    async with aclosing(executor.watch(followed.execution_id, resume)) as changes:
        async for change in changes:
            if not end.may_be_at(change):
                yield _update(change, over=False)
                continue
            result = await _result(executor, followed)
            over = ended(result)
            yield _update(change, over=over)
            if over:
                yield Ended(result)
                return


async def _result(executor: Executor, followed: Followed) -> pb.Result:
    return await executor.attach(
        followed.execution_id, followed.await_refs, followed.application_id
    )


class _End:
    """Where the end may be in changes that are told one after the other.

    To ask at others too would tell, to who comes back, of an end that is only further on.
    """

    def __init__(self, await_refs: Sequence[str], status: str) -> None:
        self._await_refs = await_refs
        self._status = status
        # A pause holds back whether an attempt that has ended is its task's last.
        self._held = status == "PAUSED"

    def may_be_at(self, change: pb.WatchExecutionResponse) -> bool:
        """Whether what is followed may have ended with ``change``, the next one."""
        status = _status(change)
        goes_on, self._status = self._held and status != self._status, status
        ended = any(_is_awaited(task, self._await_refs) for task in change.tasks)
        self._held = self._held or ended
        return change.execution.status not in _OPEN or ended or (goes_on and bool(self._await_refs))


def _is_awaited(task: pb.TaskState, await_refs: Sequence[str]) -> bool:
    # In a loop, the first iteration counts.
    awaited = task.ref in await_refs or task.ref.removesuffix("__1") in await_refs
    return awaited and task.status not in _OPEN_TASK


def _update(change: pb.WatchExecutionResponse, *, over: bool) -> Update:
    return Update(
        mark=Mark(change.resume.epoch, change.resume.revision, over, _status(change)),
        status=_status(change),
        progress=_latest(change.tasks),
        steps=tuple(_step(task) for task in change.tasks),
    )


def _status(change: pb.WatchExecutionResponse) -> str:
    return statuses.of_execution(change.execution.status)


def _step(task: pb.TaskState) -> Step:
    return Step(
        ref=task.ref,
        kind=task.kind,
        status=statuses.of_task(task.status),
        attempt=task.attempt,
        iteration=task.iteration,
        poll=task.poll_count,
        progress=_progress(task),
        reason=task.reason,
    )


def _latest(tasks: Iterable[pb.TaskState]) -> float | None:
    """What the attempt said that began last; attempts that say nothing do not count."""
    said = [(task.sequence, number) for task in tasks if (number := _progress(task)) is not None]
    return max(said)[1] if said else None


def _progress(task: pb.TaskState) -> float | None:
    if task.HasField("progress"):
        return task.progress
    poll = task.last_poll
    if not poll.HasField("progress") or not math.isfinite(poll.progress):
        return None
    return poll.progress
