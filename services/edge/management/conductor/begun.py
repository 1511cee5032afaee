"""Executions that are started and waited for, for as long as their caller is there."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from podium.executor.v1 import executor_pb2 as pb
from services.edge.management.conductor.asking import Asked
from services.edge.management.conductor.reading import Query
from services.edge.management.conductor.standing import Standing
from services.edge.management.conductor.waiting import (
    LONGEST_SECONDS,
    once_only,
    patiently,
    stood_still,
    while_there,
)
from services.edge.management.conductor.wording import in_their_words
from services.edge.management.refusals import refusal
from services.edge.problems import Problem
from services.errors import (
    NotFound,
    Overloaded,
    ServiceError,
    Unavailable,
    Unwritable,
)
from services.ids import new_execution_id

_SECONDS = 10
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

Unknown = Callable[[str, int], NotFound]
"""What is said where there is no such workflow, by its name and version (0: none was named)."""


@dataclass(frozen=True, slots=True)
class Wait:
    """For what an execution is waited, and how long.

    Attributes:
        request_id: What the client calls it; empty: nothing.
    """

    request_id: str
    refs: tuple[str, ...]
    seconds: int

    @property
    def is_known(self) -> bool:
        """Whether the request is the same one when it is sent again.

        Which only a UUID says: others are names that clients give all their requests.
        """
        return _UUID.fullmatch(self.request_id) is not None


def wait_of(query: Query) -> Wait:
    """Raises :class:`InvalidRequest`."""
    seconds = query.whole("waitForSeconds") or _SECONDS
    refs = tuple(query.several("waitUntilTaskRef"))
    return Wait(query.text("requestId"), refs, min(seconds, LONGEST_SECONDS))


def identified(start: pb.Start, sent: bytes, application_id: str, wait: Wait) -> pb.Start:
    """``start`` with the execution's id: the same for a request that is sent again, if it is known.

    Args:
        sent: What makes the request another one, beside caller, workflow and request id.
    """
    if not wait.is_known:
        return identified_anew(start)
    request_id = wait.request_id.lower()
    named = (application_id, request_id, start.workflow_name, str(start.workflow_version))
    known = sha256(json.dumps(named).encode())
    known.update(sent)
    return _as(start, str(uuid.UUID(bytes=known.digest()[:16], version=5)))


def identified_anew(start: pb.Start) -> pb.Start:
    """``start`` with an id of its own: asked for twice by this edge, it is one execution."""
    return _as(start, new_execution_id())


def _as(start: pb.Start, execution_id: str) -> pb.Start:
    start.execution_id = execution_id
    start.fingerprint = execution_id.encode()
    return start


async def put_in(request: Asked, start: pb.Start, unknown: Unknown) -> str:
    """Start it, which has an id and a fingerprint: it is asked for again while nobody answers.

    Raises:
        ServiceError: It was not started; NotFound: as ``unknown`` says it. Unavailable: it may run.
    """
    start.request_id = request.call.request_id
    start.min_revision = request.management.written.revision
    asked_for = pb.StartExecutionRequest(start=start)

    async def begin(left: float) -> pb.StartExecutionResponse:
        return await request.ask(request.stubs.executor.StartExecution, asked_for)

    try:
        return (await patiently(begin, 0)).execution_id
    except NotFound as error:
        raise unknown(start.workflow_name, start.workflow_version) from error


async def begun(request: Asked, start: pb.Start, wait: Wait, unknown: Unknown) -> str:
    """As :func:`put_in`, for a client that waits: the call has the execution's id from here on.

    Nothing that has the input lasts longer than this: the wait for it may be a long one.

    Raises:
        ServiceError: As there.
        Problem: 503: it may run, and would be another one if it were asked for again.
        Gone: The client has left.
    """
    try:
        execution_id = await while_there(request.call, put_in(request, start, unknown))
    except Unwritable:
        raise
    except Unavailable as error:
        request.call.execution_id = start.execution_id
        raise _again(error, wait) from error
    request.call.let_go()
    request.call.execution_id = execution_id
    return execution_id


async def stood(request: Asked, execution_id: str, wait: Wait, *, show: bool) -> Standing:
    """Wait until it stands still.

    Args:
        show: With all that it holds, beside what it came to.

    Raises:
        Problem: 503: how it stands is not known.
        Gone: The client has left.
    """
    standing = stood_still(request, execution_id, wait.refs, wait.seconds, show=show)
    try:
        told = await while_there(request.call, standing)
    except (Unavailable, Overloaded) as error:
        raise _again(error, wait) from error
    return Standing(told, execution_id, wait.request_id)


def _again(error: ServiceError, wait: Wait) -> Problem:
    """``error``, to be tried again only where that would not be another execution."""
    return refusal(in_their_words(error)) if wait.is_known else once_only(error)
