"""``/api/workflow/execute``: executions that are started and waited for."""

from __future__ import annotations

import json
import re
import uuid
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
from services.edge.management.conductor.waiting import (
    LONGEST_SECONDS,
    patiently,
    stood_still,
    while_there,
)
from services.edge.management.page import Page
from services.edge.mapping import not_utf8, parse_body
from services.edge.problems import Problem
from services.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_CONSISTENCIES = ("DURABLE", "SYNCHRONOUS", "REGION_DURABLE")
_SECONDS = 10
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Those of Orkes' workflow-as-API, in the query or as headers; other fields of a GET are input.
_OWN = ("requestId", "waitUntilTaskRef", "waitForSeconds", "version")
_OPEN = (pb.EXECUTION_STATUS_RUNNING, pb.EXECUTION_STATUS_PAUSED)


@dataclass(frozen=True, slots=True)
class Wait:
    """For what an execution is waited, and how long.

    Attributes:
        request_id: What the client calls it; empty: nothing.
    """

    request_id: str
    refs: tuple[str, ...]
    seconds: int


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
    unknown = f"No such workflow defined. name={name}, version={number or 'null'}"
    standing = await _stands(request, start, body, wait, unknown)
    return await told(standing, strategy)


async def told(standing: Standing, strategy: str) -> Answer:
    """200 with the ``SignalResponse``; without a body where it is about a task, and none waits."""
    if not standing.is_there(strategy):
        return nothing()
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
    unknown = f"No such workflow found by name: {name}, version: {number or 'null'}"
    standing = await _stands(request, start, sent, wait, unknown)
    result = standing.told.result if standing.told is not None else pb.Result()
    if result.output_left_out:
        raise Problem("output-too-large")
    status = pb.ExecutionStatus.Name(result.status).removeprefix("EXECUTION_STATUS_")
    is_open = result.status in _OPEN and not result.awaited_ref
    answer = json_text(result.output or "{}", 202 if is_open or not result.status else 200)
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
    request: Asked, start: pb.Start, sent: bytes, wait: Wait, unknown: str
) -> Standing:
    """Start it, and wait until it stands still."""
    start.request_id = request.call.request_id
    start.min_revision = request.management.written.revision
    start.execution_id = _id_of(request.application_id, start, sent, wait.request_id)
    start.fingerprint = start.execution_id.encode()
    return await while_there(request.call, _started_and_stood(request, start, wait, unknown))


async def _started_and_stood(request: Asked, start: pb.Start, wait: Wait, unknown: str) -> Standing:
    asked_for = pb.StartExecutionRequest(start=start)
    start.Clear()

    async def begin(left: float) -> pb.StartExecutionResponse:
        return await request.ask(request.stubs.executor.StartExecution, asked_for)

    name = asked_for.start.workflow_name
    try:
        begun = await patiently(begin, 0)
    except NotFound as error:
        # Conductor's sentence, which clients may look for.
        raise NotFound(unknown, workflow=name) from error
    # A long wait holds no input.
    asked_for.Clear()
    request.call.let_go()
    request.call.execution_id = begun.execution_id
    told_by = await stood_still(request, begun.execution_id, wait.refs, wait.seconds)
    return Standing(told_by, begun.execution_id, wait.request_id)


def _id_of(application_id: str, start: pb.Start, sent: bytes, request_id: str) -> str:
    """The execution's: the same for a request that is sent again, where it says that it is.

    Which only a UUID does: others are names that clients give all their requests.
    """
    if not _UUID.fullmatch(request_id):
        return str(uuid.uuid4())
    named = (application_id, request_id.lower(), start.workflow_name, str(start.workflow_version))
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
