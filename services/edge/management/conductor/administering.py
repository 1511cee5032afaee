"""``/api/admin`` and ``/api/queue``: what operators of Conductor ask for, and words for tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.executor.v1 import executor_pb2 as pb
from services.edge.call import Answer, Call
from services.edge.management.conductor import collecting
from services.edge.management.conductor.asking import (
    Asked,
    as_json,
    as_text,
    asked,
    nothing,
    shown_text,
)
from services.edge.management.conductor.fields import Fields
from services.edge.management.conductor.sought import unended_sought
from services.edge.management.conductor.told import of_execution
from services.edge.management.conductor.waiting import said_once
from services.edge.management.page import Page
from services.edge.management.tasks import output_of, status_in

if TYPE_CHECKING:
    from services.edge.management.pages import Management

_COUNT = 100


async def config(call: Call, management: Management) -> Answer:
    """GET: 200 with the version of the executor; settings are told to nobody over HTTP."""
    request = asked(call, management)
    told = await request.ask(
        request.stubs.executor.GetExecutorStatus, pb.GetExecutorStatusRequest()
    )
    return as_json({"version": told.version})


async def pending(call: Call, management: Management, task_type: str) -> Answer:
    """GET: 200 with a list of Task: those of a type that have not ended."""
    request = asked(call, management)
    start, count = request.query.whole("start"), request.query.whole("count", _COUNT)
    sought = unended_sought(task_type, start, count)
    found, _ = await collecting.tasks(request, sought, documents=True)
    size = sum(len(each.document) for each in found)
    return await shown_text(size, lambda: f"[{','.join(each.document for each in found)}]")


async def sweep(call: Call, management: Management, execution_id: str) -> Answer:
    """POST: 200 with ``true.`` and the id, as text; what is due in it is done now."""
    await _decide(asked(call, management), execution_id)
    return as_text(f"true.{execution_id}")


async def verify(call: Call, management: Management, execution_id: str) -> Answer:
    """POST: 200 with false: there are no queues beside the store that had to be repaired."""
    await _decide(asked(call, management), execution_id)
    return as_json(False)


async def _decide(request: Asked, execution_id: str) -> None:
    message = pb.DecideExecutionRequest(execution_id=execution_id)
    await of_execution(request, execution_id, request.stubs.executor.DecideExecution, message)


async def update(
    call: Call, management: Management, execution_id: str, ref: str, status: str
) -> Answer:
    """POST an output for the task of that reference: 200. Raises Problem: 400, 404, 409."""
    update = pb.UpdateTaskRequest(execution_id=execution_id, ref=ref)
    return await _update(asked(call, management), update, status)


async def update_by_id(
    call: Call, management: Management, execution_id: str, task_id: str, status: str
) -> Answer:
    """As :func:`update`, for the task of that id."""
    update = pb.UpdateTaskRequest(execution_id=execution_id, task_id=task_id)
    return await _update(asked(call, management), update, status)


async def _update(request: Asked, update: pb.UpdateTaskRequest, status: str) -> Answer:
    update.status = status_in(Fields({"status": status}))
    update.output = await output_of(request.call, request.management)
    method = request.stubs.executor.UpdateTask
    updating = of_execution(request, update.execution_id, method, update)
    await (said_once(updating) if update.ref else updating)
    return nothing()


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/api/admin/config", config),
    ("GET", "/api/admin/task/{tasktype}", pending),
    ("POST", "/api/admin/sweep/requeue/{workflowId}", sweep),
    ("POST", "/api/admin/consistency/verifyAndRepair/{workflowId}", verify),
    ("POST", "/api/queue/update/{workflowId}/{taskRefName}/{status}", update),
    ("POST", "/api/queue/update/{workflowId}/task/{taskId}/{status}", update_by_id),
)
