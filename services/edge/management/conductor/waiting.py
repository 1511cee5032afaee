"""Requests that wait: for as long as their caller is there, and over a restart of the executor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.duration_pb2 import Duration

from podium.executor.v1 import executor_pb2 as pb
from services.edge.call import Call, Gone
from services.edge.executor import PATIENCE_SECONDS
from services.edge.management.conductor.wording import in_their_words
from services.edge.management.refusals import refusal
from services.edge.problems import Problem
from services.errors import NotFound, PermissionDenied, ServiceError, Unavailable, Unwritable

if TYPE_CHECKING:
    from services.edge.management.conductor.asking import Asked

T = TypeVar("T")

LONGEST_SECONDS = 300
_AGAIN_SECONDS = 0.1
# For the answer itself, after the wait.
_MARGIN_SECONDS = 10.0


class Waits:
    """Those that are under way: when this edge ends, they end before it."""

    def __init__(self) -> None:
        self._limits: set[asyncio.Timeout] = set()
        self._over = False

    def give_up_all(self) -> None:
        """Have whoever waits told how things stand; once."""
        self._over = True
        for limit in self._limits:
            limit.reschedule(0.0)
        self._limits.clear()

    @asynccontextmanager
    async def wait(self) -> AsyncGenerator[None]:
        """Wait within the block. Raises TimeoutError: it was given up."""
        async with asyncio.timeout(0.0 if self._over else None) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)


async def while_there(call: Call, asking: Coroutine[None, None, T]) -> T:
    """What ``asking`` comes to; it is ended when the client leaves.

    Raises:
        Gone: It has left.
    """
    task = asyncio.create_task(asking)

    def leave() -> None:
        task.cancel()

    call.cycle.on_gone = leave
    if call.cycle.disconnected:
        # Of that nobody will be told again.
        task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        if call.cycle.disconnected:
            raise Gone from None
        raise
    finally:
        call.cycle.on_gone = None


async def patiently(ask: Callable[[float], Coroutine[None, None, T]], seconds: float) -> T:
    """What ``ask`` answers, which may be asked twice; again while the executor is away.

    Args:
        ask: Told how many of ``seconds`` are left.

    Raises:
        ServiceError: What it raises; Unavailable: neither they nor patience have been enough.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        try:
            return await ask(max(began + seconds - loop.time(), 0.0))
        except Unwritable:
            raise
        except Unavailable:
            if loop.time() + _AGAIN_SECONDS >= began + max(seconds, PATIENCE_SECONDS):
                raise
        # Told at once that nobody is there: the next try must not follow at once.
        await asyncio.sleep(_AGAIN_SECONDS)


def once_only(error: ServiceError) -> Problem:
    """``error`` about what may have been done: whoever does as it says does it twice."""
    problem = refusal(in_their_words(error))
    members = {**problem.members, "retryable": False}
    return Problem(problem.kind, problem.detail, problem.errors, members=members)


async def said_once(saying: Awaitable[T]) -> T:
    """What ``saying`` comes to, which said twice is done twice.

    As a word for whichever task is next, by a signal or of a loop; or that something begins anew.

    Raises:
        Problem: 503: it may have been done, and is not to be sent again unseen.
    """
    try:
        return await saying
    except Unwritable:
        raise
    except Unavailable as error:
        raise once_only(error) from error


async def stood_still(
    request: Asked, execution_id: str, refs: Sequence[str], seconds: float, *, show: bool
) -> pb.AttachExecutionResponse | None:
    """How an execution stands once it has ended, waits for somebody, or one of ``refs`` has ended.

    After ``seconds``, or when this edge ends, as it stands then.

    Args:
        show: With all that it holds, which for the executor is to read it anew and to write it.

    Returns:
        None: it may not be waited for, or is gone.

    Raises:
        Unavailable: The executor did not answer; Overloaded: too many wait.
    """

    async def ask(left: float) -> pb.AttachExecutionResponse:
        wait = Duration()
        wait.FromTimedelta(timedelta(seconds=left))
        attach = pb.Attach(execution_id=execution_id, await_refs=refs)
        asked = pb.AttachExecutionRequest(attach=attach, wait=wait, until_blocked=True, show=show)
        method = request.stubs.executor.AttachExecution
        return await request.ask(method, asked, left + _MARGIN_SECONDS)

    try:
        try:
            async with request.management.waits.wait():
                return await patiently(ask, seconds)
        except TimeoutError:
            return await ask(0.0)
    except (NotFound, PermissionDenied):
        return None
