"""``/api/workflow/execute/{name}``: a workflow as an API, as Orkes has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge import statuses
from services.edge.bodies import aside
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, asked, json_text
from services.edge.management.conductor.begun import Wait, begun, identified, stood, wait_of
from services.edge.management.conductor.reading import Query
from services.edge.management.conductor.standing import Standing
from services.edge.management.conductor.starting import input_in
from services.edge.management.conductor.unknown import unfound
from services.edge.management.page import Page
from services.edge.problems import Problem

if TYPE_CHECKING:
    from services.edge.management.pages import Management

# In the query or as headers; other fields of a GET are input.
_OWN = ("requestId", "waitUntilTaskRef", "waitForSeconds", "version")


async def post(call: Call, management: Management, name: str) -> Answer:
    """POST the input: 200 with the output alone; 202 and ``{}`` where there is none yet.

    It is that of the first of ``waitUntilTaskRef`` to end, else the workflow's. Headers say which
    execution it is of, and how that stands.

    Raises:
        Problem: As :func:`executing.execute`.
    """
    request = asked(call, management)
    query = _with_headers(request)
    wait, version = wait_of(query), query.whole("version")
    execution_id = await begun(request, await _posted(request, name, version, wait), wait, unfound)
    return _told(await stood(request, execution_id, wait, show=False))


async def _posted(request: Asked, name: str, version: int, wait: Wait) -> pb.Start:
    body = await request.bytes()

    def start() -> pb.Start:
        # As it is: the executor reads it.
        given = input_in(body)
        asked_for = pb.Start(workflow_name=name, workflow_version=version, input=given)
        return identified(asked_for, body, request.application_id, wait)

    return await aside(len(body), start)


async def get(call: Call, management: Management, name: str) -> Answer:
    """GET: as :func:`post`; the query's other fields are the input, as texts."""
    request = asked(call, management)
    query = _with_headers(request)
    wait = wait_of(query)
    given = json.dumps({key: value for key, value in request.query.pairs if key not in _OWN})
    start = pb.Start(workflow_name=name, workflow_version=query.whole("version"), input=given)
    identified(start, call.query, request.application_id, wait)
    execution_id = await begun(request, start, wait, unfound)
    return _told(await stood(request, execution_id, wait, show=False))


def _told(standing: Standing) -> Answer:
    if standing.lacks_output:
        raise Problem("output-too-large")
    result = standing.told.result if standing.told is not None else pb.Result()
    answer = json_text(result.output or "{}", 202 if standing.is_open else 200)
    if not result.status:
        return answer
    status = statuses.of_execution(result.status)
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


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/workflow/execute/{name}", post),
    ("GET", "/api/workflow/execute/{name}", get),
)
