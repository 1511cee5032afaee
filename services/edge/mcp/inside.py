"""A tool's call as a request within the gateway: it goes the way of any other."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from podium.executor.v1 import executor_pb2 as pb
from services.edge.answers import ending_of, not_done, of_result
from services.edge.call import Answer, Call, Left, Message, caller_of
from services.edge.endpoint import Endpoint, of_problem, problem_of
from services.edge.mcp.arguments import Asked
from services.edge.problems import Problem
from services.edge.progress import Ended, Update, follow
from services.edge.unconnected import Unconnected
from services.errors import ServiceError

if TYPE_CHECKING:
    from services.edge.gateway import Gateway
    from services.edge.watched import Watched


class Report(Protocol):
    """Tells a client of progress; with details, where those are ``exposed``."""

    async def __call__(self, update: Update, *, exposed: bool) -> None: ...


# They are about the request that carries the call, and not about the call.
_NOT_PASSED_ON = frozenset(
    {
        b"accept", b"connection", b"content-encoding", b"content-length", b"content-type",
        b"expect", b"idempotency-key", b"if-none-match", b"last-event-id", b"prefer",
        b"transfer-encoding", b"upgrade", b"x-request-id",
    }
)  # fmt: skip


class InnerCall:
    """One call of a route on behalf of ``outer``.

    Args:
        endpoint: With the stages of a route.
    """

    def __init__(
        self, outer: Call, asked: Asked, endpoint: Endpoint[Gateway], gateway: Gateway
    ) -> None:
        self._endpoint = endpoint
        self._gateway = gateway
        self._cycle = Unconnected(time.monotonic())
        self._watched: Watched | None = None
        self._left: Left | None = None
        self._limit: asyncio.Timeout | None = None
        self._ending = False
        self.call = _call(outer, asked, self._cycle)
        self._principal = caller_of(outer).principal

    def gone(self) -> None:
        """The client has left."""
        self._cycle.gone()
        self.end()

    def failed(self, kind: str) -> Answer:
        """The answer that tells the problem of that kind."""
        return of_problem(self.call, Problem(kind))

    def end(self) -> None:
        """Tell what is known by now to whoever listens, or as soon as there is something."""
        self._ending = True
        limit, self._limit = self._limit, None
        if limit is not None and not limit.expired():
            limit.reschedule(asyncio.get_running_loop().time())

    async def run(self, report: Report | None) -> Answer:
        """The route's answer; ``report`` is told what happens until then.

        Who listens is answered when it is done, if a stream may last so long; any other after the
        route's time.
        """
        if report is None:
            return await self._endpoint.run(self.call)
        try:
            slot = self._gateway.streams.take(self._principal)
        except Problem as problem:
            return of_problem(self.call, problem)
        try:
            return await self._told(report)
        finally:
            slot.release()

    async def _told(self, report: Report) -> Answer:
        self.call.follow = self._keep
        answer = await self._endpoint.run(self.call)
        if self._watched is None:
            return answer
        # How long it is listened to says nothing of how quick the gateway is.
        self.call.answered_at = time.monotonic()
        try:
            return await self._answer(self._watched, report)
        finally:
            if self._left is not None and self._cycle.disconnected:
                await self._left()

    def _keep(self, watched: Watched, left: Left | None) -> Answer:
        self._watched, self._left = watched, left
        return Answer(202)

    async def _answer(self, watched: Watched, report: Report) -> Answer:
        try:
            result = await self._result(watched, report)
            if result is None:
                return not_done(
                    watched.followed.execution_id, watched.location, pb.EXECUTION_STATUS_RUNNING
                )
            self.call.outcome = ending_of(result, self.call.execution_id)
            return await of_result(result, watched.response, self.call, self._gateway)
        except Problem as problem:
            return of_problem(self.call, problem)
        except ServiceError as error:
            return of_problem(self.call, problem_of(error))

    async def _result(self, watched: Watched, report: Report) -> pb.Result | None:
        """None: it is not there yet, and nobody is to wait longer."""
        seconds = 0.0 if self._ending else self._gateway.streams.seconds
        self._limit = limit = asyncio.timeout(seconds)
        changes = follow(self._gateway.executor, watched.followed)
        try:
            async with limit, aclosing(changes):
                async for told in changes:
                    if isinstance(told, Ended):
                        return told.result
                    await report(told, exposed=watched.response.exposed)
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            self._limit = None
        return None


def _call(outer: Call, asked: Asked, cycle: Unconnected) -> Call:
    kept = [each for each in outer.headers if each[0] not in _NOT_PASSED_ON]
    kept.append((b"x-request-id", outer.request_id.encode()))
    if asked.body is not None:
        kept.append((b"content-type", b"application/json"))
        kept.append((b"content-length", b"%d" % len(asked.body)))
    message: Message = {"type": "http.request", "body": asked.body or b"", "more_body": False}

    async def receive() -> Message:
        return message

    header = dict(reversed(kept))
    return Call(asked.method, asked.raw_path, asked.query, kept, header, receive, cycle)
