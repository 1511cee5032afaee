"""The one ASGI application of a listener: runs a tuple of stages, writes what they answer.

Plain ASGI: a request costs what its stages cost.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from services.edge.call import Answer, Call, Gone, Headers, Receive, Stream, call_of
from services.edge.problems import CONTENT_TYPE, Problem, body_of, challenge, retry_after
from services.errors import Overloaded, ServiceError

logger = logging.getLogger(__name__)

# RFC 9110 §8.6: there is no length to tell, or it is another answer's.
_WITHOUT_BODY = (204, 304)
# No answer was sent: the client had closed the request. It has nginx's number, and is only counted.
CLIENT_LEFT = 499
_SECONDS = re.compile(r"[0-9]{1,9}\Z")

C = TypeVar("C")

Record = Callable[[Call, int], None]

Met = Callable[[Call, Problem], Awaitable[Problem]]

# A stage gives the answer, or None for the next one to go on; or it raises.
Stage = Callable[[Call, C], Awaitable[Answer | None]]

# What a service's error is to a caller, by the status that services/errors.py gives it.
_PROBLEM_OF: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "invalid-request",
    HTTPStatus.UNAUTHORIZED: "unauthenticated",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.CONFLICT: "conflict",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body-too-large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "idempotency-key-reused",
    HTTPStatus.TOO_MANY_REQUESTS: "rate-limited",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
}


class Endpoint(Generic[C]):
    """An ASGI application of a listener whose cycles are :class:`services.edge.cycle.Cycle`.

    Args:
        stages: Run in order until one answers.
        context: What every stage is given beside the call.
        tell: The problem as this listener's callers read it.
        record: Told of every request, with the status of its answer.
        met: What is told instead of a problem that a stage raised; None: that.
    """

    def __init__(
        self,
        stages: tuple[Stage[C], ...],
        context: C,
        tell: Callable[[Call, Problem], Problem] = lambda _call, problem: problem,
        record: Record = lambda call, status: None,
        met: Met | None = None,
    ) -> None:
        self._stages = stages
        self._context = context
        self._tell = tell
        self._record = record
        self._met = met

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: object) -> None:
        call = call_of(scope, receive)
        try:
            answer = await self.run(call)
        except Gone:
            self._record(call, CLIENT_LEFT)
            return
        headers = [
            *answer.headers,
            *call.shared_headers,
            (b"x-request-id", call.request_id.encode()),
        ]
        if call.execution_id:
            headers.append((b"podium-execution-id", call.execution_id.encode()))
        if answer.stream is not None:
            call.answered_at = time.monotonic()
            await _stream(call, answer.status, tuple(headers), answer.stream)
            self._record(call, answer.status)
            return
        if answer.status not in _WITHOUT_BODY:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        await call.cycle.answer(answer.status, tuple(headers), answer.body)
        self._record(call, answer.status)
        _log(call, answer.status)

    async def run(self, call: Call) -> Answer:
        """What the stages answer, or the problem that they raise; Gone goes on."""
        try:
            for stage in self._stages:
                answer = await stage(call, self._context)
                if answer is not None:
                    return answer
            raise Problem("no-route")
        except Problem as problem:
            return of_problem(call, self._tell(call, await self._meet(call, problem)))
        except ServiceError as error:
            return of_problem(call, self._tell(call, problem_of(error)))
        except Gone:
            raise
        except Exception:  # the outermost loop of a request: no other is harmed by it
            logger.exception("A request failed.", extra={"request_id": call.request_id})
            return of_problem(call, self._tell(call, Problem("internal")))

    async def _meet(self, call: Call, problem: Problem) -> Problem:
        return problem if self._met is None else await self._met(call, problem)


async def _stream(call: Call, status: int, headers: Headers, stream: Stream) -> None:
    try:
        await call.cycle.stream(status, headers, stream)
    except Exception:  # as above; that it breaks off is all that can be told now
        logger.exception("A stream failed.", extra={"request_id": call.request_id})
        call.cycle.break_off()
    finally:
        await stream.closed()
    _log(call, status)


def _log(call: Call, status: int) -> None:
    level = logging.INFO if status >= 500 else logging.DEBUG
    if not logger.isEnabledFor(level):
        return
    # A path as it came may hold a token: of a callback, say.
    path = call.route.path if call.route else "/" + "/".join(call.segments[:2])
    ids = {"request_id": call.request_id, "execution_id": call.execution_id}
    logger.log(level, "%s %s was answered %d.", call.method, path, status, extra=ids)


def of_problem(call: Call, problem: Problem) -> Answer:
    """The answer that tells ``problem``."""
    call.problem = problem.kind
    headers = ((b"content-type", CONTENT_TYPE), *problem.headers)
    return Answer(problem.status, body_of(problem, call.request_id, call.execution_id), headers)


def problem_of(error: ServiceError, *, to_stranger: bool = True) -> Problem:
    """What a caller is told of a service's error; a stranger never the error's own sentence."""
    name = "overloaded" if isinstance(error, Overloaded) else _PROBLEM_OF[error.status]
    if name == "internal":
        logger.error("A service failed: %s", error.detail)
    # What goes wrong inside is told to nobody.
    detail = "" if to_stranger or error.status >= 500 else error.detail
    return Problem(name, detail, headers=_headers(name, error))


def _headers(name: str, error: ServiceError) -> Headers:
    """What the status needs beside the body."""
    match name:
        case "unauthenticated":
            return (challenge(),)
        case "overloaded" | "unavailable":
            return (retry_after(),)
        case "rate-limited":
            seconds = error.metadata.get("retry_after_seconds", "")
            # Whole seconds, as the header has them.
            return (retry_after(int(seconds)) if _SECONDS.match(seconds) else retry_after(),)
    return ()
