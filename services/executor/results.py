"""How an execution ended, or a task that somebody waits for; and those who wait."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from podium.executor.v1 import executor_pb2 as pb
from services.executor.core.conductor import masked_of, sentences
from services.executor.core.masking import masked
from services.executor.core.model import Execution, Task, TaskStatus
from services.executor.documents import plain, text_of
from services.executor.rows import Origin, micros
from services.executor.states import EXECUTION_STATUS, TASK_STATUS, timestamp

logger = logging.getLogger(__name__)

Deliver = Callable[[pb.Result], None]

# Sent, a larger one would end its session, and again whenever somebody attached.
MOST_BYTES_A_RESULT = 30 << 20
# From here on the bytes are counted; below, a message of 8 MiB in characters has room for them.
_COUNTED_CHARS = 64 << 10
FRAME_BYTES = 512


def result_of(
    execution: Execution, origin: Origin, refs: Sequence[str], output: str | None = None
) -> pb.Result | None:
    """The end of the first of ``refs`` to end, else of the execution; None: neither has ended.

    Args:
        output: The execution's output as text, where that is known.
    """
    task = _first_ended(execution, refs) if refs else None
    if task is None:
        return standing_of(execution, origin, output) if execution.status.final else None
    result = _result(execution, origin)
    result.output = text_of(masked(task.output, masked_of(execution, task)))
    result.reason = _said(execution, task.reason)
    result.awaited_ref = plain(task.step)
    result.awaited_status = TASK_STATUS[task.status.value]
    return result


def standing_of(execution: Execution, origin: Origin, output: str | None = None) -> pb.Result:
    """Where the execution stands; with its output, once it has ended."""
    result = _result(execution, origin)
    if execution.status.final:
        result.output = _shown(execution, output)
    if execution.reason:
        result.reason = _said(execution, execution.reason)
    return result


def _shown(execution: Execution, output: str | None) -> str:
    if execution.workflow.masked:
        return text_of(masked(execution.output, execution.workflow.masked))
    return text_of(execution.output) if output is None else output


def _said(execution: Execution, reason: str) -> str:
    if execution.workflow.masked:
        reason = sentences(execution, [*execution.tasks.values()]).text(reason)
    return plain(reason)


def _result(execution: Execution, origin: Origin) -> pb.Result:
    ended = execution.ended_at
    return pb.Result(
        execution_id=execution.id,
        status=EXECUTION_STATUS[execution.status.value],
        answer=origin.answer,
        ended_at=None if ended is None else timestamp(micros(ended)),
    )


def _first_ended(execution: Execution, refs: Sequence[str]) -> Task | None:
    """The task of ``refs`` whose final attempt ended first; in a loop its first iteration counts.

    An attempt that a retry follows is no longer the latest of its ref; one that failed in a paused
    execution is held until it is known whether one follows; and one that the end of the execution
    cancelled has not ended by itself.
    """
    ended = [
        task
        for ref in refs
        if (task := execution.tasks.get(ref) or execution.tasks.get(f"{ref}__1")) is not None
        and task.status.final
        and (task.status.successful or not task.held)
        and task.status is not TaskStatus.CANCELED
    ]
    return min(ended, key=lambda task: task.ended_at or task.updated_at, default=None)


def sendable(result: pb.Result, size: int | None = None) -> pb.Result:
    """``result``, or another without its output where that is more than a message holds.

    Args:
        size: Of ``result``, where it is known.
    """
    if (size_of(result) if size is None else size) <= MOST_BYTES_A_RESULT:
        return result
    return pb.Result(
        execution_id=result.execution_id,
        status=result.status,
        reason=result.reason,
        awaited_ref=result.awaited_ref,
        awaited_status=result.awaited_status,
        answer=result.answer,
        ended_at=result.ended_at if result.HasField("ended_at") else None,
        replayed=result.replayed,
        output_left_out=True,
        blocked=result.blocked if result.HasField("blocked") else None,
    )


def size_of(result: pb.Result) -> int:
    """Roughly the bytes of a frame with ``result``."""
    output = result.output
    size = len(output)
    if size > _COUNTED_CHARS and not output.isascii():
        size = len(output.encode())
    return FRAME_BYTES + size + len(result.answer)


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody who waits for a result; it is also that of others who wait for the same."""

    refs: tuple[str, ...]
    deliver: Deliver


class Follower(Protocol):
    """Somebody who looks at what a commit has changed."""

    def committed(self, execution: Execution, changed: Iterable[Task]) -> None:
        """It was stored as it stands; of its tasks ``changed`` are new, or others than before."""


class Waiters:
    """Who waits for which execution; it costs no more than that, so many may wait for long."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Waiter]] = {}
        self._followers: dict[str, list[Follower]] = {}

    def follow(self, execution_id: str, follower: Follower) -> None:
        """Have ``follower`` told of every commit of an execution, until it leaves that."""
        self._followers.setdefault(execution_id, []).append(follower)

    def unfollow(self, execution_id: str, follower: Follower) -> None:
        """A second time changes nothing."""
        following = self._followers.get(execution_id)
        if following is not None and follower in following:
            following.remove(follower)
            if not following:
                del self._followers[execution_id]

    def committed(self, execution: Execution, changed: Iterable[Task]) -> None:
        """Tell those who follow it."""
        if not self._followers:
            return
        for follower in tuple(self._followers.get(execution.id, ())):
            try:
                follower.committed(execution, changed)
            except Exception:
                # The outermost loop of a follower, as of a waiter.
                logger.exception("Somebody could not follow execution %s.", execution.id)

    def wait(self, execution_id: str, waiter: Waiter) -> None:
        self._waiting.setdefault(execution_id, []).append(waiter)

    def leave(self, execution_id: str, waiter: Waiter) -> None:
        """Wait no longer; a second time changes nothing."""
        waiting = self._waiting.get(execution_id)
        if waiting is not None and waiter in waiting:
            waiting.remove(waiter)
            if not waiting:
                del self._waiting[execution_id]

    def tell(self, execution: Execution, origin: Origin, output: str | None) -> None:
        """It was stored as it stands; whoever waited for that is told, once.

        Args:
            output: The execution's output as text, where that is known.
        """
        waiting = self._waiting.get(execution.id)
        if waiting is None:
            return
        results: dict[tuple[str, ...], pb.Result | None] = {}
        for waiter in list(waiting):
            if waiter.refs not in results:
                results[waiter.refs] = result_of(execution, origin, waiter.refs, output)
            if (result := results[waiter.refs]) is not None:
                self.leave(execution.id, waiter)
                try:
                    waiter.deliver(result)
                except Exception:
                    # The outermost loop of a waiter: the execution and the others go on.
                    logger.exception("Somebody could not be told of execution %s.", execution.id)
