"""``POST /api/workflow/test``: a workflow run without its world."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.bodies import aside
from services.edge.call import Answer, Call
from services.edge.management.conductor.asking import asked
from services.edge.management.conductor.fields import Fields, refused
from services.edge.management.conductor.skipping import text_of
from services.edge.management.conductor.starting import name_of
from services.edge.management.conductor.told import passed
from services.edge.management.conductor.unknown import undefined
from services.edge.management.page import Page
from services.edge.mapping import parse_body
from services.errors import NotFound

if TYPE_CHECKING:
    from services.edge.management.pages import Management

# A test ends after ten seconds, and may wait for others.
_SECONDS = 60.0


async def test(call: Call, management: Management) -> Answer:
    """POST a WorkflowTestRequest: 200 with the Workflow as it came out.

    Raises:
        Problem: 400, 401, 403; 404 for an unknown workflow, 413.
    """
    request = asked(call, management)
    body = await request.bytes()
    wanted = await aside(len(body), _read, body)
    wanted.min_revision = request.management.written.revision
    method = request.stubs.executor.TestWorkflow
    try:
        told = await request.ask(method, wanted, _SECONDS)
    except NotFound as error:
        raise undefined(wanted.workflow_name, wanted.workflow_version) from error
    return await passed(_pieces(told))


def _pieces(told: pb.TestWorkflowResponse) -> tuple[str, ...]:
    """The Workflow, and before its fields what was given and had no effect."""
    if not told.unused_refs:
        return (told.document,)
    warnings = [
        f"taskRefToMockOutput.{ref}: no task took one of its mocks: there is none of that "
        "reference, or it was not reached"
        for ref in told.unused_refs
    ]
    return (f'{{"warnings":{json.dumps(warnings, ensure_ascii=False)},', told.document[1:])


def _read(body: bytes) -> pb.TestWorkflowRequest:
    document = parse_body(body)
    if not isinstance(document, dict):
        raise refused("", "The body must be a JSON object: a WorkflowTestRequest")
    given = Fields(document)
    return pb.TestWorkflowRequest(
        workflow_name=name_of(given),
        workflow_version=given.whole("version"),
        workflow_definition=text_of(given.object("workflowDef")),
        input=text_of(given.object("input")),
        mocks=text_of(given.object("taskRefToMockOutput")),
        sub_workflow_tests=text_of(given.object("subWorkflowTestRequest")),
    )


PAGES: tuple[tuple[str, str, Page], ...] = (("POST", "/api/workflow/test", test),)
