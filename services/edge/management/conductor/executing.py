"""``/api/workflow/execute``: executions that are started and waited for."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from podium.executor.v1 import executor_pb2 as pb
from services.edge.bodies import aside
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, asked, json_text, nothing, shown
from services.edge.management.conductor.fields import Fields, refused
from services.edge.management.conductor.reading import Query
from services.edge.management.conductor.standing import Standing, size_of, strategy_of
from services.edge.management.conductor.starting import start_of
from services.edge.management.conductor.unknown import undefined, unfound
from services.edge.management.conductor.waiting import (
    LONGEST_SECONDS,
    once_only,
    patiently,
    stood_still,
    while_there,
)
from services.edge.management.page import Page
from services.edge.mapping import not_utf8, parse_body
from services.edge.problems import Problem
from services.errors import InvalidRequest, NotFound, Overloaded, Unavailable, Unwritable

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_CONSISTENCIES = ("DURABLE", "SYNCHRONOUS", "REGION_DURABLE")
_SECONDS = 10
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Those of Orkes' workflow-as-API, in the query or as headers; other fields of a GET are input.
_OWN = ("requestId", "waitUntilTaskRef", "waitForSeconds", "version")
Unknown = Callable[[str, int], NotFound]


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


async def execute(call: Call, management: Management, name: str, version: str) -> Answer:
    """POST a StartWorkflowRequest: 200 with how the execution stands when it stands still.

    Raises:
        Problem: 400, 401, 403; 404 for an unknown workflow; 409 for a known idempotency key; 429
            or 503 where there is no room for it.
    """
    request = asked(call, management)
    wait, strategy = wait_of(request.query), strategy_of(request.query.text("returnStrategy"))
    consistency = request.query.text("consistency", _CONSISTENCIES[0])
    if consistency not in _CONSISTENCIES:
        raise refused("consistency", f"must be one of {', '.join(_CONSISTENCIES)}")
    number = _version(version)
    body = await request.bytes()
    start = await aside(len(body), _start, body, name, number)
    standing = await _stands(request, start, body, wait, undefined)
    return await told(standing, strategy)


async def told(standing: Standing, strategy: str) -> Answer:
    """200 with the ``SignalResponse``; without a body where it is about a task, and none waits.

    Raises:
        Problem: 502: it has ended with an output that is too large to be sent.
    """
    if not standing.is_there(strategy):
        return nothing()
    if standing.lacks_output:
        raise Problem("output-too-large")
    size = size_of(standing.told) if standing.told is not None else 0
    return await shown(size, lambda: standing.response(strategy))


async def execute_as_api(call: Call, management: Management, name: str) -> Answer:
    """POST the input: 200 with the output alone; 202 and ``{}`` where there is none yet.

    It is that of the first of ``waitUntilTaskRef`` to end, else the workflow's. Headers say which
    execution it is of, and how that stands. Raises as :func:`execute`.
    """
    request = asked(call, management)
    body = await request.bytes()
    return await _as_api(request, _text(body), name, body)


async def execute_as_get(call: Call, management: Management, name: str) -> Answer:
    """GET: as :func:`execute_as_api`; the query's other fields are the input, as texts."""
    request = asked(call, management)
    given = {key: value for key, value in request.query.pairs if key not in _OWN}
    return await _as_api(request, json.dumps(given), name, call.query)


async def _as_api(request: Asked, text: str, name: str, sent: bytes) -> Answer:
    query = _with_headers(request)
    wait, number = wait_of(query), query.whole("version")
    start = pb.Start(workflow_name=name, workflow_version=number, input=text)
    standing = await _stands(request, start, sent, wait, unfound)
    if standing.lacks_output:
        raise Problem("output-too-large")
    result = standing.told.result if standing.told is not None else pb.Result()
    answer = json_text(result.output or "{}", 202 if standing.is_open else 200)
    if not result.status:
        return answer
    status = pb.ExecutionStatus.Name(result.status).removeprefix("EXECUTION_STATUS_")
    headers = (*answer.headers, (b"podium-execution-status", status.encode()))
    return Answer(answer.status, answer.body, headers)


def _with_headers(request: Asked) -> Query:
    """The query; what it leaves out is taken from headers of those names."""
    header, given = request.call.header, {name for name, _ in request.query.pairs}
    found = (
        (name, value.decode("latin-1"))
        for name in _OWN
        if name not in given and (value := header.get(name.lower().encode())) is not None
    )
    return Query((*request.query.pairs, *found))


async def _stands(
    request: Asked, start: pb.Start, sent: bytes, wait: Wait, unknown: Unknown
) -> Standing:
    """Start it, and wait until it stands still."""
    start.request_id = request.call.request_id
    start.min_revision = request.management.written.revision
    start.execution_id = _id_of(request.application_id, start, sent, wait)
    start.fingerprint = start.execution_id.encode()
    return await while_there(request.call, _started_and_stood(request, start, wait, unknown))


async def _started_and_stood(
    request: Asked, start: pb.Start, wait: Wait, unknown: Unknown
) -> Standing:
    try:
        execution_id = await _started(request, start, unknown)
        told_by = await stood_still(request, execution_id, wait.refs, wait.seconds)
    except (Unavailable, Overloaded) as error:
        if wait.is_known or isinstance(error, Unwritable) or not request.call.execution_id:
            raise
        # It runs: sent again, it would be another one.
        raise once_only(error) from error
    return Standing(told_by, execution_id, wait.request_id)


async def _started(request: Asked, start: pb.Start, unknown: Unknown) -> str:
    """The execution's id."""
    asked_for = pb.StartExecutionRequest(start=start)
    start.Clear()

    async def begin(left: float) -> pb.StartExecutionResponse:
        return await request.ask(request.stubs.executor.StartExecution, asked_for)

    try:
        begun = await patiently(begin, 0)
    except NotFound as error:
        raise unknown(asked_for.start.workflow_name, asked_for.start.workflow_version) from error
    except Unavailable:
        # It may be there.
        request.call.execution_id = asked_for.start.execution_id
        raise
    # A long wait holds no input.
    asked_for.Clear()
    request.call.let_go()
    request.call.execution_id = begun.execution_id
    return begun.execution_id


def _id_of(application_id: str, start: pb.Start, sent: bytes, wait: Wait) -> str:
    """The execution's: the same for a request that is sent again, where it says that it is."""
    if not wait.is_known:
        return str(uuid.uuid4())
    request_id = wait.request_id.lower()
    named = (application_id, request_id, start.workflow_name, str(start.workflow_version))
    known = sha256(json.dumps(named).encode())
    known.update(sent)
    return str(uuid.UUID(bytes=known.digest()[:16], version=5))


def _start(body: bytes, name: str, version: int) -> pb.Start:
    """What is asked for: of the path's name and version, whatever the body says."""
    document: Any = parse_body(body) if body.strip() else {}
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be a JSON object: a StartWorkflowRequest.")
    return start_of(Fields({**document, "name": name, "version": version}))


def _text(body: bytes) -> str:
    try:
        return body.decode().strip()
    except UnicodeDecodeError:
        raise not_utf8() from None


def _version(written: str) -> int:
    if not (written.isascii() and written.isdecimal() and len(written) < 10):
        raise refused("version", "must be a whole number")
    return int(written)


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/workflow/execute/{name}/{version}", execute),
    ("POST", "/api/workflow/execute/{name}", execute_as_api),
    ("GET", "/api/workflow/execute/{name}", execute_as_get),
)
