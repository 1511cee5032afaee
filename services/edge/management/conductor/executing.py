"""``/api/workflow/execute/{name}/{version}``: executions that are started and waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from podium.executor.v1 import executor_pb2 as pb
from services.edge.bodies import aside
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import Asked, asked, nothing, shown
from services.edge.management.conductor.begun import Wait, begun, identified, stood, wait_of
from services.edge.management.conductor.fields import Fields, refused
from services.edge.management.conductor.standing import Standing, size_of, strategy_of
from services.edge.management.conductor.starting import start_of, version_of
from services.edge.management.conductor.unknown import undefined
from services.edge.management.page import Page
from services.edge.mapping import parse_body
from services.edge.problems import Problem

if TYPE_CHECKING:
    from services.edge.management.pages import Management

# All that is told is stored: there is no less.
_CONSISTENCIES = ("DURABLE", "SYNCHRONOUS", "REGION_DURABLE")


async def execute(call: Call, management: Management, name: str, version: str) -> Answer:
    """POST a StartWorkflowRequest: 200 with how the execution stands when it stands still.

    Raises:
        Problem: 400, 401, 403; 404 for an unknown workflow; 409 for a known idempotency key; 429
            or 503 where there is no room for it; 502 where its output is too large to be sent.
    """
    request = asked(call, management)
    wait, strategy = wait_of(request.query), strategy_of(request.query.text("returnStrategy"))
    if request.query.text("consistency", _CONSISTENCIES[0]) not in _CONSISTENCIES:
        raise refused("consistency", f"must be one of {', '.join(_CONSISTENCIES)}")
    posted = _posted(request, name, version_of(version), wait)
    execution_id = await begun(request, await posted, wait, undefined)
    return await told(await stood(request, execution_id, wait, show=True), strategy)


async def _posted(request: Asked, name: str, version: int, wait: Wait) -> pb.Start:
    """What is asked for: of the path's name and version, whatever the body says."""
    body = await request.bytes()

    def start() -> pb.Start:
        document: Any = parse_body(body) if body.strip() else {}
        if not isinstance(document, dict):
            raise refused("", "The body must be a JSON object: a StartWorkflowRequest")
        wanted = start_of(Fields({**document, "name": name, "version": version}))
        return identified(wanted, body, request.application_id, wait)

    return await aside(len(body), start)


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


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("POST", "/api/workflow/execute/{name}/{version}", execute),
)
