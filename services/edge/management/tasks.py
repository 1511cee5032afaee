"""``POST /api/tasks/{workflowId}/{taskRefName}/{status}``: somebody's word about a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.bodies import aside, read_body
from services.edge.call import TEXT, Answer, Call
from services.edge.callbacks import STATUSES as _OF_REMOTES
from services.edge.management.callers import caller_of
from services.edge.management.conductor.fields import Fields, quoted, refused
from services.edge.management.conductor.waiting import said_once
from services.edge.mapping import parse_body
from services.edge.query import parse_query

if TYPE_CHECKING:
    from services.edge.management.pages import Management

# Who has a token of its own may cancel a task, too.
_STATUSES = {**_OF_REMOTES, "CANCELED": pb.TASK_STATUS_CANCELED}


async def update(
    call: Call, management: Management, execution_id: str, ref: str, status: str
) -> Answer:
    """Pass it on for the caller: 200 with the task's id as text.

    Raises:
        Problem: 400 for an unknown status or a body that is no object, 401 without a token that
            holds; 503: it may have been taken, and is not to be sent again unseen.
        ServiceError: What else the executor says.
    """
    application_id = caller_of(call, management)
    request = pb.UpdateTaskRequest(
        execution_id=execution_id,
        ref=ref,
        status=status_in(Fields({"status": status})),
        output=await output_of(call, management),
        worker_id=parse_query(call.query).get("workerid", ""),
    )
    task_id = await said_once(management.executor.update_task(request, application_id))
    return Answer(200, task_id.encode(), (TEXT,))


async def output_of(call: Call, management: Management) -> str:
    """The body, an object, as it was sent. Raises :class:`Problem`: 400, 408, 413."""
    body = await read_body(call, management.body_limits)
    if not isinstance(await aside(len(body), parse_body, body), dict):
        raise refused("", "The body must be a JSON object: the task's output")
    return body.decode() or "{}"


def status_in(fields: Fields) -> pb.TaskStatus.ValueType:
    """The ``status`` that is said of a task; COMPLETED where it is left out.

    Raises:
        InvalidRequest: It is none that may be said.
    """
    written = fields.text("status", "COMPLETED")
    status = _STATUSES.get(written)
    if status is None:
        names = ", ".join(_STATUSES)
        raise fields.wrong("status", f"must be one of {names}, not {quoted(written)}")
    return status
